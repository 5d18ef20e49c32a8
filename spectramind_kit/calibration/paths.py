"""Three ways through the same chain, and which of them this machine can go.

    fused     compiled by numba, block by block on the CPU: the default
    gpu       the same blocks through torch on a CUDA device
    readable  plain NumPy, one small function an effect: the reference for both

A compiler or device counts as working when a small piece of real work on it gave the right answer.
"""

import logging
from functools import lru_cache

import numpy as np

from spectramind_kit.calibration.constants import N_COEFFICIENT
from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.calibration.pixel_bins import PixelBins, bin_pixels
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.environment import usable_cuda
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.settings.calibration import CalibrationConfig

logger = logging.getLogger(__name__)


def bin_decoded_pixels(
    pixels: DecodedPixels,
    frames: CalibrationFrames,
    config: CalibrationConfig,
    bounds: np.ndarray,
    moment_weight: np.ndarray,
    path: str = "auto",
    threads: int = 1,
) -> PixelBins | None:
    """Calibrate decoded pixels and bin them in time, on the wanted path or the nearest one that works here.

    Args:
        pixels: decoded counts.
        frames: calibration tables of the whole detector.
        config: which corrections to make, and how.
        bounds: (n_time + 1,) exposure index at which each bin starts, and where the last one ends; ascending.
        moment_weight: (n_moment, n_pixel).
        path: "auto", "fused", "readable" or "gpu".
        threads: of the fused path.

    Returns:
        The bins, or None if every count is zero.
    """
    taken = working_path(path)
    if taken == "fused" and len(frames.linearity) <= N_COEFFICIENT:
        from spectramind_kit.calibration.fused import bin_decoded

        return bin_decoded(pixels, frames, config, bounds, moment_weight, threads)
    if taken == "gpu":
        from spectramind_kit.calibration.gpu import bin_decoded as bin_on_device

        return bin_on_device(pixels, frames, config, bounds, moment_weight, "cuda")
    cube = pixels.cube()
    return bin_pixels(calibrate(cube, frames, config), bounds, moment_weight) if cube.counts.any() else None


@lru_cache(maxsize=8)
def working_path(wanted: str) -> str:
    """Return the path that is taken for a wanted one; logs where that is another."""
    if wanted == "gpu" and usable_cuda() is None:
        logger.warning("no usable CUDA device: light curves are computed on the CPU")
        wanted = "auto"
    if wanted in ("auto", "fused"):
        problem = _fused_problem()
        if problem:
            logger.warning(
                "the compiled calibration does not work here (%s): the readable one is ten times slower", problem
            )
        return "readable" if problem else "fused"
    return wanted


def _fused_problem() -> str | None:
    """Return why the compiled chain cannot be used, None if it can."""
    try:
        from spectramind_kit.calibration.fused import probe

        probe()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None
