"""The prior of transmission spectra, learned from labelled planets.

A spectrum is a level times one plus a shape, d = L (1 + s). The level is as free as the population is wide. The shape
is Gaussian with one of two covariances: the sample covariance of the training shapes, shrunk towards a smooth
kernel by as much as held-out training shapes ask for, or the smooth kernel alone,

    k(x, x') = a^2 sum_i w_i exp(-(x - x')^2 / (2 l_i^2)) + nugget,   x = ln wavelength,

in which FGS1 has an offset of its own. Each comes with an amplitude from a grid, because atmospheres differ in scale
height and a test planet may carry a molecule that no training planet had. For each the posterior has a closed form;
the result is their mixture, weighted by evidence (Rasmussen & Williams 2006, ch. 2 and 5.4).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, solve_triangular

from spectramind_kit.errors import FitError
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.shapes import require_shape

_AMPLITUDES = np.array([0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
_USUAL_SPREAD = 1.0
"""Prior spread of the logarithm of the amplitude where training planets are too few, and for planets unlike them."""
_UNLIKE = 0.1
"""Prior probability that a planet's amplitude is not one of the training planets'."""
_KERNEL = ((0.6, 0.12), (0.3, 0.04), (0.1, 0.015))
"""Weights and lengths in ln(wavelength) of the smooth kernel: molecular bands, their structure, single lines."""
_NUGGET = 0.02
"""Standard deviation of what is not smooth, in amplitudes."""
_USUAL_AMPLITUDE, _USUAL_FGS1_OFFSET = 0.01, 0.015
"""Relative size of shapes where training planets are too few: some scale heights of a hot giant's atmosphere."""
_USUAL_LEVEL_SPREAD = 0.0107
"""Spread of the mean depths of the 2025 planets [(Rp/Rs)^2]."""
_KERNEL_WEIGHT = 10.0
"""Prior weight of the smooth kernel against the sample covariance, in planets, where training planets are too few."""
_KERNEL_WEIGHTS = (1.0, 3.0, 10.0, 30.0)
"""Prior weights that training planets may choose from."""
_RESOLVED = 0.01
"""Noise of one wavelength of a usual light curve, relative to the depth [1]: finer shapes do not enter the choice."""
_N_FOLD = 5
_FLAT_WEIGHT = 3.0
"""Prior weight of a flat mean shape, in planets."""
_FEWEST_FOR_SPREAD = 8
_LEAST_SPREAD = 0.3
"""Of the logarithm of the amplitude."""
_SMALLEST_LEVEL = 1e-5
_IMPOSSIBLE = 1e-4
"""Probability relative to the best below which a family no longer counts."""


