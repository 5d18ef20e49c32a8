"""What quadratic limb darkening to expect of a star at a wavelength.

    I(mu) / I(1) = 1 - u1 (1 - mu) - u2 (1 - mu)^2

A smooth expectation, good to about 0.1, for the centre of a prior and for simulations: power laws in
wavelength through the coefficients measured on a real star of the challenge (5,539 K; FGS1 and the middle of
AIRS-CH0), and a power law in temperature with the slope that model atmospheres show between 4,000 and
6,500 K (Claret & Bloemen 2011): cooler stars are darkened more, and the longer the wavelength, the less.
"""

import numpy as np

from spectramind_kit.instruments import FGS1_WAVELENGTH

REFERENCE_TEMPERATURE = 5539.0
"""Effective temperature of the star the anchors were measured on [K]."""

_FGS1_ANCHOR = np.array([0.43, 0.11])
_AIRS_ANCHOR = np.array([0.15, 0.08])
_AIRS_ANCHOR_WAVELENGTH = 2.9
_TEMPERATURE_SLOPE = np.array([-1.3, 0.3])
_TEMPERATURE_RANGE = (2500.0, 10000.0)
_WAVELENGTH_SLOPE = np.log(_AIRS_ANCHOR / _FGS1_ANCHOR) / np.log(_AIRS_ANCHOR_WAVELENGTH / FGS1_WAVELENGTH)


def quadratic_coefficients(temperature: float, wavelength: np.ndarray) -> np.ndarray:
    """Return the expected coefficients (u1, u2).

    Args:
        temperature: effective temperature [K]; taken to the nearer end where outside 2,500-10,000 K.
        wavelength: (n_wavelength,) [um].

    Returns:
        (n_wavelength, 2) [1]; u1 + u2 stays below 1, so that the limb never goes dark.
    """
    ratio = np.clip(temperature, *_TEMPERATURE_RANGE) / REFERENCE_TEMPERATURE
    colour = np.asarray(wavelength, dtype=np.float64)[:, None] / FGS1_WAVELENGTH
    # A power law from the FGS1 anchor to the AIRS-CH0 one, which scales with temperature at every wavelength alike.
    u = _FGS1_ANCHOR * colour**_WAVELENGTH_SLOPE * ratio**_TEMPERATURE_SLOPE
    return u / np.maximum(1.0, u.sum(axis=1, keepdims=True) / 0.95)
