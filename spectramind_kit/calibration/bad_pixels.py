"""Dead and hot pixels.

The light of a pixel that cannot be trusted is not used; the photometry models it from the star's image. Hot pixels
are kept by default: their dark current cancels, and the top teams of both years found masking harmful.
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
