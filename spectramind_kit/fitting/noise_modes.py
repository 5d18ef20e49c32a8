"""Noise that is correlated in time, as few time functions with a prior covariance.

    n(t) = sum_k a_k cos(k pi x(t)),   a ~ N(0, sum_j w_j B_j),   (B_j)_kl = <cos_k, K_j cos_l>

x the place in the visit. The K_j are covariances in time: white noise, Matern 3/2 with a memory of 8, 25 and 80 min, a
random walk; any noise with a falling spectrum is close to one of their sums (Rasmussen & Williams 2006, ch. 4). The
weights w_j are learned from many visits (``nuisance_learning``). Faster changes than the highest cosine's are left to
the white noise of the light curves: they hardly touch a depth.
"""

from functools import lru_cache

import numpy as np

N_MODE = 32
"""Cosines of each colour in which wavelengths follow the noise."""
MEMORIES = (480.0, 1500.0, 4800.0)
"""Of the Matern kernels, which stand between white noise and a random walk [s]."""
USUAL = (1e-5, 1.5e-5, 1.5e-5, 1.5e-5, 3e-5)
"""Standard deviation of each that is assumed of an unknown instrument, relative to the star: photometry from space is
left with some 1e-5 (Pont, Zucker & Queloz 2006)."""
_GRID = 400
"""Times at which the kernels are projected onto the cosines."""
_WHITE_SECONDS = 120.0
"""White noise has its unit of variance in means over so long."""


def cosines(time: np.ndarray, n: int) -> np.ndarray:
    """Return the cosines (n, n_time) of mean zero over the visit.

    Args:
        time: (n_time,) ascending [s].
        n: how many.
    """
    step = (time[-1] - time[0]) / (len(time) - 1)
    # Half a step beyond both ends, as the bins reach: the cosines of evenly spaced times are then orthogonal.
    x = (time - time[0] + 0.5 * step) / (step * len(time))
    return np.cos(np.pi * np.arange(1, n + 1)[:, None] * x)


def usual_covariance(length: float, n: int) -> np.ndarray:
    """Return the covariance (n, n) of the amplitudes where no visits have been learned from: some 1e-5 of each kind."""
    return np.tensordot(np.array(USUAL) ** 2, kernel_covariances(length, n), axes=1)


@lru_cache(maxsize=8)
def kernel_covariances(length: float, n: int) -> np.ndarray:
    """Return the covariance of the cosines' amplitudes under each kernel of unit variance: white, Matern, walk.

    Args:
        length: of the visit [s].
        n: cosines.

    Returns:
        (n_kernel, n, n); read-only, because it is kept.
    """
    time = length * (np.arange(_GRID) + 0.5) / _GRID
    apart = np.abs(time[:, None] - time)
    scaled = [np.sqrt(3.0) * apart / memory for memory in MEMORIES]
    kernels = [(1.0 + s) * np.exp(-s) for s in scaled]
    kernels.append(np.minimum(time[:, None], time) / length)  # reaches a variance of one at the end
    project = 2.0 / _GRID * cosines(time, n)
    white = np.eye(n) * 2.0 * _WHITE_SECONDS / length
    found = np.stack([white, *(project @ kernel @ project.T for kernel in kernels)])
    found.flags.writeable = False
    return found
