"""The star's image: the light that bad pixels would have had, and how the image changes when it moves.

AIRS-CH0's profile along the rows varies slowly from column to column, so a bad pixel's part of its column's light
is that of its neighbours in the same row. FGS1's spot is fitted around a bad pixel by a quadratic in the logarithm
of the light, which is exact for a Gaussian. Slopes of the image are those of a cubic spline.
"""

import numpy as np
from scipy.interpolate import CubicSpline

from spectramind_kit.instruments import AIRS

_HALF_WIDTH = {"columns": 4, "spot": 2}
"""How far good neighbours are looked for [pixel]."""
_QUADRATIC = 6
"""Coefficients of a quadratic in two variables."""
_HIGHEST = 1.5
"""A filled pixel is at most so much brighter than its brightest good neighbour."""


def fill_bad_pixels(image: np.ndarray, good: np.ndarray, channel: str) -> np.ndarray:
    """Return an image of the aperture with the light that its bad pixels would have had.

    Args:
        image: (n_row, n_column) [e-], time means.
        good: (n_row, n_column) bool.
        channel: "AIRS-CH0" or "FGS1".

    Returns:
        The filled image; zero where no good pixel is near enough.
    """
    known = np.where(good, image, np.nan)
    filled = known.copy()
    fill = _from_columns if channel == AIRS.name else _from_spot
    for row, column in np.argwhere(~good):
        filled[row, column] = fill(known, row, column)
    return np.nan_to_num(_fill_along_rows(filled))


def shift_templates(image: np.ndarray, channel: str) -> np.ndarray:
    """Return the image and its changes under small shifts, (n_template, n_row, n_column).

    AIRS-CH0: the image and its slope along rows. FGS1, whose pointing error is ten times larger: the slopes and
    curvatures along both axes too.
    """
    row_slope = _slope(image, axis=0)
    if channel == AIRS.name:
        return np.stack([image, row_slope])
    column_slope = _slope(image, axis=1)
    curvatures = [_slope(row_slope, axis=0), _slope(row_slope, axis=1), _slope(column_slope, axis=1)]
    return np.stack([image, row_slope, column_slope, *curvatures])


def _slope(image: np.ndarray, axis: int) -> np.ndarray:
    pixel = np.arange(image.shape[axis], dtype=np.float64)
    return CubicSpline(pixel, image, axis=axis)(pixel, 1)


def _from_columns(known: np.ndarray, row: int, column: int) -> float:
    """Return a pixel's light from its row in the columns beside, scaled by the other rows; NaN if none is good."""
    half_width = _HALF_WIDTH["columns"]
    first = max(0, column - half_width)
    beside = known[:, first : column + half_width + 1]
    # Both columns are summed over the rows that both know, so that their ratio is that of their light.
    both = np.isfinite(beside) & np.isfinite(known[:, column : column + 1])
    here = np.where(both, known[:, column : column + 1], 0.0).sum(axis=0)
    there = np.where(both, beside, 0.0).sum(axis=0)
    usable = np.isfinite(beside[row]) & (there > 0)
    return float(np.mean(beside[row, usable] * here[usable] / there[usable])) if usable.any() else np.nan


def _from_spot(known: np.ndarray, row: int, column: int) -> float:
    """Return a pixel's light from a quadratic through the logarithm of the light around it; NaN if too few are good."""
    half_width = _HALF_WIDTH["spot"]
    top, left = max(0, row - half_width), max(0, column - half_width)
    around = known[top : row + half_width + 1, left : column + half_width + 1]
    # Light below zero has no logarithm; with as many pixels as coefficients the quadratic would follow their noise.
    known_here = np.isfinite(around) & (np.nan_to_num(around) > 0)
    if known_here.sum() <= _QUADRATIC:
        return np.nan
    rows, columns = np.nonzero(known_here)
    y, x = rows - (row - top), columns - (column - left)
    light = around[known_here]
    # Weighing by the light undoes the logarithm's stretch of faint pixels: d ln s = ds / s.
    basis = np.column_stack([np.ones_like(light), y, x, y * y, x * y, x * x])
    solution = np.linalg.lstsq(basis * light[:, None], np.log(light) * light, rcond=None)[0]
    # Around a pixel at the edge of what is known the quadratic extrapolates: neither exp nor the fill may run away.
    return float(min(np.exp(min(solution[0], 50.0)), _HIGHEST * light.max()))


def _fill_along_rows(image: np.ndarray) -> np.ndarray:
    """Interpolate what is still missing, a dead row say, linearly between the rows of its column."""
    filled = image.copy()
    rows = np.arange(len(image))
    for column in np.flatnonzero(np.isnan(image).any(axis=0)):
        known = np.isfinite(image[:, column])
        if known.any():
            filled[:, column] = np.interp(rows, rows[known], image[known, column])
    return filled
