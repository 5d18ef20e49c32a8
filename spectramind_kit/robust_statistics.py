"""Statistics that a few wild values do not move, and ratios shrunk to what the data prove."""

import numpy as np

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation, 1 / Phi^-1(3/4)."""


def shrunk_excess(ratio: float, freedom: float) -> float:
    """Return how much of a measured variance ratio is more than chance, at least 1.

    The ratio scatters by e = sqrt(2 / freedom) around 1 where nothing is there, and max(1, ratio) would widen every
    sigma on average. The positive-part shrinkage of James & Stein (1961), 1 + (x - e^2 / x) with x = ratio - 1 > e,
    costs a quarter of that by chance, and keeps what lies many e above 1.

    Args:
        ratio: measured over expected variance [1].
        freedom: degrees of freedom of the measured variance.
    """
    chance, excess = np.sqrt(2.0 / freedom), ratio - 1.0
    return 1.0 + (excess - chance**2 / excess if excess > chance else 0.0)


def lower_median(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the median along an axis, the lower one of two middle values; NaN values do not count.

    Args:
        values: of any shape; a slice of nothing but NaN has the median NaN.
        axis: that the median is taken along.
    """
    ordered = np.sort(values, axis=axis)  # NaN sort to the end
    middle = np.maximum((~np.isnan(values)).sum(axis=axis, keepdims=True) - 1, 0) // 2
    return np.take_along_axis(ordered, middle, axis=axis).squeeze(axis)
