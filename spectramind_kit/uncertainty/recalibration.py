"""Recalibration: a factor on sigma learned from held-out planets, by sigma itself, wavelength and quality flags.

    ln factor = c + s x + w y + f flagged,   x = ln(sigma / population spread) - its mean,   y in [-1, 1] over the band,

with coefficients of its own for FGS1 and for AIRS-CH0 (w = 0 for FGS1). They maximise the Gaussian likelihood of the
held-out errors, sum(-ln factor - z^2 / (2 factor^2)), which is concave in them, every planet counting once however many
wavelengths it has, because these err together. c is shrunk towards an assumed factor, the others towards zero: with few
planets this is one factor per channel, and the assumed one with none.

The new sigma grows with the old one (s > -1), a flag never narrows (f >= 0), x is not extrapolated. Two things keep it
from being optimistic: what cross-validation inside the training planets finds too narrow beyond chance, for many
and not for a wild one alone, is widened, and a factor below one counts only by as much as their number proves.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.robust_statistics import shrunk_excess
from spectramind_kit.settings.uncertainty import UncertaintyConfig
from spectramind_kit.shapes import require_shape

GROUPS = (slice(0, 1), slice(1, None))
"""FGS1 and AIRS-CH0 on the wavelength axis."""
_CONSTANT, _SLOPE, _COLOUR, _FLAG = range(4)
_BOUNDS = ((-3.0, 3.0), (-0.5, 0.5), (-0.3, 0.3), (0.0, 1.5))
_SCATTER = np.array([0.0, 0.1, 0.05, 0.15])
"""Prior scatter of all coefficients but the constant; a planet's z^2 gives the logarithm of a factor to 0.7."""
_N_FOLD = 5
_FEWEST_FLAGGED = 4
_ONE_SIGMA = 0.6827


@dataclass(frozen=True, eq=False)
class Recalibration:
    """The learned factor.

    Attributes:
        coefficients: (n_group, 4) constant, slope, colour, flag.
        centre: (n_group,) mean ln(sigma / spread) of the training planets, from which x counts.
        limits: (n_group, 2) lowest and highest x that the training planets had.
    """

    coefficients: np.ndarray
    centre: np.ndarray
    limits: np.ndarray

    def __post_init__(self):
        require_shape("Recalibration", "coefficients", self.coefficients, (len(GROUPS), 4))
        require_shape("Recalibration", "centre", self.centre, (len(GROUPS),))
        require_shape("Recalibration", "limits", self.limits, (len(GROUPS), 2))

    def factor(self, sigma: np.ndarray, spread: np.ndarray, flagged: bool) -> np.ndarray:
        """Return the factor on a planet's sigmas.

        Args:
            sigma: (n_wavelength,) before it is scaled, in the unit of ``spread``.
            spread: (n_wavelength,) of the population.
            flagged: whether the planet carries a quality flag.
        """
        result = np.empty(len(sigma))
        for g, group in enumerate(GROUPS):
            x = np.clip(np.log(sigma[group] / spread[group]) - self.centre[g], *self.limits[g])
            result[group] = np.exp(_terms(x[None], np.array([flagged]))[0] @ self.coefficients[g])
        return result


def no_recalibration() -> Recalibration:
    """Return the factor one."""
    n = len(GROUPS)
    return Recalibration(np.zeros((n, 4)), np.zeros(n), np.zeros((n, 2)))


def learn_recalibration(
    z: np.ndarray, sigma: np.ndarray, spread: np.ndarray, flagged: np.ndarray, config: UncertaintyConfig
) -> Recalibration:
    """Learn the factor from held-out planets.

    Args:
        z: standardised errors (n_planet, n_wavelength); n_planet may be 0.
        sigma: (n_planet, n_wavelength) of the same predictions, in the unit of ``spread``.
        spread: (n_wavelength,) of the population.
        flagged: (n_planet,) bool, whether a planet carries a quality flag.
        config: the assumed factor and its weight, the smallest factor.
    """
    if not config.scale_sigma:
        return no_recalibration()
    coefficients, centre, limits = (np.zeros((len(GROUPS), k)) for k in (4, 1, 2))
    coefficients[:, _CONSTANT] = max(np.log(config.prior_scale), np.log(config.minimum_scale))
    if len(z):
        for g, group in enumerate(GROUPS):
            x = np.log(sigma[:, group] / spread[group])
            centre[g] = x.mean()
            # Sigmas beyond those of nearly all training planets are taken for the last ones that were seen.
            limits[g] = np.quantile(x - centre[g], (0.02, 0.98))
            terms = _terms(np.clip(x - centre[g], *limits[g]), flagged)
            coefficients[g] = _never_optimistic(terms, z[:, group] ** 2, flagged, config)
    return Recalibration(coefficients, centre[:, 0], limits)


