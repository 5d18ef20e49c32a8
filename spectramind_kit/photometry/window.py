"""Which pixels the photometry reads, and which of them count as the star's aperture.

AIRS-CH0: rows near the trace are the aperture of every science column; the background is measured on the outer
rows. FGS1: a window around the spot is the aperture, the rest measures the background. The background varies
slowly over the detector, so only every n-th column of it is read: the others need not even be decoded.
"""

import numpy as np

from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.settings.photometry import PhotometryConfig


def photometric_pixels(channel: str, config: PhotometryConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return detector row and column (n_pixel,) of the pixels to read, row by row, columns ascending."""
    row, column = np.nonzero(aperture(channel, config) | background_region(channel, config))
    return row, column + CHANNELS[channel].science_columns[0]


def aperture(channel: str, config: PhotometryConfig) -> np.ndarray:
    """Return the star's aperture on the grid of rows and science columns, (n_row, n_science_column) bool."""
    inside = np.zeros(grid_shape(channel), dtype=bool)
    inside[aperture_window(channel, config)] = True
    return inside


def aperture_window(channel: str, config: PhotometryConfig) -> tuple[slice, slice]:
    """Return the aperture as slices of the grid's rows and columns."""
    if channel == AIRS.name:
        return slice(*config.airs_rows), slice(None)
    return slice(*config.fgs1_rows), slice(*config.fgs1_columns)


def background_region(channel: str, config: PhotometryConfig) -> np.ndarray:
    """Return where the background is measured, (n_row, n_science_column) bool."""
    n_row, n_column = grid_shape(channel)
    row, column = np.indices((n_row, n_column))
    if channel == FGS1.name:
        # Shifted from row to row, so that the pixels left lie all around the spot.
        return ~aperture(channel, config) & ((row + column) % config.fgs1_background_step == 0)
    first, stop = config.airs_background_rows
    outer = (row < first) | (row >= stop)
    return outer & ~aperture(channel, config) & (column % config.airs_background_step == 0)


def grid_shape(channel: str) -> tuple[int, int]:
    """Return the number of rows and of science columns of a channel."""
    first, stop = CHANNELS[channel].science_columns
    return CHANNELS[channel].n_row, stop - first


def on_grid(values: np.ndarray, row: np.ndarray, column: np.ndarray, channel: str, missing: object) -> np.ndarray:
    """Return values (n_pixel,) at detector positions on the grid of rows and science columns.

    Args:
        values: (n_pixel,).
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        channel: "AIRS-CH0" or "FGS1".
        missing: what stands where no pixel was read.
    """
    grid = np.full(grid_shape(channel), missing, dtype=values.dtype)
    grid[row, column - CHANNELS[channel].science_columns[0]] = values
    return grid
