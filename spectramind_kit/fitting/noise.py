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
from spectramind_kit.fitting.gauss_newton import Eliminated, NormalEquations, eliminate, solve_scaled
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


def scatter_ratio(residual: np.ndarray, weight: np.ndarray, n_fitted: np.ndarray, airs: np.ndarray) -> np.ndarray:
    """Return measured over expected scatter, (n_curve,), at least 1; 1 where there is no weight.

    Args:
        residual: (n_curve, n_time) [1].
        weight: (n_curve, n_time) inverse variance, zero where a point is not used.
        n_fitted: (n_curve,) parameters to subtract from the number of points.
        airs: (n_curve,) True where the curve has neighbours to be smoothed with.
    """
    used = (weight > 0).sum(axis=1)
    freedom = np.maximum(used - n_fitted, 1.0)
    single = np.sqrt((weight * residual**2).sum(axis=1) / freedom)
    ratio = single.copy()
    measured = airs & (used > 0)
    if measured.sum() > _SMOOTHED_OVER:
        smooth = median_filter(single[measured], size=_SMOOTHED_OVER, mode="nearest")
        error = smooth / np.sqrt(2.0 * freedom[measured])  # of a standard deviation from so many points
        ratio[measured] = np.where(single[measured] > smooth + 4.0 * error, single[measured], smooth)
    return np.where(used > 0, np.maximum(ratio, 1.0), 1.0)


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
    standardised, _, fitted = white_residual(model, at, group)
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


def white_residual(
    model: CurveModel, at: Linearisation, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean residual of one channel and what the fit has absorbed of it.

    Returns:
        Standardised residual (n_time,), inverse of the expected standard deviation (n_time,), and an orthonormal basis
        (n_time, rank) of the fitted directions.
    """
    weight = model.weight[group]
    inverse_sigma = np.sqrt(np.maximum(weight.sum(axis=0), 1e-300))
    standardised = (weight * at.residual[group]).sum(axis=0) / inverse_sigma
    fitted = (weight[:, None] * at.jacobian[group]).sum(axis=0) / inverse_sigma
    return standardised, inverse_sigma, _orthonormal(fitted)


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


def common_noise_covariance(
    model: CurveModel, at: Linearisation, normal: NormalEquations, groups: list[np.ndarray], excess: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what common noise adds to the covariances of depths, of shared parameters, and of one with the other.

    The fit weighs wavelengths as if independent. Noise of a time common to a channel moves its result by
    H^-1 J' W 1, so the extra variance of that time enters as an outer product (a sandwich estimate).

    Args:
        model: with the weights of the fit.
        at: the model where the normal equations were built.
        normal: H and its right-hand side.
        groups: boolean (n_curve,) per channel.
        excess: ``ChannelNoise.excess`` per channel.
    """
    eliminated = eliminate(normal)
    n_curve, n_shared = len(model.flux), len(model.prior_mean)
    depth = np.zeros((n_curve, n_curve))
    shared = np.zeros((n_shared, n_shared))
    cross = np.zeros((n_curve, n_shared))
    for group, factor in zip(groups, excess):
        if factor <= 1.0:
            continue
        depth_slope, shared_slope = flux_sensitivity(model, at, eliminated, group)
        total = model.weight[group].sum(axis=0)
        amplitude = np.sqrt(np.where(total > 0, (factor - 1.0) / np.maximum(total, 1e-300), 0.0))
        depth_slope, shared_slope = depth_slope * amplitude, shared_slope * amplitude
        depth += depth_slope @ depth_slope.T
        shared += shared_slope @ shared_slope.T
        cross += depth_slope @ shared_slope.T
    return depth, shared, cross


def flux_sensitivity(
    model: CurveModel, at: Linearisation, eliminated: Eliminated, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope of the fit's result by the flux of a group of curves, d result / d flux, at each time.

    Args:
        model: with the weights of the fit.
        at: the model where the normal equations were built.
        eliminated: the normal equations without their local parameters.
        group: boolean (n_curve,) of the curves that err together.

    Returns:
        Sensitivities of the depths (n_curve, n_time) and of the shared parameters (n_shared, n_time), per relative
        flux.
    """
    local_inverse, response, schur = eliminated
    weight = np.where(group[:, None], model.weight, 0.0)
    # A unit of flux at one time is a right-hand side J' W 1 of the normal equations: one solve for all times.
    weighted = weight[:, None] * at.jacobian
    local_score = weighted[:, :2]
    score = np.tensordot(model.mixing, weighted[:, 2:], axes=((0, 1), (0, 1)))
    score += np.tensordot(response, local_score, axes=((0, 1), (0, 1)))
    by_shared = solve_scaled(schur, score)
    return (local_inverse[:, 1:] @ local_score)[:, 0] + response[:, 1] @ by_shared, by_shared
