"""Correlated double sampling: an exposure is the second read of a pair minus the first.

What both reads share, reset noise and any constant, is gone; the read noise enters twice.
"""

import numpy as np


def correlated_double_sampling(electrons: np.ndarray) -> np.ndarray:
    """Return exposures (n_pixel, n_frame // 2) [e-] from reads (n_pixel, n_frame) [e-]."""
    return electrons[:, 1::2] - electrons[:, ::2]


def exposure_mid_times(frame_time: np.ndarray, exposure_time: float) -> np.ndarray:
    """Return the middle of each exposure's light-collecting time, (n_frame // 2,) [s].

    The axis file's time of a frame is when its light begins to count, so what the second read adds to the first
    begins at the time of the second frame.
    """
    return frame_time[1::2] + exposure_time / 2


def cds_variance(signal: np.ndarray, read_noise: np.ndarray, n_average: int) -> np.ndarray:
    """Return the expected variance (n_pixel, n_exposure) [e-^2]: photons and two reads.

    Args:
        signal: exposures (n_pixel, n_exposure) [e-].
        read_noise: (n_pixel,) [e-] of one read.
        n_average: detector exposures that one stored exposure is the mean of.
    """
    variance = np.maximum(signal, 0)
    variance += 2 * read_noise.astype(signal.dtype)[:, None] ** 2
    variance /= n_average
    return variance
