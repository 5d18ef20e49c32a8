"""The calibration chain in one pass over counts that are still in the cache, compiled by numba.

A block of pixels goes through the whole chain (ADC, linearity by Horner's rule, dark, CDS, cosmic rays, flat) and
then into time bins and moments, in float32 with float64 sums; no cube of floats is ever made. Blocks are shared
out to threads, since the compiled functions release the interpreter's lock: nothing is forked, and none of
numba's threading layers is needed. ``calibration.pipeline`` and ``calibration.pixel_bins`` are the readable twin
and say what each step means.
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.constants import N_COEFFICIENT, PixelConstants, pixel_constants
from spectramind_kit.calibration.cosmic_rays import MAD_TO_SIGMA, SAMPLED_DIFFERENCES
from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.config import CalibrationConfig
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import CalibrationFrames

_BLOCK_BYTES = 2**21
"""Size of a block's counts; its exposures in float32 are as large, and both fit the cache."""
_TILE = 1024
"""Exposures whose moments are summed at a time, so that the sums stay in the first level of the cache."""
_ALGEBRA = {"reassoc", "contract", "nsz", "arcp"}
"""Freedoms in rounding that let loops be vectorised; NaN and infinity keep their meaning."""


def bin_decoded(
    pixels: DecodedPixels,
    frames: CalibrationFrames,
    config: CalibrationConfig,
    bounds: np.ndarray,
    moment_weight: np.ndarray,
    threads: int = 1,
) -> PixelBins | None:
    """Calibrate and bin decoded pixels; same result as ``bin_pixels(calibrate(cube, frames, config), ...)``.

    Args:
        pixels: decoded counts.
        frames: calibration tables of the whole detector, with at most ``N_COEFFICIENT`` linearity coefficients.
        config: which corrections to make, and how.
        bounds: (n_time + 1,) exposure index at which each bin starts, and where the last one ends; ascending.
        moment_weight: (n_moment, n_pixel).
        threads: blocks worked on at the same time.

    Returns:
        The bins, or None if every count is zero.
    """
    constants = pixel_constants(pixels.channel, pixels.row, pixels.column, pixels.time, frames, config)
    bounds = np.asarray(bounds, dtype=np.int64)
    n_pixel = len(pixels.row)
    moment_weight = np.where(constants.good, moment_weight, 0.0)
    height = max(1, _BLOCK_BYTES // (2 * len(pixels.time)))

    def work(first: int):
        stop = min(first + height, n_pixel)
        counts = pixels.block(first, stop).counts
        return bool(counts.any()), *_bin_block(
            counts, constants.block(first, stop), bounds, moment_weight[:, first:stop]
        )

    with ThreadPoolExecutor(threads) as pool:
        lit, light, mean, variance, moments = zip(*pool.map(work, range(0, n_pixel, height)))
    if not any(lit):
        return None
    return PixelBins(
        channel=pixels.channel,
        row=pixels.row,
        column=pixels.column,
        good=constants.good,
        light=np.concatenate(light),
        mean=np.concatenate(mean),
        variance=np.concatenate(variance),
        count=np.diff(bounds),
        moments=np.sum(moments, axis=0),
        mid_time=exposure_mid_times(pixels.time, CHANNELS[pixels.channel].exposure_time),
    )


def _bin_block(
    counts: np.ndarray, constants: PixelConstants, bounds: np.ndarray, moment_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return binned light, mean, variance and moments of one block of counts (n_pixel, n_frame)."""
    coefficients = np.zeros((N_COEFFICIENT, len(counts)), dtype=np.float32)
    coefficients[: len(constants.linearity)] = constants.linearity
    signal, variance = _calibrate(
        counts,
        constants.electrons_per_count,
        constants.offset,
        coefficients,
        constants.dark,
        np.float32(1.0) / constants.flat,
        constants.read_variance,
        float(constants.n_average),
        float(constants.cosmic_ray_sigma),
    )
    light, mean = _mean_between(signal, bounds)
    return light, mean, variance, _moments(signal, np.ascontiguousarray(moment_weight, dtype=np.float64))


def probe() -> None:
    """Compile the chain and run it on two exposures; raises whatever is wrong with compiler or result."""
    counts = np.array([[500, 1500, 500, 3500]], dtype=np.uint16)
    one, zero = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    identity = np.array([[0.0], [1.0]], dtype=np.float32)
    constants = PixelConstants(np.float32(1), np.float32(0), identity, zero, one, np.zeros(1), one > 0, 1, 8.0)
    light, mean, variance, moments = _bin_block(counts, constants, np.array([0, 1, 2]), np.ones((1, 1)))
    found = [*light[0], *mean, *variance, *moments[0]]
    if found != [1000.0, 3000.0, 2000.0, 2000.0, 1000.0, 3000.0]:
        raise ArithmeticError(f"compiled calibration of two exposures of 1000 and 3000 electrons gave {found}")


def _compiled(function):
    """Compile a function when it is first called; keep the machine code if there is a folder that can be written."""
    try:
        return numba.njit(nogil=True, cache=True, fastmath=_ALGEBRA)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache folder
        return numba.njit(nogil=True, fastmath=_ALGEBRA)(function)


@_compiled
def _calibrate(counts, electrons_per_count, offset, linearity, dark, response, read_variance, n_average, sigma):
    """Return exposures (n_pixel, n_exposure) float32 [e-] and their mean expected variance (n_pixel,) [e-^2]."""
    n_pixel, n_exposure = counts.shape[0], counts.shape[1] // 2
    signal = np.empty((n_pixel, n_exposure), np.float32)
    variance = np.empty(n_pixel, np.float64)
    for p in range(n_pixel):
        exposure = signal[p]
        _read_pairs(counts[p], electrons_per_count, offset, linearity[:, p], dark[p], exposure)
        photons = _positive_sum(exposure)
        expected = np.sqrt((photons / n_exposure + read_variance[p]) / n_average)
        if n_exposure > 2 and _has_spike(exposure, np.float32(sigma * expected)):
            threshold = np.float32(sigma * max(expected, _measured_scatter(exposure)))
            photons += _replace_spikes(exposure, threshold)
        scale = response[p]
        for t in range(n_exposure):
            exposure[t] *= scale
        variance[p] = (photons / n_exposure + read_variance[p]) / n_average * np.float64(scale) ** 2
    return signal, variance


@_compiled
def _read_pairs(counts, electrons_per_count, offset, c, dark, exposure):
    """Fill the exposures of one pixel: both reads to linear electrons, their difference, less the dark."""
    c0, c1, c2, c3, c4, c5 = c[0], c[1], c[2], c[3], c[4], c[5]
    for t in range(len(exposure)):
        a = np.float32(counts[2 * t]) * electrons_per_count + offset
        b = np.float32(counts[2 * t + 1]) * electrons_per_count + offset
        first = ((((c5 * a + c4) * a + c3) * a + c2) * a + c1) * a + c0
        second = ((((c5 * b + c4) * b + c3) * b + c2) * b + c1) * b + c0
        exposure[t] = second - first - dark


@_compiled
def _positive_sum(exposure):
    total = 0.0
    for t in range(len(exposure)):
        total += np.float64(max(exposure[t], np.float32(0.0)))
    return total


@_compiled
def _has_spike(exposure, threshold):
    """True if any exposure may be a cosmic ray at this threshold."""
    last = len(exposure) - 1
    found = 0
    for t in range(1, last):
        found += exposure[t] > max(exposure[t - 1], exposure[t + 1]) + threshold
    found += exposure[0] > max(exposure[1], exposure[2]) + threshold
    found += exposure[last] > max(exposure[last - 1], exposure[last - 2]) + threshold
    return found > 0


@_compiled
def _measured_scatter(exposure):
    """Robust scatter from differences of successive exposures, sampled over the visit."""
    n_difference = len(exposure) - 1
    step = max(1, n_difference // SAMPLED_DIFFERENCES)
    difference = np.empty((n_difference + step - 1) // step, np.float32)
    for i in range(len(difference)):
        difference[i] = abs(exposure[i * step + 1] - exposure[i * step])
    return MAD_TO_SIGMA / np.sqrt(2.0) * np.median(difference)


@_compiled
def _replace_spikes(exposure, threshold):
    """Replace cosmic rays in one pixel by the mean of their neighbours; return how much light (> 0) that adds."""
    last = len(exposure) - 1
    added = 0.0
    before = exposure[1]
    for t in range(last + 1):
        now = exposure[t]
        after = exposure[t + 1] if t < last else exposure[last - 1] if t == 0 else before
        beside = after if t == 0 else before
        far = exposure[2] if t == 0 else exposure[last - 2] if t == last else after
        if now > max(beside, far) + threshold:
            exposure[t] = np.float32(0.5) * (beside + after)
            light = 0.5 * (max(beside, np.float32(0.0)) + max(after, np.float32(0.0)))
            added += light - max(now, np.float32(0.0))
        before = now
    return added


@_compiled
def _mean_between(signal, bounds):
    """Return means between bounds (n_pixel, n_time), NaN where there are none, and over all exposures (n_pixel,)."""
    n_pixel, n_exposure = signal.shape
    light = np.full((n_pixel, len(bounds) - 1), np.nan)
    mean = np.empty(n_pixel)
    for p in range(n_pixel):
        mean[p] = _sum(signal[p], 0, n_exposure) / n_exposure
        for b in range(len(bounds) - 1):
            if bounds[b + 1] > bounds[b]:
                light[p, b] = _sum(signal[p], bounds[b], bounds[b + 1]) / (bounds[b + 1] - bounds[b])
    return light, mean


@_compiled
def _sum(exposure, first, stop):
    total = 0.0
    for t in range(first, stop):
        total += np.float64(exposure[t])
    return total


@_compiled
def _moments(signal, weight):
    """Return the weighted sums of pixels (n_moment, n_exposure); four pixels a turn spare loads and stores."""
    n_pixel, n_exposure = signal.shape
    moments = np.zeros((weight.shape[0], n_exposure))
    fours = n_pixel - n_pixel % 4
    for first in range(0, n_exposure, _TILE):
        stop = min(first + _TILE, n_exposure)
        for k in range(weight.shape[0]):
            w, total = weight[k], moments[k]
            for p in range(0, fours, 4):
                for t in range(first, stop):
                    total[t] += (
                        w[p] * np.float64(signal[p, t])
                        + w[p + 1] * np.float64(signal[p + 1, t])
                        + w[p + 2] * np.float64(signal[p + 2, t])
                        + w[p + 3] * np.float64(signal[p + 3, t])
                    )
            for p in range(fours, n_pixel):
                for t in range(first, stop):
                    total[t] += w[p] * np.float64(signal[p, t])
    return moments
