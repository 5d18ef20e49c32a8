"""A star spot that the planet crosses: for a while it hides less light, found on the white light by evidence.

Planet and spot are discs whose centres pass each other; the area that they share, over the largest one,

    h(t) = lens(v |t - t_c|; k, r) / max,

k the planet's radius, v its speed in the sky, r the spot's radius, t_c when it is crossed, is what the light does.
Its height is free in every colour (a spot is hardly darker than the star in the infrared), and so is a small change of
t_c and r: the light is linear in them, and h is taken anew where the white light has moved them. A spot beside the
planet's way does nearly what a smaller one on it does.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, LOG_AXIS, CurveModel, linearise, with_systematics
from spectramind_kit.fitting.gauss_newton import Solution, minimise
from spectramind_kit.fitting.noise_modes import cosines
from spectramind_kit.fitting.pattern_evidence import evidence_beside_slow_noise, evidence_beside_white_noise
from spectramind_kit.fitting.quality import may_graze
from spectramind_kit.fitting.systematics import Term, strengths, systematics

MOST_CROSSINGS = 2
"""In a visit."""
_RADII = (0.03, 0.05, 0.08, 0.12, 0.17, 0.23)
"""Of spots that are tried [R_star]: such as planets were observed to cross (Beky et al. 2014; Mancini et al. 2017)."""
_RADIUS_LIMITS = (0.015, 0.4)
_HEIGHT = 0.2
"""Prior scatter of a crossing's height, in transit depths: spots are half as bright as the star or brighter."""
_LEAST_EVIDENCE = 11.0
"""ln Z from which a crossing is accepted: some thirty distinct ones are tried, few visits have one, and noise that is
like none of the kernels reaches nearly as much without any."""
_USUAL_PLANET = 0.1
"""Radius of a usual giant [R_star]."""
_INSIDE = 0.3
"""Share of the full depth from which the planet is on the star."""
_STEP = 0.02
"""Of the differences that stand for derivatives, in planet radii."""
_MOVED = 0.3
"""Prior scatter of where a crossing is, in half durations of it, and of its radius, in radii, times its height."""
_STEPS, _TOLERANCE = 30, 1e-2
"""Of a fit with slow noise: most steps, and the gain in half chi^2 below which it has converged."""
_SHAPES = ("height", "middle", "radius")


class Crossing(NamedTuple):
    """A spot crossing.

    Attributes:
        middle: when planet and spot are closest [s].
        spot: radius of the spot [R_star].
        planet: radius of the planet [R_star].
        speed: of the planet in the sky [R_star/s].
    """

    middle: float
    spot: float
    planet: float
    speed: float

    @property
    def half_duration(self) -> float:
        """From the middle to the last contact [s]."""
        return (self.planet + self.spot) / self.speed

    def overlap(self, instants: np.ndarray) -> np.ndarray:
        """Return the area that planet and spot share over the largest one, (n_time,), averaged over instants.

        Args:
            instants: (n_time, n_instant) [s].
        """
        return _shared_area(self.speed * np.abs(instants - self.middle), self.planet, self.spot).mean(axis=1)


def find_crossing(time: np.ndarray, bin_seconds: float, model: CurveModel, solution: Solution) -> Crossing | None:
    """Return the most evident crossing that a fit has left in its residuals, None where there is none.

    Args:
        time: (n_time,) ascending [s].
        bin_seconds: between them [s].
        model: of few curves, such as the white ones.
        solution: its fit.
    """
    depth, hidden = float(solution.state.depth.max()), 1.0 - solution.at.transit.min(axis=0)
    inside = time[hidden > _INSIDE * hidden.max()]
    if not 0.0 < depth < 1.0 or not len(inside):
        return None
    planet, speed = _planet(model, solution)
    tried = [Crossing(float(t), radius, planet, speed) for radius in _RADII for t in inside]
    apart = speed * np.abs(model.instants - inside[:, None, None])
    overlaps = np.concatenate([_shared_area(apart, planet, radius).mean(axis=2) for radius in _RADII])
    # The cheap evidence beside white noise ends most searches.
    if evidence_beside_white_noise(model, solution, _HEIGHT * depth, overlaps).max() <= _LEAST_EVIDENCE:
        return None
    evidence, variance = evidence_beside_slow_noise(time, bin_seconds, model, solution, _HEIGHT * depth, overlaps)
    if evidence.max() <= _LEAST_EVIDENCE:
        return None
    # Noise that is much larger than the fit knew of has led it astray, so that its residuals are no measure of noise.
    # A crossing does so as well, and noise of the size that it seems to have would explain it: sizes stay open.
    solution = _as_placed_beside_noise(time, model, solution, variance)
    evidence, _ = evidence_beside_slow_noise(time, bin_seconds, model, solution, _HEIGHT * depth, overlaps)
    best = int(evidence.argmax())
    return tried[best] if evidence[best] > _LEAST_EVIDENCE else None


