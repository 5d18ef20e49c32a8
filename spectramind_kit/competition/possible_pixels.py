"""Which pixels of calibration tables can be true: numbers that are finite, and still no detector's.

The limits lie far outside of what detectors do, hot pixels included; a pixel beyond them has a damaged table, and
counts as dead. Tables that are wrong everywhere leave no pixel, and the channel is lost.
"""

import numpy as np

from spectramind_kit.instruments import Channel

_MOST_NEGATIVE_DARK = -1.0
"""Dark currents scatter about zero by thousandths; none is so far below [e-/s]."""
_FULL_WELL = 1.0e5
"""No dark current fills a pixel while it is exposed [e-]."""
_LARGEST_FLAT = 3.0
_LARGEST_READ_NOISE = 500.0
"""[e-] a read."""
_PROBES = (5.0e3, 2.0e4, 5.0e4)
"""Electrons at which pixels are compared with the median one after linearity is corrected."""
_LARGEST_DEPARTURE = 0.5


def possible_pixels(
    channel: Channel, dark: np.ndarray, flat: np.ndarray, read_noise: np.ndarray, linearity: np.ndarray
) -> np.ndarray:
    """Return which pixels have a calibration that some detector could have, bool (n_row, n_column).

    Args:
        channel: the detector.
        dark: (n_row, n_column) dark current [e-/s].
        flat: (n_row, n_column) response [1].
        read_noise: (n_row, n_column) [e-] per read.
        linearity: (n_coefficient, n_row, n_column), ascending powers: measured e- -> linear e-.
    """
    possible = (dark >= _MOST_NEGATIVE_DARK) & (dark * channel.exposure_time <= _FULL_WELL)
    possible &= flat <= _LARGEST_FLAT
    possible &= (read_noise >= 0.0) & (read_noise <= _LARGEST_READ_NOISE)
    for electrons in _PROBES:
        linear = np.asarray(np.polynomial.polynomial.polyval(electrons, linearity))
        known = linear[~np.isnan(linear)]
        middle = np.median(known) if len(known) else np.nan  # of a damaged table nothing is possible
        possible &= np.abs(linear - middle) <= _LARGEST_DEPARTURE * electrons
    return possible
