"""The calibration chain in one pass over counts that are still in the cache, compiled by numba.

A block of pixels goes through the whole chain (ADC, linearity by Horner's rule, dark, CDS, cosmic rays, flat) and
then into time bins and moments, in float32 with float64 sums; no cube of floats is ever made. Blocks are dealt
out to threads, since the compiled functions release the interpreter's lock: nothing is forked, and none of
numba's threading layers is needed. ``calibration.pipeline`` and ``calibration.pixel_bins`` are the
reference implementation and say what each step means.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.compiled import add_moments, calibrate_counts, mean_between
from spectramind_kit.calibration.constants import N_COEFFICIENT, PixelConstants, pixel_constants
from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.calibration.saturation import saturated_pixels
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.settings.calibration import CalibrationConfig

_PARTS = 8
"""Parts that the pixels are worked on in, whatever the number of threads."""
_BLOCK_BYTES = 2**21
"""Size of a block's counts; its exposures in float32 are as large, and both fit the cache."""


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
        threads: parts of the pixels worked on at the same time; the result does not depend on it.

    Returns:
        The bins, or None if every count is zero.
    """
    constants = pixel_constants(pixels.channel, pixels.row, pixels.column, pixels.time, frames, config)
    weight = np.where(constants.good, moment_weight, 0.0)
    bounds = np.asarray(bounds, dtype=np.int64)
    limits = np.linspace(0, len(pixels.row), _PARTS + 1).astype(int).tolist()
    work = partial(_bin_part, pixels, constants, bounds, weight)
    if threads == 1:
        parts = list(map(work, limits[:-1], limits[1:]))
    else:
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(work, limits[:-1], limits[1:]))
    if not any(part.lit for part in parts):
        return None
    saturated = constants.good & np.concatenate([part.full for part in parts])
    # Added up in a fixed order: the same moments whichever thread ends first, and however many there are.
    moments = sum((part.moments for part in parts[1:]), start=parts[0].moments)
    return PixelBins(
        channel=pixels.channel,
        row=pixels.row,
        column=pixels.column,
        good=constants.good & ~saturated,
        saturated=saturated,
        light=np.concatenate([part.light for part in parts]),
        mean=np.concatenate([part.mean for part in parts]),
        variance=np.concatenate([part.variance for part in parts]),
        count=np.diff(bounds),
        moments=moments,
        mid_time=exposure_mid_times(pixels.time, CHANNELS[pixels.channel].exposure_time),
        applied=constants.applied,
    )


@dataclass
class _Part:
    """What one thread made of its pixels: as in ``PixelBins``, which are full, and whether any count was above zero."""

    light: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    moments: np.ndarray
    full: np.ndarray
    lit: bool = False


def _bin_part(
    pixels: DecodedPixels, constants: PixelConstants, bounds: np.ndarray, weight: np.ndarray, first: int, stop: int
) -> _Part:
    """Calibrate and bin the pixels ``first`` to ``stop`` (exclusive), block by block."""
    n_pixel, n_exposure = stop - first, len(pixels.time) // 2
    light = np.empty((n_pixel, len(bounds) - 1))
    moments, full = np.zeros((len(weight), n_exposure)), np.empty(n_pixel, dtype=bool)
    part = _Part(light, np.empty(n_pixel), np.empty(n_pixel), moments, full)
    # As many whole pixels as fit: a pixel's series must stay together for the cosmic rays' median and the bins.
    height = max(1, _BLOCK_BYTES // (4 * n_exposure))
    for start in range(first, stop, height):
        end = min(start + height, stop)
        done = slice(start - first, end - first)
        # One layout for every block, a single pixel's or an odd frame's too: each other layout would compile anew.
        counts = np.require(pixels.block(start, end).counts, requirements=["C", "W"])
        part.lit = part.lit or bool(counts.any())
        signal, part.variance[done] = _calibrate_block(counts, constants.block(start, end))
        part.light[done], part.mean[done] = mean_between(signal, bounds)
        part.full[done] = saturated_pixels(counts, constants.full_count)
        add_moments(part.moments, signal, np.where(part.full[done], 0.0, weight[:, start:end]))
    return part


def _calibrate_block(counts: np.ndarray, constants: PixelConstants) -> tuple[np.ndarray, np.ndarray]:
    """Return exposures (n_pixel, n_exposure) [e-] and variances (n_pixel,) of a block of counts (n_pixel, n_frame)."""
    coefficients = np.zeros((N_COEFFICIENT, len(counts)), dtype=np.float32)
    coefficients[: len(constants.linearity)] = constants.linearity
    return calibrate_counts(
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


def probe() -> None:
    """Compile the chain and run it on two exposures; raises whatever is wrong with compiler or result."""
    counts = np.array([[500, 1500, 500, 3500]], dtype=np.uint16)
    one, zero = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    identity = np.array([[0.0], [1.0]], dtype=np.float32)
    constants = PixelConstants(np.float32(1), np.float32(0), identity, zero, one, np.zeros(1), one > 0, 60_000, 1, 8.0)
    signal, variance = _calibrate_block(counts, constants)
    light, mean = mean_between(signal, np.array([0, 1, 2]))
    moments = np.zeros((1, 2))
    add_moments(moments, signal, np.ones((1, 1)))
    found = [*light[0], *mean, *variance, *moments[0]]
    if found != [1000.0, 3000.0, 2000.0, 2000.0, 1000.0, 3000.0]:
        raise ArithmeticError(f"compiled calibration of two exposures of 1000 and 3000 electrons gave {found}")
