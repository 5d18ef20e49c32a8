"""The image: how starlight is spread over the pixels, and how the image changes when the telescope moves.

AIRS-CH0: each column is a Gaussian core plus wings (1 + (d/w)^2)^-1.1 along the rows, which fall like
d^-2.2 at large distances d; both get narrower towards the blue. FGS1: a lopsided spot of four Gaussians and
wings like r^-3.5. Shapes and numbers were fitted to 25 real exposures of planet 342072318 (largest
difference 1.5 % of the light of a column, and 1 % of the spot's).

Moving the image by a small shift x adds x dP/dx; the derivative is a central difference of the same shapes.
"""

from functools import cache

import numpy as np
from scipy.special import erf

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.starlight import airs_wavelengths

AIRS_CENTRE = 15.566
"""Row of the trace's centre [pixel]."""

_WAVELENGTH = (1.65, 1.95, 2.25, 2.70, 3.20, 3.90)
_CORE_SIGMA = (1.58, 1.69, 0.882, 0.890, 1.09, 1.31)
_WING_SHARE = (0.906, 0.867, 0.835, 0.624, 0.404, 0.350)
_WING_WIDTH = (0.578, 0.680, 0.940, 1.383, 2.272, 3.197)
_AIRS_WING_POWER = 1.1

# row, column, sigma along rows, sigma along columns [pixel], weight
_FGS1_GAUSSIANS = (
    (15.42, 16.33, 0.79, 0.80, 0.414),
    (14.67, 14.71, 0.64, 0.65, 0.225),
    (17.10, 15.60, 1.67, 1.17, 0.188),
    (13.30, 12.15, 0.82, 3.80, 0.071),
)
_FGS1_WING_CENTRE = 15.4
_FGS1_WING_WIDTH = 2.5
_FGS1_WING_SHARE = 0.12
_FGS1_WING_POWER = 1.75

FGS1_POINTING_RESPONSE = (0.006, 0.027)
"""Relative change of the spot's whole light per pixel of shift along rows and columns [1/pixel], measured."""

_STEP = 0.02
"""Shift of the central difference [pixel]."""


@cache
def airs_image() -> tuple[np.ndarray, np.ndarray]:
    """Return the fraction of a column's light in each pixel, (32, 356), and its slopes with shift, (1, 32, 356)."""
    ahead, behind = _airs_shape(AIRS_CENTRE + _STEP), _airs_shape(AIRS_CENTRE - _STEP)
    return _frozen(_airs_shape(AIRS_CENTRE)), _frozen(((ahead - behind) / (2 * _STEP))[None])


@cache
def fgs1_image() -> tuple[np.ndarray, np.ndarray]:
    """Return the fraction of the spot's light in each pixel, (32, 32), and its slopes with shift, (2, 32, 32).

    The slopes are those by a shift along rows and along columns; they hold the pointing response, so the
    light of the whole spot changes when it moves.
    """
    image = _fgs1_shape(0.0, 0.0)
    slopes = np.array(
        [
            (_fgs1_shape(_STEP, 0.0) - _fgs1_shape(-_STEP, 0.0)) / (2 * _STEP),
            (_fgs1_shape(0.0, _STEP) - _fgs1_shape(0.0, -_STEP)) / (2 * _STEP),
        ]
    )
    return _frozen(image), _frozen(slopes + np.multiply.outer(FGS1_POINTING_RESPONSE, image))


def _airs_shape(centre: float) -> np.ndarray:
    """Row profile of every column (32, 356) with the trace at ``centre``; columns sum to 1 but for lost wings."""
    wavelength = airs_wavelengths()
    sigma, fraction, width = (np.interp(wavelength, _WAVELENGTH, p) for p in (_CORE_SIGMA, _WING_SHARE, _WING_WIDTH))
    rows = np.arange(AIRS.n_row)[:, None]
    wing = _wings_on_pixels(rows, centre, width)
    # The wings' norm is that of the centred trace: moving the image must not change its light.
    norm = _wings_on_pixels(rows, AIRS_CENTRE, width).sum(axis=0)
    return (1.0 - fraction) * _gaussian_on_pixels(rows, centre, sigma) + fraction * wing / norm


def _wings_on_pixels(rows: np.ndarray, centre: float, width: np.ndarray) -> np.ndarray:
    """Mean of (1 + (d/w)^2)^-p over each pixel's height, (n_row, n_column)."""
    within = (np.arange(8) + 0.5) / 8 - 0.5
    return np.mean([(1.0 + ((rows + y - centre) / width) ** 2) ** -_AIRS_WING_POWER for y in within], axis=0)


def _gaussian_on_pixels(pixel: np.ndarray, centre: float, sigma: np.ndarray | float) -> np.ndarray:
    """Integral of a normal distribution over each pixel."""
    scale = sigma * np.sqrt(2.0)
    return 0.5 * (erf((pixel + 0.5 - centre) / scale) - erf((pixel - 0.5 - centre) / scale))


def _fgs1_shape(row_shift: float, column_shift: float) -> np.ndarray:
    """Fraction of the spot's light in each pixel (32, 32) with the spot moved by a shift [pixel]."""
    pixel = np.arange(FGS1.n_row, dtype=np.float64)
    core = np.zeros(FGS1.shape)
    for row, column, row_sigma, column_sigma, weight in _FGS1_GAUSSIANS:
        along_rows = _gaussian_on_pixels(pixel, row + row_shift, row_sigma)
        core += weight * np.outer(along_rows, _gaussian_on_pixels(pixel, column + column_shift, column_sigma))
    core *= (1.0 - _FGS1_WING_SHARE) / sum(g[-1] for g in _FGS1_GAUSSIANS)
    wing = _fgs1_wing(pixel, row_shift, column_shift)
    return core + _FGS1_WING_SHARE * wing / _fgs1_wing(pixel, 0.0, 0.0).sum()


def _fgs1_wing(pixel: np.ndarray, row_shift: float, column_shift: float) -> np.ndarray:
    y = pixel[:, None] - _FGS1_WING_CENTRE - row_shift
    x = pixel[None, :] - _FGS1_WING_CENTRE - column_shift
    return (1.0 + (x**2 + y**2) / _FGS1_WING_WIDTH**2) ** -_FGS1_WING_POWER


def _frozen(array: np.ndarray) -> np.ndarray:
    """Make a cached array read-only."""
    array.setflags(write=False)
    return array
