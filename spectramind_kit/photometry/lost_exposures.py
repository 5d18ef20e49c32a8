"""Exposures without the star: frames that were lost on the way, read as zero or as half of what they were.

Transits and drifts change the light by a few per cent; an exposure that is off by half of the visit's median does
not show the star, and the bin it falls into has no usable flux.
"""

from dataclasses import replace

import numpy as np

from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import AIRS, FGS1

LARGEST_CHANGE = 0.5
"""Of the light of an exposure that shows the star, relative to the median one [1]."""
_LOST = {FGS1.name: Flag.FGS1_EXPOSURES_LOST, AIRS.name: Flag.AIRS_EXPOSURES_LOST}


def lost_exposures(light: np.ndarray) -> np.ndarray:
    """Return which exposures (n_exposure,) bool hold far less or far more light than the median one.

    Args:
        light: sum of the aperture in every exposure (n_exposure,) [e-]; without any light no exposure is lost.
    """
    usual = np.median(light)
    if not usual > 0:
        return np.zeros(len(light), dtype=bool)
    return np.abs(light / usual - 1.0) > LARGEST_CHANGE


def bins_with(exposures: np.ndarray, mid_time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return which time bins hold at least one of some exposures, (n_time,) bool.

    Args:
        exposures: (n_exposure,) bool.
        mid_time: (n_exposure,) [s].
        edges: (n_time + 1,) [s].
    """
    bin_of = np.searchsorted(edges, mid_time[exposures], side="right") - 1
    marked = np.zeros(len(edges) - 1, dtype=bool)
    marked[bin_of[(bin_of >= 0) & (bin_of < len(marked))]] = True
    return marked


def without_spoiled_bins(bins: PixelBins, spoiled: np.ndarray) -> PixelBins:
    """Return the pixels with the mean of the exposures in bins that are not spoiled.

    The star's image and the foreground under it are taken from the visit's mean: with exposures of no star in it, light
    would be added to all others, and transits look shallower.

    Args:
        bins: of one channel.
        spoiled: (n_time,) bool, of the first time bins; where none or all of them are, the mean stands.
    """
    if not spoiled.any() or spoiled.all():
        return bins
    kept = np.flatnonzero(~spoiled)
    mean = bins.light[:, kept] @ bins.count[kept] / bins.count[kept].sum()
    return replace(bins, mean=mean)


def lost_exposure_flags(channel: str, exposures: np.ndarray) -> Flags:
    """Return the flag of lost exposures (n_exposure,) bool; none where no exposure is."""
    n = int(exposures.sum())
    return {_LOST[channel]: f"{n} of {len(exposures)}"} if n else {}
