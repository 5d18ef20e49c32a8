"""Light curves of random worlds without detector frames: the world's light in time bins, with photon and read noise.

    flux(l, t) = transit(l, t) (1 + drift) (1 + noise) (1 + coupling x motion) + photons and reads of all pixels

A hundred planets take the time that one planet's frames would. Left out: bad pixels, cosmic rays, the foreground's
error, light that an aperture loses as the image moves. Centroids carry noise; widths are noise alone.

Beside the world's own planets there are hard ones, the same planets on another orbit or at another time: transits that
graze the star, and transits whose begin or end the visit does not hold.
"""

from dataclasses import replace

import numpy as np
from world_bound import N_BIN, pixel_weight

from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, is_fgs1
from spectramind_kit.products import LightCurves, Orbit, Planet
from spectramind_kit.random_world.planets import WorldPlanet
from spectramind_kit.random_world.timeline import FAST_PER_SLOW, N_SLOW, binned
from spectramind_kit.random_world.visit import VisitTruth, draw_visit, observed_transit
from spectramind_kit.random_world.world import World
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, exposure_instants
from spectramind_kit.simulation.starlight import label_wavelengths

HARD = ("grazing", "cut")
_INSTANTS = 3
_CENTROID_NOISE = {FGS1.name: 3e-4, AIRS.name: 1e-4}
"""Of a time bin [pixel]."""
_WIDTH_NOISE = 1e-3
"""Of a time bin [pixel]."""
_AXES = {FGS1.name: ("fgs1_row", "fgs1_column"), AIRS.name: ("airs_row",)}
_GRAZING = (0.2, 1.2)
"""How far a grazing planet's edge is beyond the star's at mid-transit [planet radii]."""
_CUT = (0.05, 0.8)
"""Share of a half transit that a cut one misses."""


def draw_light_curves(
    world: World, planet: WorldPlanet, truth: VisitTruth, visit: int, rng: np.random.Generator
) -> LightCurves:
    """Draw the light curves of one visit in ``N_BIN`` bins, all wavelengths of the labels.

    Args:
        world: whose physics holds.
        planet: that is observed.
        truth: what happens in the visit.
        visit: its number.
        rng: source of photons, reads and the noise of the image's moments.
    """
    wavelength, length = label_wavelengths(), OBSERVATION_TIME / N_BIN
    middle = length * (np.arange(N_BIN) + 0.5)
    instants = exposure_instants(middle, length, _INSTANTS)
    flux = observed_transit(world, planet, truth.mid_time, wavelength, instants, truth.crossing)
    flux = flux * (1.0 + world.drift.colours(wavelength).T @ binned(truth.drift, N_BIN))
    flux = flux * (1.0 + world.noise.colours(wavelength).T @ binned(truth.noise, N_BIN))
    series = {}
    for name in CHANNELS:
        motion = binned(truth.motion[name].reshape(2, N_SLOW, FAST_PER_SLOW).mean(axis=2), N_BIN)
        rows = is_fgs1(wavelength) == (name == FGS1.name)
        flux[rows] *= 1.0 + world.pointing.couplings(name, wavelength[rows]).T @ motion
        for axis, moved in zip(_AXES[name], motion):
            series[f"{axis}_centroid"] = moved + _CENTROID_NOISE[name] * rng.standard_normal(N_BIN)
            series[f"{axis}_width"] = 1.0 + _WIDTH_NOISE * rng.standard_normal(N_BIN)
    error = np.broadcast_to(pixel_weight(world, planet, truth)[:, None] ** -0.5, flux.shape)
    return LightCurves(
        planet_id=planet.planet.planet_id,
        visit=visit,
        time=middle,
        bin_seconds=length,
        flux=(flux + error * rng.standard_normal(flux.shape)).T,
        flux_err=error.T,
        wavelength=wavelength,
        regressors=np.column_stack(list(series.values())),
        regressor_names=tuple(series),
    )


def hardened(world: World, planet: WorldPlanet, kind: str, rng: np.random.Generator) -> tuple[WorldPlanet, VisitTruth]:
    """Return a planet and a visit of it in which the transit grazes the star, or is cut.

    Args:
        world: whose physics holds.
        planet: as it is.
        kind: one of ``HARD``.
        rng: source of every random draw.
    """
    radius = float(np.sqrt(planet.depth))
    if kind == "grazing":
        impact = 1.0 + radius * (float(rng.uniform(*_GRAZING)) - 1.0)
        # A table knows the orbit of such a planet no better, and no worse, than that of any other.
        error = world.population.impact_error * float(rng.standard_normal())
        planet = replace(planet, impact=impact, planet=_with_impact(planet.planet, abs(impact + error)))
    truth = draw_visit(world, planet, rng)
    if kind == "cut":
        path = float(np.sqrt((1.0 + radius) ** 2 - planet.impact**2))
        half = planet.period / (2.0 * np.pi) * path / planet.semi_major_axis
        early = half * (1.0 - float(rng.uniform(*_CUT)))
        truth = replace(truth, mid_time=early if rng.random() < 0.5 else OBSERVATION_TIME - early)
    return planet, truth


def _with_impact(planet: Planet, impact: float) -> Planet:
    assert planet.orbit is not None
    axis = planet.orbit.semi_major_axis
    return replace(planet, orbit=Orbit(planet.orbit.period, axis, float(np.degrees(np.arccos(impact / axis)))))
