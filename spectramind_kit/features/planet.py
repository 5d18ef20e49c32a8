"""A planet as the network's input: its visits, a node per wavelength, and a context of single numbers.

The prediction of fit and prior travels along, because the network predicts how far from it the truth lies.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Planet
from spectramind_kit.shapes import require_shape

LINEAR_PREDICTORS = ("depth_bias", "fgs1_gain_response", "airs_gain_response", "ln_depth_bias_scatter")
"""Channels from which the correction is predicted linearly: the expected depth bias from correlated noise [sigma]; the
responses of the prediction to a gain error, depths 0.1 % too large in one channel [sigma]; and ln of the factor on
sigma that the variance of the depth bias asks for."""
NODE = (
    *LINEAR_PREDICTORS,
    *("fit_residual", "shape", "fit_shape", "ln_sigma", "ln_fit_sigma", "fgs1", "ln_wavelength"),
    *VISIT_NODE,
)
"""Channels of a wavelength's node."""
CONTEXT = (
    *("radius", "mass", "temperature", "planet_mass", "period", "axis", "table_impact"),
    *("ln_level", "level_residual", "ln_level_sigma", "channel_difference", "n_visit"),
    *VISIT_CONTEXT,
)
"""Single numbers of a planet."""
LARGEST_SHIFT, LARGEST_LN_FACTOR = 10.0, 2.0
"""How far a correction may go: the mean by so many sigmas of the fit, sigma by that in natural logarithms."""
LARGEST_INPUT = 6.0
"""Standardised inputs beyond are cut, so that a planet unlike all others cannot blow a prediction up."""
_GAIN_ERROR = 1e-3
"""Relative error of a channel's depths whose response the network is given [1]."""
_LARGEST_RESIDUAL = 10.0
"""Linear predictors beyond are cut [sigma]."""
_SHAPE = 0.02
"""Typical relative size of a spectrum's shape."""


@dataclass(frozen=True, eq=False)
class Features:
    """A planet as the network's input.

    Attributes:
        planet_id: of the planet.
        visits: (n_time, len(SEQUENCE)) float32 each; visits may differ in length.
        node: (n_wavelength, len(NODE)) float32.
        context: (len(CONTEXT),) float32.
        mean: (n_wavelength,) predicted by fit and prior [(Rp/Rs)^2], which the network corrects.
        sigma: (n_wavelength,) of that prediction [(Rp/Rs)^2].
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
        """Return the same planet with time reversed: physics knows no direction of a transit."""
        sign = np.ones(len(SEQUENCE), dtype=np.float32)
        sign[[SEQUENCE.index("time"), SEQUENCE.index("phase")]] = -1.0
        node, context = self.node.copy(), self.context.copy()
        # Projections on the odd templates change sign; those on the even ones, and all scatters, stay.
        antisymmetric = ("slope", "jump")
        node[:, [NODE.index(name) for name in antisymmetric]] *= -1.0
        names = [f"{channel}_{name}" for channel in ("fgs1", "airs") for name in antisymmetric]
        context[[CONTEXT.index(name) for name in names]] *= -1.0
        context[CONTEXT.index("mid_time")] *= -1.0
        return replace(self, visits=tuple(visit[::-1] * sign for visit in self.visits), node=node, context=context)


def planet_features(
    planet: Planet,
    visits: Sequence[VisitFeatures],
    fitted: tuple[np.ndarray, np.ndarray],
    prediction: tuple[np.ndarray, np.ndarray],
    mean_jacobian: np.ndarray,
    population: tuple[np.ndarray, np.ndarray],
    wavelength: np.ndarray,
) -> Features:
    """Collect the visits of a planet, and its spectrum by fit and prior.

    Args:
        planet: star and published orbit.
        visits: at least one; their node and context features are averaged.
        fitted: depth and its standard error (n_wavelength,) of all visits together, before the prior [(Rp/Rs)^2].
        prediction: mean and sigma (n_wavelength,) after the prior [(Rp/Rs)^2].
        mean_jacobian: (n_wavelength, 2) Jacobian of the posterior mean with respect to a common error of all measured
            depths of FGS1, of AIRS-CH0 [1].
        population: mean and spread (n_wavelength,) of the labels the prior was learned from [(Rp/Rs)^2].
        wavelength: (n_wavelength,) [um].
    """
    mean, sigma = prediction
    depth, fit_sigma = fitted
    fgs1 = is_fgs1(wavelength)
    level, level_sigma = _level(mean, fgs1), _level(sigma, fgs1)
    # Relative to the planet's own level: a network of few planets cannot learn that shallow and deep ones are alike.
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
    linear = _linear_predictors(visits, sigma, mean_jacobian, level)
    return Features(
        planet_id=planet.planet_id,
        visits=tuple(visit.sequence for visit in visits),
        node=np.nan_to_num(np.column_stack([linear, own, np.mean([v.node for v in visits], axis=0)])).astype(
            np.float32
        ),
        context=np.nan_to_num(np.array([*context, *np.mean([v.context for v in visits], axis=0)])).astype(np.float32),
        mean=mean,
        sigma=sigma,
    )


def _linear_predictors(
    visits: Sequence[VisitFeatures], sigma: np.ndarray, mean_jacobian: np.ndarray, level: float
) -> np.ndarray:
    """Return the channels ``LINEAR_PREDICTORS`` of all wavelengths, (n_wavelength, 4).

    A visit's depth bias is an error of the measured depths. The posterior passes on only part of it, which differs
    from wavelength to wavelength: the Jacobian takes it to the predicted mean.
    """
    error, variance = np.mean([visit.depth_bias for visit in visits], axis=0).T
    shifts = np.column_stack([mean_jacobian @ error, mean_jacobian * (_GAIN_ERROR * level)]) / sigma[:, None]
    # Biases of several visits are independent: the variance of their mean falls with their number.
    scatter = np.minimum(mean_jacobian**2 @ variance / len(visits) / sigma**2, _LARGEST_RESIDUAL**2)
    return np.column_stack([shifts.clip(-_LARGEST_RESIDUAL, _LARGEST_RESIDUAL), 0.5 * np.log1p(scatter)])


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
