"""Aperture photometry: the light of the star at each wavelength and exposure, as plain sums of good pixels.

Jitter and defocus move light along rows without losing it, so a plain sum over a wide aperture is nearly
immune to them.
"""

import numpy as np

from spectramind_kit.config import PhotometryConfig
from spectramind_kit.instruments import CHANNELS, FGS1
from spectramind_kit.photometry.background import foreground_per_pixel
from spectramind_kit.photometry.window import aperture
from spectramind_kit.products import CalibratedCube


def extract(cube: CalibratedCube, config: PhotometryConfig) -> tuple[np.ndarray, np.ndarray]:
    """Sum the aperture of each wavelength.

    Args:
        cube: all rows of the science columns, as ``photometric_pixels`` orders them.
        config: aperture and background.

    Returns:
        flux and variance (n_wavelength, n_exposure) [e-, e-^2], wavelengths in detector order (AIRS-CH0 red
        first). A wavelength without a good pixel has flux 0 and variance inf.
    """
    n_row = CHANNELS[cube.channel].n_row
    n_column = len(cube.row) // n_row
    n_exposure = cube.signal.shape[1]
    used = aperture(cube.channel, config) & cube.good.reshape(n_row, n_column)
    flux = _sum_rows(cube.signal.reshape(n_row, n_column, n_exposure), used)
    variance = _sum_rows(cube.variance.reshape(n_row, n_column, n_exposure), used)
    n_used = used.sum(axis=0)
    if config.background:
        mean = cube.signal.mean(axis=1, dtype=np.float64).reshape(n_row, n_column)
        foreground = foreground_per_pixel(mean, cube.good.reshape(n_row, n_column), cube.channel, config)
        flux -= (foreground * n_used)[:, None]
    if cube.channel == FGS1.name:
        flux, variance, n_used = (total.sum(axis=0, keepdims=True) for total in (flux, variance, n_used))
    variance[n_used == 0] = np.inf
    return flux, variance


def _sum_rows(pixels: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Sum (n_row, n_column, n_exposure) over the rows where ``used``, in float64: (n_column, n_exposure)."""
    total = np.zeros(pixels.shape[1:], dtype=np.float64)
    for light, use in zip(pixels, used):
        total[use] += light[use]
    return total
