"""Detector non-linearity, corrected by each pixel's polynomial: linear e- = sum_i c_i (measured e-)^i."""

import numpy as np


def linearise(electrons: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Return linear electrons (n_pixel, n_frame).

    Args:
        electrons: measured electrons (n_pixel, n_frame).
        coefficients: ascending powers, (n_coefficient, n_pixel), as ``linear_corr`` stores them.
    """
    c = coefficients.astype(electrons.dtype)[:, :, None]
    linear = np.repeat(c[-1], electrons.shape[1], axis=1)
    for lower in c[-2::-1]:
        linear *= electrons
        linear += lower
    return linear
