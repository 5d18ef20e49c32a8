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
import torch
from scipy.ndimage import median_filter
from torch import Tensor

from spectramind_kit.fitting.curve_model import CurveModel, Linearisation
from spectramind_kit.fitting.gauss_newton import Arrow, eliminate, solve_scaled
from spectramind_kit.robust_statistics import MAD_TO_SIGMA, shrunk_excess

_LEAST_SPREAD = 0.3
"""An outlier is at least that much of its sigma off, times the threshold, however quiet the others are."""
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


def scatter_ratio(residual: Tensor, weight: Tensor, n_own: Tensor, airs: np.ndarray) -> np.ndarray:
    """Return measured over expected scatter, (n_curve,), at least 1; 1 where there is no weight.

    Args:
        residual, weight: (n_curve, n_time), weight zero where a point is not used.
        n_own: (n_curve,) parameters to subtract from the number of points.
        airs: (n_curve,) True where the curve has neighbours to be smoothed with.
    """
    used = (weight > 0).sum(dim=1)
    freedom = torch.clamp(used - n_own, min=1.0)
    own = torch.sqrt((weight * residual**2).sum(dim=1) / freedom).numpy()
    ratio = own.copy()
    measured = airs & (used > 0).numpy()
    if measured.sum() > _SMOOTHED_OVER:
        smooth = median_filter(own[measured], size=_SMOOTHED_OVER, mode="nearest")
        error = smooth / np.sqrt(2.0 * freedom.numpy()[measured])
        ratio[measured] = np.where(own[measured] > smooth + 4.0 * error, own[measured], smooth)
    return np.where(used.numpy() > 0, np.maximum(ratio, 1.0), 1.0)


def outliers(residual: Tensor, weight: Tensor, groups: list[Tensor], sigma: float) -> Tensor:
    """Return True where a residual, or the mean residual of its channel at that time, is far off.

    Args:
        residual, weight: (n_curve, n_time); groups: boolean (n_curve,) per channel.
        sigma: how far, in robust standard deviations.
    """
    pulls = residual.abs() * torch.sqrt(weight)
    spread = MAD_TO_SIGMA * _median_of_used(pulls, weight > 0)
    far = pulls > sigma * torch.clamp(spread, min=_LEAST_SPREAD)[:, None]
    kept = torch.where(far, 0.0, weight)
    for group in groups:
        total = kept[group].sum(dim=0)
        mean_pull = (kept[group] * residual[group]).sum(dim=0).abs() / torch.sqrt(total.clamp(min=1e-300))
        spread = MAD_TO_SIGMA * _median_of_used(mean_pull[None], total[None] > 0)
        far[group] |= mean_pull > sigma * torch.clamp(spread, min=_LEAST_SPREAD)
    return far


def _median_of_used(pulls: Tensor, used: Tensor) -> Tensor:
    return torch.nan_to_num(torch.nanmedian(torch.where(used, pulls, torch.nan), dim=1).values, nan=1.0)


def channel_noise(model: CurveModel, at: Linearisation, group: Tensor, bin_seconds: float) -> ChannelNoise:
    """Measure common and time-correlated noise on the mean residual of one channel."""
    pulls, _, fitted = white_residual(model, at, group)
    single, freedom = _excess(pulls, fitted, 1)
    single = shrunk_excess(single, freedom)
    lengths = [round(seconds / bin_seconds) for seconds in _BLOCK_SECONDS]
    ratios = [_excess(pulls, fitted, n) for n in lengths if n > 1 and len(pulls) // n >= _FEWEST_BLOCKS]
    measured = single
    if ratios:
        freedom = np.array([f for _, f in ratios])
        over = float(np.average([r for r, _ in ratios], weights=freedom)) / single
        measured = single * shrunk_excess(over, float(freedom.mean()))
    return ChannelNoise(measured, float(np.sqrt(measured / single)))


def white_residual(model: CurveModel, at: Linearisation, group: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean residual of one channel and what the fit has absorbed of it.

    Returns:
        Residual in expected standard deviations (n_time,), one over those (n_time,), and an orthonormal basis
        (n_time, rank) of the fitted directions.
    """
    weight = model.weight[group]
    root = torch.sqrt(weight.sum(dim=0).clamp(min=1e-300))
    pulls = (weight * at.residual[group]).sum(dim=0) / root
    return pulls, root, _orthonormal((weight[:, None] * at.jacobian[group]).sum(dim=0) / root)


def _orthonormal(columns: Tensor) -> Tensor:
    """Return an orthonormal basis (n_time, rank) of the rows of ``columns``."""
    length = columns.norm(dim=1, keepdim=True)
    u, s, _ = torch.linalg.svd((columns / length.clamp(min=1e-300)).T, full_matrices=False)
    return u[:, s > 1e-6 * s[0]]


def _excess(pulls: Tensor, fitted: Tensor, n: int) -> tuple[float, float]:
    """Return variance over white expectation of the means of blocks of n times, and its degrees of freedom."""
    n_block = len(pulls) // n
    blocks = pulls[: n_block * n].reshape(n_block, n).mean(dim=1)
    directions = fitted[: n_block * n].reshape(n_block, n, -1).mean(dim=1)
    freedom = n_block - n * float((directions**2).sum())
    return float((blocks**2).sum()) * n / max(freedom, 1.0), max(freedom, 1.0)


def common_noise_covariance(
    model: CurveModel, at: Linearisation, arrow: Arrow, groups: list[Tensor], excess: list[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what common noise adds to the covariances of depths, of shared parameters, and of one with the other.

    The fit weighs wavelengths as if independent. Noise of a time common to a channel moves its result by
    H^-1 J' W 1, so the extra variance of that time enters as an outer product (a sandwich estimate).
    """
    eliminated = eliminate(arrow)
    n_curve, n_shared = len(model.flux), len(model.prior_mean)
    depth = torch.zeros(n_curve, n_curve, dtype=model.flux.dtype)
    shared = torch.zeros(n_shared, n_shared, dtype=model.flux.dtype)
    cross = torch.zeros(n_curve, n_shared, dtype=model.flux.dtype)
    for group, factor in zip(groups, excess):
        if factor <= 1.0:
            continue
        depth_move, shared_move = moved_by_common_noise(model, at, eliminated, group)
        total = model.weight[group].sum(dim=0)
        amplitude = torch.sqrt(torch.where(total > 0, (factor - 1.0) / total.clamp(min=1e-300), 0.0))
        depth_move, shared_move = depth_move * amplitude, shared_move * amplitude
        depth += depth_move @ depth_move.T
        shared += shared_move @ shared_move.T
        cross += depth_move @ shared_move.T
    return depth, shared, cross


def moved_by_common_noise(
    model: CurveModel, at: Linearisation, eliminated: tuple[Tensor, Tensor, Tensor], group: Tensor
) -> tuple[Tensor, Tensor]:
    """Return how the result moves with the flux of all curves of a group at one time.

    Args:
        eliminated: what ``eliminate`` makes of the normal equations.
        group: boolean (n_curve,) of the curves that err together.

    Returns:
        Moves of depths (n_curve, n_time) and shared parameters (n_shared, n_time) per relative flux.
    """
    own_inverse, response, schur = eliminated
    weight = torch.where(group[:, None], model.weight, 0.0)
    pulled = weight[:, None] * at.jacobian
    own_side = pulled[:, :2]
    side = (model.mixing.mT @ pulled[:, 2:]).sum(dim=0) + (response.mT @ own_side).sum(dim=0)
    shared_move = solve_scaled(schur, side)
    return (own_inverse[:, 1:] @ own_side)[:, 0] + response[:, 1] @ shared_move, shared_move
