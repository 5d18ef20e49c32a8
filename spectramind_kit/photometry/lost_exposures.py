"""Exposures without the star: frames that were lost on the way, read as zero or as half of what they were.

Transits and drifts change the light by a few per cent; an exposure that is off by half of the visit's median did
not see the star, and the bin it falls into has no usable flux.
"""

import numpy as np

LARGEST_CHANGE = 0.5


def lost_exposures(light: np.ndarray) -> np.ndarray:
    """Return which exposures (n_exposure,) bool hold far less or far more light than the median one.

    Args:
        light: sum of the aperture in every exposure (n_exposure,) [e-]; without any light none is told apart.
    """
    usual = np.median(light)
    if not usual > 0:
        return np.zeros(len(light), dtype=bool)
    return np.abs(light / usual - 1.0) > LARGEST_CHANGE


def bins_with(exposures: np.ndarray, mid_time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return which time bins (n_time,) bool hold at least one of the marked exposures (n_exposure,)."""
    bin_of = np.searchsorted(edges, mid_time[exposures], side="right") - 1
    marked = np.zeros(len(edges) - 1, dtype=bool)
    marked[bin_of[(bin_of >= 0) & (bin_of < len(marked))]] = True
    return marked


def told(channel: str, exposures: np.ndarray) -> tuple[str, ...]:
    """Return what a light curve's flags say of lost exposures; nothing where there are none."""
    n = int(exposures.sum())
    return (
        (f"{n} of {len(exposures)} exposures of {channel} do not show the star: their bins are not used",) if n else ()
    )
