"""Flat field: each pixel's response relative to the mean."""

import numpy as np


def divide_flat(signal: np.ndarray, flat: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Return exposures (n_pixel, n_exposure) at unit response; pixels that are not good stay as they are.

    Args:
        signal: (n_pixel, n_exposure) [e-].
        flat: (n_pixel,) [1].
        good: (n_pixel,) bool.
    """
    return signal / np.where(good, flat, 1.0).astype(signal.dtype)[:, None]