@dataclass(frozen=True, eq=False)
class SpectrumPrior:
    """The population of spectra.

    Attributes:
        wavelength: (n,) [um].
        level_mean: of the mean AIRS-CH0 depth [(Rp/Rs)^2].
        level_variance: of the mean AIRS-CH0 depth.
        shape_mean: (n,) of the learned family, relative to the level [1].
        shape_covariance: (n, n) of the learned family, relative to the level [1].
        smooth_covariance: (n, n) of the family that assumes smoothness only [1].
        learned_weight: prior probability of the learned family.
        log_amplitude: mean and standard deviation of ln(amplitude) over the training planets [1].
    """

    wavelength: np.ndarray
    level_mean: float
    level_variance: float
    shape_mean: np.ndarray
    shape_covariance: np.ndarray
    smooth_covariance: np.ndarray
    learned_weight: float
    log_amplitude: tuple[float, float] = (0.0, _USUAL_SPREAD)

    def __post_init__(self):
        n = len(self.wavelength)
        require_shape("SpectrumPrior", "shape_mean", self.shape_mean, (n,))
        require_shape("SpectrumPrior", "shape_covariance", self.shape_covariance, (n, n))
        require_shape("SpectrumPrior", "smooth_covariance", self.smooth_covariance, (n, n))

    def posterior(self, depth: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Combine measured depths with the prior.

        Args:
            depth: (n,) measured [(Rp/Rs)^2].
            covariance: (n, n) of its errors.

        Returns:
            Mean (n,) and covariance (n, n) of the spectrum.

        Raises:
            FitError: if the measurement is not finite or its covariance not positive definite.
        """
        total, parts = np.zeros_like(covariance), []
        for weight, hypothesis in self._possible(depth, covariance):
            own, spread, _, inner = hypothesis.given(depth, covariance)
            total += weight * (spread - inner.T @ inner)
            parts.append((weight, own))
        mean = np.sum([weight * own for weight, own in parts], axis=0)
        # Moments of the mixture: where families disagree about the mean, that is variance too.
        total += np.sum([weight * np.outer(own - mean, own - mean) for weight, own in parts], axis=0)
        return mean, 0.5 * (total + total.T)

    def marginals(
        self, depth: np.ndarray, covariance: np.ndarray, errors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what a submission needs of the posterior, at a seventh of its price.

        Args:
            depth: (n,) measured [(Rp/Rs)^2].
            covariance: (n, n) of its errors.
            errors: (n, n_error) patterns of errors of the measured depths.

        Returns:
            Mean and variance (n,), and the change of the mean by each pattern (n, n_error) at fixed weights.

        Raises:
            FitError: if the measurement is not finite or its covariance not positive definite.
        """
        variance, change, parts = np.zeros(len(depth)), np.zeros(errors.shape), []
        for weight, hypothesis in self._possible(depth, covariance):
            own, spread, factor, inner = hypothesis.given(depth, covariance)
            variance += weight * (np.diag(spread) - (inner**2).sum(axis=0))
            change += weight * (inner.T @ _solved(factor, errors))
            parts.append((weight, own))
        mean = np.sum([weight * own for weight, own in parts], axis=0)
        # Where families disagree about the mean, that is variance too.
        return mean, variance + np.sum([weight * (own - mean) ** 2 for weight, own in parts], axis=0), change

    def log_probability(self, depth: np.ndarray, covariance: np.ndarray) -> float:
        """Return the logarithm of the probability density of measured depths [nat].

        Args:
            depth: (n,) measured [(Rp/Rs)^2].
            covariance: (n, n) of its errors.
        """
        evidence = [tried.log_evidence for tried in self._tried(depth, covariance)]
        return float(np.logaddexp.reduce(evidence)) - 0.5 * len(depth) * float(np.log(2.0 * np.pi))

    def _possible(self, depth: np.ndarray, covariance: np.ndarray) -> list[tuple[float, "_Hypothesis"]]:
        """Return the families and amplitudes that a measurement leaves possible, with their probabilities."""
        if not (np.isfinite(depth).all() and np.isfinite(covariance).all()):
            raise FitError("measured depths", wanted="finite numbers", got="NaN or inf")
        tried = self._tried(depth, covariance)
        evidence = np.array([each.log_evidence for each in tried])
        weight = np.exp(evidence - evidence.max())
        weight[weight < _IMPOSSIBLE] = 0.0
        weight /= weight.sum()
        return [(float(w), each) for w, each in zip(weight, tried) if w > 0.0]

    def _level(self, depth: np.ndarray, covariance: np.ndarray) -> float:
        """Return the level that shapes are scaled with: the measured one, shrunk to the population's if uncertain."""
        airs = ~is_fgs1(self.wavelength) if not is_fgs1(self.wavelength).all() else np.ones(len(depth), dtype=bool)
        weight = airs / np.diag(covariance)
        weight /= weight.sum()
        variance = weight @ covariance @ weight
        gain = self.level_variance / (self.level_variance + variance)
        return max(_SMALLEST_LEVEL, float(gain * (weight @ depth) + (1.0 - gain) * self.level_mean))

    def _tried(self, depth: np.ndarray, covariance: np.ndarray) -> list["_Hypothesis"]:
        """Return every family at every amplitude, and how probable it makes measured depths."""
        level, tried = self._level(depth, covariance), []
        for probability, mean, shape in (
            (self.learned_weight, self.shape_mean, self.shape_covariance),
            (1.0 - self.learned_weight, np.zeros(len(self.wavelength)), self.smooth_covariance),
        ):
            flat = 1.0 + mean
            # d = L (1 + s): an error of L scales the mean shape, and shapes are scaled with a level held fixed, so that
            # the sum stays Gaussian.
            free_level = self.level_variance * np.outer(flat, flat)
            expected, unscaled = self.level_mean * flat, free_level + covariance
            for amplitude, of_amplitude in zip(_AMPLITUDES, _amplitude_probability(*self.log_amplitude)):
                scale = (level * amplitude) ** 2
                factor = _factor(unscaled + scale * shape)
                white = _solved(factor, depth - expected)
                evidence = np.log(probability * of_amplitude) - 0.5 * white @ white - np.log(np.diag(factor)).sum()
                tried.append(_Hypothesis(float(evidence), expected, free_level, scale, shape))
        return tried


def _amplitude_probability(mean: float, spread: float) -> np.ndarray:
    """Return the prior probability of every amplitude of the grid: lognormal, with a wide part for unlike planets."""
    parts = [(1.0 - _UNLIKE, mean, spread), (_UNLIKE, 0.0, _USUAL_SPREAD)]
    total = np.zeros(len(_AMPLITUDES))
    for weight, centre, width in parts:
        density = np.exp(-0.5 * ((np.log(_AMPLITUDES) - centre) / width) ** 2)
        total += weight * density / density.sum()
    return total


def learn_spectrum_prior(spectra: np.ndarray, wavelength: np.ndarray) -> SpectrumPrior:
    """Learn the prior from labelled spectra; one is enough, many make it sharp.

    Args:
        spectra: (n_planet, n_wavelength) [(Rp/Rs)^2], noise-free.
        wavelength: (n_wavelength,) [um].

    Raises:
        FitError: without a finite spectrum of positive level.
    """
    require_shape("learn_spectrum_prior", "spectra", spectra, (None, len(wavelength)))
    fgs1 = is_fgs1(wavelength)
    airs = ~fgs1 if not fgs1.all() else fgs1
    good = np.isfinite(spectra).all(axis=1)
    good &= np.where(good, np.nan_to_num(spectra)[:, airs].mean(axis=1), -1.0) > 0
    n_planet = int(good.sum())
    if n_planet == 0:
        raise FitError("training spectra", wanted="a finite spectrum of positive level", got=f"none of {len(spectra)}")
    levels = spectra[good][:, airs].mean(axis=1)
    shapes = spectra[good] / levels[:, None] - 1.0

    shape_mean = shapes.sum(axis=0) / (n_planet + _FLAT_WEIGHT)
    smooth = _smooth_covariance(wavelength, shapes)
    shape_covariance = _shrunk_covariance(shapes, smooth, _kernel_weight(shapes, smooth))
    level_variance = float(np.var(levels))
    if n_planet < _FEWEST_FOR_SPREAD:
        level_variance = max(level_variance, _USUAL_LEVEL_SPREAD**2)
    return SpectrumPrior(
        wavelength=np.asarray(wavelength, dtype=np.float64),
        level_mean=float(levels.mean()),
        level_variance=level_variance,
        shape_mean=shape_mean,
        shape_covariance=shape_covariance * (n_planet + 1.0) / n_planet,  # the mean is uncertain as well
        smooth_covariance=smooth,
        learned_weight=n_planet / (n_planet + 2.0) * 0.95,
        log_amplitude=_log_amplitude(shapes),
    )


def _shrunk_covariance(shapes: np.ndarray, smooth: np.ndarray, weight: float) -> np.ndarray:
    """Return the covariance of shapes (n_planet, n) around their mean, shrunk towards the smooth kernel."""
    offset = shapes - shapes.sum(axis=0) / (len(shapes) + _FLAT_WEIGHT)
    return (offset.T @ offset + weight * smooth) / (len(shapes) + weight)


def _kernel_weight(shapes: np.ndarray, smooth: np.ndarray) -> float:
    """Return the prior weight of the smooth kernel under which held-out training shapes are most probable.

    Too much of it leaves the prior wider than the population, and all sigmas with it.
    """
    if len(shapes) < _FEWEST_FOR_SPREAD:
        return _KERNEL_WEIGHT
    fold = np.arange(len(shapes)) % _N_FOLD
    evidence = np.zeros(len(_KERNEL_WEIGHTS))
    for held_out in range(_N_FOLD):
        known = shapes[fold != held_out]
        tried = shapes[fold == held_out] - known.sum(axis=0) / (len(known) + _FLAT_WEIGHT)
        for place, weight in enumerate(_KERNEL_WEIGHTS):
            evidence[place] += _log_probability(tried, _shrunk_covariance(known, smooth, weight))
    return _KERNEL_WEIGHTS[int(np.argmax(evidence))]


def _log_amplitude(shapes: np.ndarray) -> tuple[float, float]:
    """Return mean and spread of the logarithm of the size of shapes (n_planet, n), in that of their covariance.

    Most planets have flatter spectra than the root mean square says, which a few puffed-up ones make.
    """
    if len(shapes) < _FEWEST_FOR_SPREAD:
        return 0.0, _USUAL_SPREAD
    power = (shapes**2).mean(axis=1)
    size = 0.5 * np.log(np.maximum(power / max(power.mean(), 1e-300), _AMPLITUDES[0] ** 2))
    return float(size.mean()), float(max(size.std(), _LEAST_SPREAD))


def _log_probability(shapes: np.ndarray, covariance: np.ndarray) -> float:
    """Return the log probability of shapes (n_planet, n), each at an amplitude of its own from the grid."""
    factor = cho_factor(covariance + _RESOLVED**2 * np.eye(len(covariance)), lower=True)
    power = np.einsum("pi,ip->p", shapes, cho_solve(factor, shapes.T))[:, None]
    # An amplitude scales the whole covariance, the resolved noise with it: one factorisation serves the grid.
    n, log = shapes.shape[1], np.log(_AMPLITUDES)
    terms = -0.5 * power / _AMPLITUDES**2 - n * log - 0.5 * (log / _USUAL_SPREAD) ** 2
    per_planet = np.logaddexp.reduce(terms, axis=1)
    return float(per_planet.sum() - len(shapes) * np.log(np.diag(factor[0])).sum())


def _smooth_covariance(wavelength: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Return the smooth kernel with the amplitudes of the training shapes, or usual ones where they are too few."""
    fgs1 = is_fgs1(wavelength)
    usual = max(0.0, _FEWEST_FOR_SPREAD - len(shapes)) / _FEWEST_FOR_SPREAD  # weight of the usual ones
    variance = (shapes**2).mean(axis=0)
    amplitude2 = (1 - usual) * (variance[~fgs1].mean() if (~fgs1).any() else 0.0) + usual * _USUAL_AMPLITUDE**2
    offset2 = (1 - usual) * (variance[fgs1].mean() if fgs1.any() else 0.0) + usual * _USUAL_FGS1_OFFSET**2
    amplitude2, offset2 = max(amplitude2, 1e-8), max(offset2, 1e-8)
    x = np.log(wavelength)
    distance2 = (x[:, None] - x) ** 2
    correlation = np.zeros_like(distance2)
    for weight, length in _KERNEL:
        correlation = correlation + weight * np.exp(-distance2 / (2.0 * length**2))
    kernel = amplitude2 * correlation
    # FGS1 lies far from AIRS-CH0 in wavelength: no length of the kernel reaches from one to the other.
    kernel[np.ix_(fgs1, ~fgs1)] = 0.0
    kernel[np.ix_(~fgs1, fgs1)] = 0.0
    kernel[np.ix_(fgs1, fgs1)] = offset2
    return kernel + _NUGGET**2 * np.diag(np.where(fgs1, offset2, amplitude2))


class _Hypothesis(NamedTuple):
    """One family at one amplitude.

    Attributes:
        log_evidence: of a measurement, its prior probability included.
        expected: (n,) spectrum.
        free_level: (n, n), covariance of the level.
        scale: of the shape's covariance.
        shape: (n, n), covariance of shapes.
    """

    log_evidence: float
    expected: np.ndarray
    free_level: np.ndarray
    scale: float
    shape: np.ndarray

    def given(self, depth: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return mean (n,), prior spread (n, n), factor (n, n) of the depths' covariance, and factor^-1 spread.

        The factor is made anew: fourteen of them at hand cost more in fresh memory than those that count in time.
        """
        spread = self.free_level + self.scale * self.shape
        factor = _factor(spread + covariance)
        inner = _solved(factor, spread)
        return self.expected + inner.T @ _solved(factor, depth - self.expected), spread, factor, inner


def _factor(covariance: np.ndarray) -> np.ndarray:
    """Return the lower Cholesky factor of a covariance (n, n) that the caller gives away."""
    try:
        # Its transpose, the same matrix, lies in memory as LAPACK wants it: nothing is copied.
        return cholesky(covariance.T, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        raise FitError("covariance of measured depths", wanted="positive definite", got=str(error)) from error


def _solved(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return factor^-1 right for a lower factor (n, n) that is known to be finite."""
    return solve_triangular(factor, right, lower=True, check_finite=False)
