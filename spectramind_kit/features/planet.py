"""A planet as the network sees it: its visits, a node per wavelength, and a context of single numbers.

The answer of fit and prior travels along, because the network says how far from it the truth lies.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Planet, require_shape

EXPECTED = ("stray_pull", "fgs1_scale_pull", "airs_scale_pull", "ln_stray_scatter")
"""What correlated noise is expected to have done to the answer, and what depths that are 0.1 % too large in one channel
would do, in sigmas; and ln of the factor on sigma that the variance of the first asks for."""
NODE = (
    *EXPECTED,
    *("fit_pull", "shape", "fit_shape", "ln_sigma", "ln_fit_sigma", "fgs1", "ln_wavelength"),
    *VISIT_NODE,
)
"""Channels of a wavelength's node."""
CONTEXT = (
    *("radius", "mass", "temperature", "planet_mass", "period", "axis", "table_impact"),
    *("ln_level", "level_pull", "ln_level_sigma", "channel_difference", "n_visit"),
    *VISIT_CONTEXT,
)
"""Single numbers of a planet."""
_SCALE_ERROR = 1e-3
_LARGEST_PULL = 10.0
_SHAPE = 0.02
"""Typical relative size of a spectrum's shape."""


@dataclass(frozen=True, eq=False)
class Features:
    """A planet as the network sees it.

    Attributes:
        visits: (n_time, len(SEQUENCE)) float32 each; visits may differ in length.
        node: (n_wavelength, len(NODE)) float32; context: (len(CONTEXT),) float32.
        mean, sigma: (n_wavelength,) the answer of fit and prior [(Rp/Rs)^2], which the network corrects.
    """

    planet_id: int
    visits: tuple[np.ndarray, ...]
    node: np.ndarray
    context: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray

    def __post_init__(self):
        for visit in self.visits:
            require_shape("Features", "visits", visit, (None, len(SEQUENCE)))
        require_shape("Features", "node", self.node, (len(self.mean), len(NODE)))
        require_shape("Features", "context", self.context, (len(CONTEXT),))
        require_shape("Features", "sigma", self.sigma, self.mean.shape)

    def flipped(self) -> "Features":
        """Return the same planet with time running backwards: physics knows no direction of a transit."""
        sign = np.ones(len(SEQUENCE), dtype=np.float32)
        sign[[SEQUENCE.index("time"), SEQUENCE.index("phase")]] = -1.0
        node, context = self.node.copy(), self.context.copy()
        odd = ("slope", "step")
        node[:, [NODE.index(name) for name in odd]] *= -1.0
        context[[CONTEXT.index(f"{channel}_{name}") for channel in ("fgs1", "airs") for name in odd]] *= -1.0
        context[CONTEXT.index("mid_time")] *= -1.0
        return replace(self, visits=tuple(visit[::-1] * sign for visit in self.visits), node=node, context=context)


def planet_features(
    planet: Planet,
    visits: Sequence[VisitFeatures],
    fitted: tuple[np.ndarray, np.ndarray],
    answer: tuple[np.ndarray, np.ndarray],
    follow: np.ndarray,
    population: tuple[np.ndarray, np.ndarray],
    wavelength: np.ndarray,
) -> Features:
    """Join the visits of a planet with what fit and prior say of its spectrum.

    Args:
        visits: at least one; their node and context features are averaged.
        fitted: depth and its standard error (n_wavelength,) of all visits together, before the prior.
        answer: mean and sigma (n_wavelength,) after the prior.
        follow: (n_wavelength, 2), how the answer follows an error of all depths of FGS1, of AIRS-CH0.
        population: mean and spread (n_wavelength,) of the labels the prior was learned from.
        wavelength: (n_wavelength,) [um].
    """
    mean, sigma = answer
    depth, fit_sigma = fitted
    fgs1 = is_fgs1(wavelength)
    level, level_sigma = _level(mean, fgs1), _level(sigma, fgs1)

    own = np.column_stack(
        [
            (depth - mean) / fit_sigma,
            (mean / level - 1.0) / _SHAPE,
            (depth / level - 1.0) / _SHAPE,
            np.log(sigma / level),
            np.log(fit_sigma / level),
            fgs1,
            np.log(wavelength),
        ]
    )
    prior_level, prior_spread = _level(population[0], fgs1), _level(population[1], fgs1)
    context = [
        *_system_context(planet),
        math.log(level),
        (level - prior_level) / prior_spread,
        math.log(level_sigma / level),
        float(mean[fgs1].mean() / level - 1.0) / _SHAPE if fgs1.any() else 0.0,
        float(len(visits)),
    ]
    return Features(
        planet_id=planet.planet_id,
        visits=tuple(visit.sequence for visit in visits),
        node=np.nan_to_num(
            np.column_stack([_expected(visits, answer, follow, level), own, np.mean([v.node for v in visits], axis=0)])
        ).astype(np.float32),
        context=np.nan_to_num(np.array([*context, *np.mean([v.context for v in visits], axis=0)])).astype(np.float32),
        mean=mean,
        sigma=sigma,
    )


def _expected(
    visits: Sequence[VisitFeatures], answer: tuple[np.ndarray, np.ndarray], follow: np.ndarray, level: float
) -> np.ndarray:
    """Return the channels ``EXPECTED`` of all wavelengths, (n_wavelength, 4)."""
    sigma = answer[1]
    error, variance = np.mean([visit.stray_noise for visit in visits], axis=0).T
    pulls = np.column_stack([follow @ error, follow * (_SCALE_ERROR * level)]) / sigma[:, None]
    scatter = np.minimum(follow**2 @ variance / len(visits) / sigma**2, _LARGEST_PULL**2)
    return np.column_stack([pulls.clip(-_LARGEST_PULL, _LARGEST_PULL), 0.5 * np.log1p(scatter)])


def _level(values: np.ndarray, fgs1: np.ndarray) -> float:
    """Return the mean over AIRS-CH0, or over what there is."""
    return max(1e-6, float(values[~fgs1].mean() if (~fgs1).any() else values.mean()))


def _system_context(planet: Planet) -> list[float]:
    """Return star and published orbit; typical values where the table has none."""
    star, orbit = planet.star, planet.orbit
    numbers = [0.2, 0.1, 5.8] if star is None else [math.log(star.radius), math.log(star.mass), star.temperature / 1e3]
    numbers.append(math.log(planet.mass) if planet.mass and planet.mass > 0 else 0.0)
    if orbit is None:
        return [*numbers, 4.0, 2.3, 0.3]
    impact = orbit.semi_major_axis * abs(math.cos(math.radians(orbit.inclination)))
    return [*numbers, orbit.period, math.log(max(orbit.semi_major_axis, 1.0)), min(impact, 2.0)]
