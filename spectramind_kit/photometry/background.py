"""Foreground light, separated from the wings of the star.

The star's diffraction wings reach the edge of the detector (about 0.1 % of the light per row on AIRS-CH0), so
the outer pixels are not clean: taken as they are, they make depths too deep by up to 1 %. The mean light of
the outer pixels is modelled as wings + foreground, and only the foreground is subtracted. ``photometry.wings``
separates the two; here is where the pixels lie in the wings of either channel, and how the foreground may vary
over the columns.
"""

import numpy as np

from spectramind_kit.instruments import FGS1
from spectramind_kit.photometry.jitter import centroid
from spectramind_kit.photometry.profile import fill_bad_pixels
from spectramind_kit.photometry.window import aperture_window, background_region
from spectramind_kit.photometry.wings import Wings, foreground_under_wings
from spectramind_kit.settings.photometry import PhotometryConfig

_GAUSS = 0.5 / np.sqrt(3.0)
"""The mean of a smooth function over a pixel is that of its values this far on both sides of the middle [pixel]."""
_DEGREE = 3
"""Degree of the polynomial in the column that the foreground over the starlight is."""


def foreground_per_pixel(
    mean_signal: np.ndarray, error: np.ndarray, good: np.ndarray, channel: str, config: PhotometryConfig
) -> np.ndarray:
    """Return the foreground F (n_column,) [e- per pixel and exposure]; 0 where too few pixels show it.

    Args:
        mean_signal: time mean of each pixel (n_row, n_column) [e-]; anything where ``good`` is False.
        error: its standard error (n_row, n_column) [e-]; anything where ``good`` is False.
        good: (n_row, n_column) bool.
        channel: "AIRS-CH0" (one F per column) or "FGS1" (one F for the detector).
        config: background region, slope and width of the wings.
    """
    outer = background_region(channel, config) & good
    light, error = np.where(good, mean_signal, 0.0), np.where(good, error, 1.0)
    window = aperture_window(channel, config)
    star = fill_bad_pixels(light[window], good[window], channel)
    row = np.arange(len(light)) - window[0].start - centroid(star.sum(axis=1))
    if channel == FGS1.name:
        column = np.arange(light.shape[1]) - window[1].start - centroid(star.sum(axis=0))
        wings = _spot_wings(row, column, config)
        # The whole spot is one star with one amplitude: its pixels are those of a single column.
        light_1, error_1, outer_1 = (values.reshape(-1, 1) for values in (light, error, outer))
        one = foreground_under_wings(light_1, error_1, outer_1, wings, np.ones((1, 1)))
        return np.repeat(one, light.shape[1])
    light, error = (np.hstack([values, values[::-1]]) for values in (light, error))
    outer = np.hstack([outer & (row < 0)[:, None], (outer & (row > 0)[:, None])[::-1]])
    basis = np.tile(_smooth_over_columns(star.sum(axis=0)), 2)
    both = foreground_under_wings(light, error, outer, _trace_wings(row, star.shape[1], config), basis)
    return both[: star.shape[1]]


def _spot_wings(row: np.ndarray, column: np.ndarray, config: PhotometryConfig) -> Wings:
    """Return where all pixels of FGS1 lie in the wings, given rows and columns counted from the spot's centre."""
    distance = np.hypot(row[:, None], column).reshape(1, -1, 1)
    return Wings(distance, np.array([config.fgs1_wing_width]), config.fgs1_wing_slope)


def _trace_wings(row: np.ndarray, n_column: int, config: PhotometryConfig) -> Wings:
    """Return where the pixels of AIRS-CH0 lie in the wings, given rows counted from the trace's centre.

    The real wings are a tenth brighter on one side of the trace, so each column is there twice, (n_row, 2 n_column):
    as it is for the side of the first rows, and upside down for the side of the last rows.
    """
    points = np.stack([row - _GAUSS, row + _GAUSS])
    distance = np.repeat(np.stack([points, points[:, ::-1]], axis=2), n_column, axis=2)
    measured = np.linspace(0, n_column - 1, len(config.airs_wing_width))
    width = np.interp(np.arange(n_column), measured, config.airs_wing_width)
    return Wings(distance, np.tile(width, 2), config.airs_wing_slope)


def _smooth_over_columns(star: np.ndarray) -> np.ndarray:
    """Return the starlight (n_column,) times polynomials in the column, (n_basis, n_column)."""
    x = np.linspace(-1, 1, len(star))
    return np.polynomial.legendre.legvander(x, _DEGREE).T * np.maximum(star, 1.0)