def is_like_the_limb(crossing: Crossing, solution: Solution) -> bool:
    """Return whether a crossing, the planet's size and its way do the same to the light: a wide spot near the limb.

    A spot that hides a part of what it covers makes the planet look small: it may be as large as usual.

    Args:
        crossing: found in the residuals.
        solution: the fit that left it.
    """
    impact = float(np.sqrt(max(solution.state.shared[IMPACT_SQUARED], 0.0)))
    return crossing.spot > crossing.planet and may_graze(impact, max(crossing.planet, _USUAL_PLANET))


def _as_placed_beside_noise(time: np.ndarray, model: CurveModel, solution: Solution, variance: np.ndarray) -> Solution:
    """Return a model where it ends beside slow noise, of known variance (n_mode,), in every curve.

    The noise is left in the residuals.
    """
    modes = list(zip(cosines(time, len(variance)), np.sqrt(variance)))
    curves = np.eye(len(model.flux))
    terms = [
        Term(f"noise_{c}/{k}", mode, curve, scatter)
        for c, curve in enumerate(curves)
        for k, (mode, scatter) in enumerate(modes)
    ]
    extended, state = with_systematics(model, solution.state, systematics(time, np.arange(len(curves)), terms))
    state = minimise(extended, state, _STEPS, _TOLERANCE).state
    state = replace(state, shared=state.shared[: len(model.names)])
    return replace(solution, state=state, at=linearise(model, state))


def refined(crossings: Sequence[Crossing], model: CurveModel, solution: Solution) -> tuple[Crossing, ...]:
    """Return crossings as a fit has moved them.

    Args:
        crossings: in the model, in this order.
        model: of few curves.
        solution: its fit.
    """
    planet, speed = _planet(model, solution)
    found = dict(zip(model.names, solution.state.shared))
    moved = []
    for n, crossing in enumerate(crossings):
        height, middle, radius = (
            np.array([found[name] for name in found if name.startswith("spot_") and name.endswith(f"/{n}_{shape}")])
            for shape in _SHAPES
        )
        power = max(float(height @ height), 1e-300)
        later, larger = (float(np.clip(height @ change / power, -_MOVED, _MOVED)) for change in (middle, radius))
        moved.append(
            Crossing(
                crossing.middle + later * crossing.half_duration,
                float(np.clip(crossing.spot * np.exp(larger), *_RADIUS_LIMITS)),
                planet,
                speed,
            )
        )
    return tuple(moved)


def crossing_terms(
    instants: np.ndarray,
    wavelength: np.ndarray,
    wavelength_order: int,
    crossings: Sequence[Crossing],
    drift_scatter: float,
) -> list[Term]:
    """Return what every crossing does in every colour, and how that changes with its middle and the spot's radius.

    Args:
        instants: (n_time, n_instant) [s].
        wavelength: (n_wavelength,) [um].
        wavelength_order: highest degree in wavelength over AIRS-CH0.
        crossings: of the visit.
        drift_scatter: that terms have their scatter in [1].
    """
    terms, colours = [], strengths(wavelength, wavelength_order)
    for n, crossing in enumerate(crossings):
        overlap, step = crossing.overlap(instants), _STEP * crossing.planet
        later = crossing._replace(middle=crossing.middle + step / crossing.speed).overlap(instants)
        larger = crossing._replace(spot=crossing.spot + step).overlap(instants)
        by_middle = (later - overlap) * crossing.half_duration * crossing.speed / step
        by_radius = (larger - overlap) * crossing.spot / step
        scatter = _HEIGHT * crossing.planet**2 / drift_scatter
        for shape, function in zip(_SHAPES, (overlap, by_middle, by_radius)):
            size = scatter if shape == "height" else _MOVED * scatter
            terms += [Term(f"spot_{colour}/{n}_{shape}", function, strength, size) for colour, strength in colours]
    return terms


def _planet(model: CurveModel, solution: Solution) -> tuple[float, float]:
    """Return the planet's radius [R_star] and its speed in the sky [R_star/s]."""
    depth, axis = float(np.max(solution.state.depth)), float(np.exp(solution.state.shared[LOG_AXIS]))
    return float(np.sqrt(np.clip(depth, 1e-6, 0.5))), 2.0 * np.pi * axis / model.period


def _shared_area(distance: np.ndarray, one: float, other: float) -> np.ndarray:
    """Return the area that two discs share over the smaller one's, in the shape of the distance of their centres."""
    small, large = min(one, other), max(one, other)
    d = np.clip(distance, large - small, large + small)
    # Each disc's sector less the kite of centres and crossings; sines by their cosines, which are safe at contacts.
    of_small = np.clip((d**2 + small**2 - large**2) / (2.0 * np.maximum(d, 1e-12) * small), -1.0, 1.0)
    of_large = np.clip((d**2 + large**2 - small**2) / (2.0 * np.maximum(d, 1e-12) * large), -1.0, 1.0)
    kite = d * small * np.sqrt(1.0 - of_small**2)
    area = small**2 * np.arccos(of_small) + large**2 * np.arccos(of_large) - kite
    return np.where(distance <= large - small, 1.0, area / (np.pi * small**2))