def _terms(x: np.ndarray, flagged: np.ndarray) -> np.ndarray:
    """Return what the coefficients multiply, (n_planet, n_wavelength, 4)."""
    n_planet, n = x.shape
    colour = np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(n)
    parts = (1.0, x, colour, np.asarray(flagged, dtype=float)[:, None])
    return np.stack([np.broadcast_to(part, (n_planet, n)) for part in parts], axis=2)


def _never_optimistic(terms: np.ndarray, z2: np.ndarray, flagged: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Return the most probable coefficients, widened where cross-validation finds them too narrow."""
    coefficients, n_planet = _most_probable(terms, z2, config), len(z2)
    if n_planet >= 2 * _N_FOLD:
        left = _held_out_power(terms, z2, config)
        widened = shrunk_excess(
            _power(left[~flagged] if (~flagged).any() else left), float((~flagged).sum() or n_planet)
        )
        coefficients[_CONSTANT] += 0.5 * np.log(widened)
        if flagged.sum() >= _FEWEST_FLAGGED:
            coefficients[_FLAG] += 0.5 * np.log(shrunk_excess(_power(left[flagged]) / widened, float(flagged.sum())))
    # A factor below one needs proof: it is known to 1 / sqrt(2 n), and half of that is given away.
    proven = coefficients[_CONSTANT] + 0.5 * np.sqrt(0.5 / n_planet)
    coefficients[_CONSTANT] = max(coefficients[_CONSTANT], min(0.0, proven), np.log(config.minimum_scale))
    return coefficients


def _power(left: np.ndarray) -> float:
    """Return how large the mean z^2 of planets is, not more than that of 68 % of them.

    One wild planet has widened every sigma as the most probable factor already; it must not do so twice.
    """
    return float(min(left.mean(), np.quantile(left, _ONE_SIGMA)))


def _held_out_power(terms: np.ndarray, z2: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Return the mean z^2 of every planet after a recalibration learned without it, (n_planet,)."""
    fold, power = np.arange(len(z2)) % _N_FOLD, np.empty(len(z2))
    for held_out in range(_N_FOLD):
        there = fold == held_out
        learned = _most_probable(terms[~there], z2[~there], config)
        power[there] = (z2[there] * np.exp(-2.0 * (terms[there] @ learned))).mean(axis=1)
    return power


def _most_probable(terms: np.ndarray, z2: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Return the coefficients that maximise likelihood and prior (4,)."""
    n_wavelength = z2.shape[1]
    assumed, weight = np.log(config.prior_scale), config.prior_planets
    precision = np.concatenate([[0.0], _SCATTER[1:] ** -2.0])

    def cost(c: np.ndarray) -> tuple[float, np.ndarray]:
        log_factor = terms @ c
        power = z2 * np.exp(-2.0 * log_factor)
        # The assumed factor enters as so many planets more whose z^2 asks for it.
        assumed_power = np.exp(2.0 * (assumed - c[_CONSTANT]))
        value = (log_factor + 0.5 * power).sum() / n_wavelength + weight * (c[_CONSTANT] + 0.5 * assumed_power)
        gradient = ((1.0 - power)[:, :, None] * terms).sum(axis=(0, 1)) / n_wavelength + precision * c
        gradient[_CONSTANT] += weight * (1.0 - assumed_power)
        return value + 0.5 * float(precision @ c**2), gradient

    from scipy.optimize import minimize  # here: it loads half of scipy, and predicting does not minimise

    return minimize(cost, np.array([assumed, 0.0, 0.0, 0.0]), jac=True, bounds=_BOUNDS, method="L-BFGS-B").x
