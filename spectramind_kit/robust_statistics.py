"""Statistics that a few wild values do not move, and estimates shrunk to what the data prove."""

import numpy as np


def evident_excess(ratio: float, freedom: float) -> float:
    """Return how much of a measured variance ratio is more than chance, at least 1.

    The ratio scatters by e = sqrt(2 / freedom) around 1 where nothing is there, and max(1, ratio) would widen every
    sigma on average. Shrunk as James & Stein (1961) do, 1 + (x - e^2 / x) with x = ratio - 1 > e, chance costs a
    quarter of that, and what is many e away is kept.
    """
    chance, over = np.sqrt(2.0 / freedom), ratio - 1.0
    return 1.0 + (over - chance**2 / over if over > chance else 0.0)
