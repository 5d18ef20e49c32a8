"""Which pixels the photometry reads, and which of them count as the star's aperture.

AIRS-CH0: all rows of the science columns; rows near the trace are summed, the outer ones measure the background.
FGS1: the whole small detector; a window around the spot is summed, the rest measures the background.
"""

import numpy as np

from spectramind_kit.competition.frames import detector_pixels
from spectramind_kit.config import PhotometryConfig
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1


def photometric_pixels(channel: str) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column (n_pixel,) of the pixels to read, row by row, columns ascending."""
    return detector_pixels(CHANNELS[channel], CHANNELS[channel].science_columns)


def aperture(channel: str, config: PhotometryConfig) -> np.ndarray:
    """Return the aperture (n_row, n_science_column) bool on the grid of ``photometric_pixels``."""
    detector = CHANNELS[channel]
    first, stop = detector.science_columns
    inside = np.zeros((detector.n_row, stop - first), dtype=bool)
    if channel == AIRS.name:
        inside[slice(*config.airs_rows)] = True
    else:
        inside[slice(*config.fgs1_rows), slice(*config.fgs1_columns)] = True
    return inside


def background_region(channel: str, config: PhotometryConfig) -> np.ndarray:
    """Return where the background is measured (n_row, n_science_column) bool."""
    if channel == FGS1.name:
        return ~aperture(channel, config)
    region = np.ones((AIRS.n_row, AIRS.science_columns[1] - AIRS.science_columns[0]), dtype=bool)
    region[slice(*config.airs_background_rows)] = False
    return region
