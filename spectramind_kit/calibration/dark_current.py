"""Dark current: electrons that gather without light, rate times the time since reset."""

import numpy as np


def subtract_dark(electrons: np.ndarray, dark: np.ndarray, time_since_reset: np.ndarray) -> np.ndarray:
    """Return electrons (n_pixel, n_frame) without the dark current.

    Args:
        electrons: (n_pixel, n_frame) [e-].
        dark: (n_pixel,) [e-/s].
        time_since_reset: (n_frame,) [s].
    """
    dark_electrons = dark.astype(electrons.dtype)[:, None] * time_since_reset.astype(electrons.dtype)
    return electrons - dark_electrons
