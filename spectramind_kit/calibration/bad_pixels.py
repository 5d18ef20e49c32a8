"""Dead and hot pixels.

A pixel whose light cannot be trusted is left out of every sum; at one wavelength the relative depth does not
change by that. Hot pixels are kept by default: their dark current cancels, and the top teams of both years
found masking harmful.
"""

import numpy as np


def find_hot_pixels(dark: np.ndarray, sigma: float, iterations: int = 5) -> np.ndarray:
    """Return which pixels of a dark map (any shape) lie above the mean by ``sigma`` clipped standard deviations."""
    kept = np.isfinite(dark)
    for _ in range(iterations):
        centre, spread = np.mean(dark[kept]), np.std(dark[kept])
        kept &= np.abs(dark - centre) <= sigma * spread
    return dark > centre + sigma * spread


def trusted_pixels(dead: np.ndarray, flat: np.ndarray, flat_minimum: float) -> np.ndarray:
    """Return which pixels carry usable light: not dead and with a flat above ``flat_minimum``."""
    return ~dead & (flat > flat_minimum)
