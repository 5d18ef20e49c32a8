"""The fused calibration through torch: the same blocks and the same chain, on a CUDA device.

Counts cross to the device as they are, two bytes each; float32 with float64 sums as on the CPU. The device works
while the CPU takes the next block from the decoded table. On ``device="cpu"`` it is the same code, which is how
tests hold it to the reference implementation.
"""

import numpy as np
import torch

from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.constants import PixelConstants, pixel_constants
from spectramind_kit.calibration.cosmic_rays import SAMPLED_DIFFERENCES
from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.calibration.saturation import saturated_pixels
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.robust_statistics import MAD_TO_SIGMA
from spectramind_kit.settings.calibration import CalibrationConfig

_BLOCK_BYTES = 2**25
"""Size of a block's counts; the device holds about ten times as much at a time."""


def bin_decoded(
    pixels: DecodedPixels,
    frames: CalibrationFrames,
    config: CalibrationConfig,
    bounds: np.ndarray,
    moment_weight: np.ndarray,
    device: str = "cuda",
) -> PixelBins | None:
    """Calibrate and bin decoded pixels; same result as ``bin_pixels(calibrate(cube, frames, config), ...)``.

    Args:
        pixels: decoded counts.
        frames: calibration tables of the whole detector.
        config: which corrections to make, and how.
        bounds: (n_time + 1,) exposure index at which each bin starts, and where the last one ends; ascending.
        moment_weight: (n_moment, n_pixel).
        device: where torch computes.

    Returns:
        The bins, or None if every count is zero.
    """
    constants = pixel_constants(pixels.channel, pixels.row, pixels.column, pixels.time, frames, config)
    weight = torch.from_numpy(np.where(constants.good, moment_weight, 0.0))
    edges = torch.from_numpy(np.asarray(bounds, dtype=np.int64)).to(device)
    height = max(1, _BLOCK_BYTES // (2 * len(pixels.time)))
    moments = torch.zeros(len(weight), len(pixels.time) // 2, dtype=torch.float64, device=device)
    parts, full, lit = [], np.empty(len(pixels.row), dtype=bool), False
    for first in range(0, len(pixels.row), height):
        block = slice(first, min(first + height, len(pixels.row)))
        counts = np.require(pixels.block(block.start, block.stop).counts, requirements=["C", "W"])
        lit = lit or bool(counts.any())
        signal, variance = _calibrate(_to_device(counts, device), constants.block(block.start, block.stop))
        exact = signal.double()
        parts.append((_mean_between(exact, edges), exact.mean(dim=1), variance))
        full[block] = saturated_pixels(counts, constants.full_count)
        trusted = torch.from_numpy(~full[block])
        moments += (weight[:, block] * trusted).to(device) @ exact
    if not lit:
        return None
    saturated = constants.good & full
    light, mean, variance = (torch.cat(part).cpu().numpy() for part in zip(*parts))
    return PixelBins(
        channel=pixels.channel,
        row=pixels.row,
        column=pixels.column,
        good=constants.good & ~saturated,
        saturated=saturated,
        light=light,
        mean=mean,
        variance=variance,
        count=np.diff(bounds),
        moments=moments.cpu().numpy(),
        mid_time=exposure_mid_times(pixels.time, CHANNELS[pixels.channel].exposure_time),
        applied=constants.applied,
    )


def _to_device(counts: np.ndarray, device: str) -> torch.Tensor:
    """Return counts as float32 on the device; they cross as signed 16-bit numbers, which every device knows."""
    signed = torch.from_numpy(counts.view(np.int16)).to(device).float()
    return torch.where(signed < 0, signed + 65536.0, signed)


def _calibrate(counts: torch.Tensor, constants: PixelConstants) -> tuple[torch.Tensor, torch.Tensor]:
    """Return exposures (n_pixel, n_exposure) float32 [e-] and their mean expected variance (n_pixel,) [e-^2]."""

    def column(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), device=counts.device)[:, None]

    electrons = counts * float(constants.electrons_per_count) + float(constants.offset)
    # Dark current enters as electrons between the reads, and both reads in one subtraction, as in ``compiled``.
    coefficients = [column(c) for c in constants.linearity]
    linear = coefficients[-1].expand_as(electrons)
    for lower in coefficients[-2::-1]:
        linear = linear * electrons + lower
    signal = linear[:, 1::2] - linear[:, ::2] - column(constants.dark)
    noise = column(constants.read_variance)
    variance = (signal.clamp(min=0).double() + noise) / constants.n_average
    if np.isfinite(constants.cosmic_ray_sigma) and signal.shape[1] > 2:
        hit = _find_cosmic_rays(signal, variance.mean(dim=1), constants.cosmic_ray_sigma)
        signal, variance = _replaced(signal, hit), _replaced(variance, hit)
    flat = column(constants.flat)
    return signal / flat, variance.mean(dim=1) / flat[:, 0].double() ** 2


def _find_cosmic_rays(signal: torch.Tensor, variance: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return which exposures rise above both neighbours by the threshold, (n_pixel, n_exposure) bool."""
    step = max(1, (signal.shape[1] - 1) // SAMPLED_DIFFERENCES)
    difference = signal.diff(dim=1)[:, ::step].abs().double()
    measured = MAD_TO_SIGMA / np.sqrt(2.0) * torch.quantile(difference, 0.5, dim=1)
    threshold = (sigma * torch.maximum(variance.sqrt(), measured)).float()[:, None]
    before, after = _neighbours(signal)
    # The ends have one neighbour only and are compared with the next but one instead of with it twice.
    before[:, 0], after[:, -1] = signal[:, 2], signal[:, -3]
    return signal > torch.maximum(before, after) + threshold


def _neighbours(series: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the values before and after each one; at both ends the only neighbour twice."""
    before = torch.cat([series[:, 1:2], series[:, :-1]], dim=1)
    after = torch.cat([series[:, 1:], series[:, -2:-1]], dim=1)
    return before, after


def _replaced(series: torch.Tensor, hit: torch.Tensor) -> torch.Tensor:
    before, after = _neighbours(series)
    return torch.where(hit, 0.5 * (before + after), series)


def _mean_between(signal: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """Return means between bounds (n_pixel, n_time) float64, NaN in an empty bin."""
    count = bounds.diff()
    kept = signal[:, bounds[0] : bounds[-1]]
    total = torch.zeros(len(signal), len(count), dtype=signal.dtype, device=signal.device)
    bin_of = torch.repeat_interleave(torch.arange(len(count), device=signal.device), count)
    return total.index_add_(1, bin_of, kept) / count
