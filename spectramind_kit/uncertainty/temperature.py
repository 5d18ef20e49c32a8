"""Temperature scaling: one factor on sigma for FGS1 and one for AIRS-CH0, from held-out planets.

The factor that maximises the Gaussian likelihood is T^2 = mean z^2 with z = (truth - mean) / sigma. With few
planets it is shrunk towards an assumed one that counts as a few planets' worth of evidence.
"""

import numpy as np

from spectramind_kit.config import UncertaintyConfig

GROUPS = (slice(0, 1), slice(1, None))
"""FGS1 and AIRS-CH0 on the wavelength axis."""


def learn_sigma_scale(z: np.ndarray, config: UncertaintyConfig) -> np.ndarray:
    """Return the factor for every wavelength, (n_wavelength,).

    Args:
        z: held-out standardised errors (n_planet, n_wavelength); n_planet may be 0.
        config: prior of the factor and its minimum.
    """
    scale = np.ones(z.shape[1])
    if not config.scale_sigma:
        return scale
    n_planet = len(z)
    for group in GROUPS:
        evidence = np.square(z[:, group]).mean(axis=1).sum()
        squared = (evidence + config.prior_planets * config.prior_scale**2) / (n_planet + config.prior_planets)
        scale[group] = max(config.minimum_scale, np.sqrt(squared))
    return scale
