"""Time bins: both channels on one grid, a whole number of AIRS-CH0 exposures long."""

import numpy as np


def bin_edges(mid_time: np.ndarray, wanted_seconds: float) -> np.ndarray:
    """Return the edges (n_time + 1,) [s] of equal bins that hold a whole number of exposures each.

    Args:
        mid_time: (n_exposure,) [s] of the slower channel, evenly spaced.
        wanted_seconds: wanted length of a bin; the spacing of the exposures if that is longer.

    The last exposures are dropped where they do not fill a bin.
    """
    spacing = float(np.median(np.diff(mid_time))) if len(mid_time) > 1 else wanted_seconds
    per_bin = max(1, round(wanted_seconds / spacing))
    per_bin = min(per_bin, len(mid_time))
    n_bin = len(mid_time) // per_bin
    start = mid_time[0] - spacing / 2
    return start + spacing * per_bin * np.arange(n_bin + 1)


def bin_mean(values: np.ndarray, mid_time: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average series in time bins.

    Args:
        values: (n_series, n_exposure).
        mid_time: (n_exposure,) [s], ascending.
        edges: (n_time + 1,) [s].

    Returns:
        Means (n_series, n_time), NaN in a bin without exposures, and how many exposures each bin has (n_time,).
    """
    bounds = np.searchsorted(mid_time, edges)
    count = np.diff(bounds)
    # A column of zeros more, because ``reduceat`` wants every bound inside the array.
    padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1, dtype=np.float64)
    total = np.add.reduceat(padded, bounds, axis=1)[:, :-1]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count
