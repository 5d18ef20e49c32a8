"""What a fit knows of the star's limb darkening beside the depths that it moves.

Depths are fitted under a loose prior of the limb darkening. These three arrays let a sharper one be put in its place
afterwards, without the light curves (``fitting.darkening_prior``).
"""

from dataclasses import dataclass, field

import numpy as np

DARKENING_NAMES = ("fgs1_u1", "airs_u1", "airs_u1_slope", "fgs1_u2", "airs_u2", "airs_u2_slope")
"""Offsets of the quadratic coefficients from what the star's temperature lets expect, in the order of the arrays."""


@dataclass(frozen=True, kw_only=True)
class Darkened:
    """Limb darkening of a product that has depths (n_wavelength,); without any, n is 0.

    Attributes:
        darkening: (n, 2), offsets named by ``DARKENING_NAMES`` and the scatter of their zero-mean prior.
        darkening_covariance: (n, n) of the offsets; darkening_cross: (n_wavelength, n), of depths with offsets.
    """

    darkening: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    darkening_covariance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    darkening_cross: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
