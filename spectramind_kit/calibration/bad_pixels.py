"""Dead and hot pixels.

The light of a pixel that cannot be trusted is not used; the photometry models it from the star's image. Hot pixels
are kept by default: their dark current cancels, and the top teams of both years found masking harmful.
"""

import numpy as np


def find_hot_pixels(dark: np.ndarray, sigma: float, iterations: int = 5) -> np.ndarray:
    """Return which pixels of a map of dark currents stand out.

    Args:
        dark: map of any shape [e-/s].
        sigma: distance above the mean, in clipped standard deviations.
        iterations: rounds of measuring mean and standard deviation without what stood out before.
    """
    kept = np.isfinite(dark)
    centre, spread = np.mean(dark[kept]), np.std(dark[kept])
    for _ in range(iterations - 1):
        kept &= np.abs(dark - centre) <= sigma * spread
        centre, spread = np.mean(dark[kept]), np.std(dark[kept])
    return dark > centre + sigma * spread


def trusted_pixels(dead: np.ndarray, flat: np.ndarray, flat_minimum: float) -> np.ndarray:
    """Return which pixels carry usable light: not dead and with a flat above ``flat_minimum``."""
    return ~dead & (flat > flat_minimum)
