"""Noise measured on the residuals: never less than what photons and reads give.

Three departures from the expected noise are looked for (Pont, Zucker & Queloz 2006; Carter & Winn 2009):

- scatter: a wavelength's residuals scatter more than their errors say; neighbours scatter alike, so the ratio is
  smoothed over wavelength and single bad wavelengths stand out;
- common noise: the mean over a channel scatters more than independent wavelengths would (pointing, gain);
- correlation in time: means over blocks of 10-30 minutes scatter more than the scatter of single times says, after
  allowing for what the fit has absorbed: white residuals r = (1 - Q Q') e have block means of variance
  tr(B B') - |B Q|^2, B the averaging and Q the fitted directions.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from spectramind_kit.fitting.curve_model import CurveModel, Linearisation
from spectramind_kit.robust_statistics import MAD_TO_SIGMA, lower_median, shrunk_excess

_LEAST_SPREAD = 0.3
"""Floor of the robust scatter that outliers are counted in [sigma], however quiet the other points are."""
_SMOOTHED_OVER = 31
"""Wavelengths whose scatter is taken together."""
_BLOCK_SECONDS = (600.0, 1200.0, 1800.0)
_FEWEST_BLOCKS = 6


@dataclass(frozen=True)
class ChannelNoise:
    """Noise that the wavelengths of a channel share.

    Attributes:
        excess: variance of the channel's mean over that of independent wavelengths, correlation in time included, >= 1.
        correlation: the part of it that grows with averaging in time, as a ratio of standard deviations.
    """

    excess: float
    correlation: float


def scatter_ratio(residual: np.ndarray, weight: np.ndarray, airs: np.ndarray) -> np.ndarray:
    """Return measured over expected scatter from one time to the next, (n_curve,), at least 1; 1 without weight.

    Slower changes are no scatter: they have a model of their own (``noise_modes``).

    Args:
        residual: (n_curve, n_time) [1].
        weight: (n_curve, n_time) inverse variance, zero where a point is not used.
        airs: (n_curve,) True where the curve has neighbours to be smoothed with.
    """
    both = (weight[:, 1:] > 0) & (weight[:, :-1] > 0)
    variance = np.where(weight > 0, 1.0 / np.where(weight > 0, weight, 1.0), 0.0)
    square = (residual[:, 1:] - residual[:, :-1]) ** 2 / np.where(both, variance[:, 1:] + variance[:, :-1], np.inf)
    n = np.maximum(both.sum(axis=1), 1)
    single = np.sqrt(square.sum(axis=1) / n)
    ratio, measured = single.copy(), airs & both.any(axis=1)
    if measured.sum() > _SMOOTHED_OVER:
        smooth = median_filter(single[measured], size=_SMOOTHED_OVER, mode="nearest")
        error = smooth * np.sqrt(0.75 / n[measured])  # of a standard deviation from so many differences
        ratio[measured] = np.where(single[measured] > smooth + 4.0 * error, single[measured], smooth)
    return np.where(both.any(axis=1), np.maximum(ratio, 1.0), 1.0)


def outliers(residual: np.ndarray, weight: np.ndarray, groups: list[np.ndarray], sigma: float) -> np.ndarray:
    """Return True where a residual, or the mean residual of its channel at that time, is far off.

    Args:
        residual: (n_curve, n_time) [1].
        weight: (n_curve, n_time) inverse variance.
        groups: boolean (n_curve,) per channel.
        sigma: how far, in robust standard deviations.
    """
    standardised = np.abs(residual) * np.sqrt(weight)
    spread = MAD_TO_SIGMA * _median_of_used(standardised, weight > 0)
    far = standardised > sigma * np.maximum(spread, _LEAST_SPREAD)[:, None]
    # Single outliers leave first: one of them must not make a whole time look like one.
    kept = np.where(far, 0.0, weight)
    for group in groups:
        total = kept[group].sum(axis=0)
        mean = np.abs((kept[group] * residual[group]).sum(axis=0)) / np.sqrt(np.maximum(total, 1e-300))
        spread = MAD_TO_SIGMA * _median_of_used(mean[None], total[None] > 0)
        far[group] |= mean > sigma * np.maximum(spread, _LEAST_SPREAD)
    return far


def _median_of_used(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    return np.nan_to_num(lower_median(np.where(used, values, np.nan), axis=1), nan=1.0)


def channel_noise(model: CurveModel, at: Linearisation, group: np.ndarray, bin_seconds: float) -> ChannelNoise:
    """Measure common and time-correlated noise on the mean residual of one channel.

    Args:
        model: with the weights of the fit.
        at: the model at the end of the fit.
        group: boolean (n_curve,) of the channel.
        bin_seconds: time between points [s].
    """
    standardised, fitted = _white_residual(model, at, group)
    single, freedom = _block_variance(standardised, fitted, 1)
    single = shrunk_excess(single, freedom)
    lengths = [round(seconds / bin_seconds) for seconds in _BLOCK_SECONDS]
    blocks = [
        _block_variance(standardised, fitted, n) for n in lengths if n > 1 and len(standardised) // n >= _FEWEST_BLOCKS
    ]
    measured = single
    if blocks:
        # Block lengths share their data, so they count as one measurement of average freedom and not as several.
        freedom = np.array([f for _, f in blocks])
        ratio = float(np.average([r for r, _ in blocks], weights=freedom)) / single
        measured = single * shrunk_excess(ratio, float(freedom.mean()))
    return ChannelNoise(measured, float(np.sqrt(measured / single)))


def _white_residual(model: CurveModel, at: Linearisation, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean residual of one channel in expected standard deviations (n_time,), and what the fit absorbed.

    That is an orthonormal basis (n_time, rank) of the fitted directions.
    """
    weight = model.weight[group]
    inverse_sigma = np.sqrt(np.maximum(weight.sum(axis=0), 1e-300))
    standardised = (weight * at.residual[group]).sum(axis=0) / inverse_sigma
    return standardised, _orthonormal((weight[:, None] * at.jacobian[group]).sum(axis=0) / inverse_sigma)


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (n_time, rank) of the rows of ``columns``."""
    # Rows of length one first: they are levels, seconds and radii, and the cut in singular values knows no units.
    length = np.linalg.norm(columns, axis=1, keepdims=True)
    u, s, _ = np.linalg.svd((columns / np.maximum(length, 1e-300)).T, full_matrices=False)
    return u[:, s > 1e-6 * s[0]]


def _block_variance(standardised: np.ndarray, fitted: np.ndarray, n: int) -> tuple[float, float]:
    """Return variance over white expectation of the means of blocks of n times, and its degrees of freedom."""
    n_block = len(standardised) // n
    blocks = standardised[: n_block * n].reshape(n_block, n).mean(axis=1)
    directions = fitted[: n_block * n].reshape(n_block, n, -1).mean(axis=1)
    freedom = n_block - n * float((directions**2).sum())
    return float((blocks**2).sum()) * n / max(freedom, 1.0), max(freedom, 1.0)
