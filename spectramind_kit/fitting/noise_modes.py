"""Noise that is correlated in time, as few time functions with a prior covariance.

    n(t) = sum_k a_k cos(k pi x(t)),   a ~ N(0, sum_j w_j B_j),   (B_j)_kl = <cos_k, K_j cos_l>

x the place in the visit. The K_j are covariances in time: white noise, Matern 3/2 with a memory of 8, 25 and 80 min, a
random walk; any noise with a falling spectrum is close to one of their sums (Rasmussen & Williams 2006, ch. 4). The
last one, a squared exponential, is of changes that are smooth, as temperature cycles are: of all others a part is fast,
and a transit less sure for it. The weights w_j are learned from many visits (``nuisance_learning``). Faster changes
than the highest cosine's are left to the white noise of the light curves: they hardly touch a depth.
"""

from functools import lru_cache

import numpy as np

from spectramind_kit.fitting.systematics import Term, strengths

N_MODE = 32
"""Cosines of each colour in which wavelengths follow the noise."""
MEMORIES = (480.0, 1500.0, 4800.0)
"""Of the Matern kernels, which stand between white noise and a random walk [s]."""
SMOOTH = 2400.0
"""Of the squared exponential [s]: an hour between a crest and a zero."""
USUAL = (1e-5, 1.5e-5, 1.5e-5, 1.5e-5, 3e-5, 0.5e-5)
"""Standard deviation of each that is assumed of an unknown instrument, relative to the star: photometry from space is
left with some 1e-5 (Pont, Zucker & Queloz 2006)."""
_BAND = 8
"""Modes whose size is taken together."""
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


def noise_terms(time: np.ndarray, bin_seconds: float, wavelength: np.ndarray, size: float = 1.0) -> list[Term]:
    """Return the modes in all colours in which wavelengths follow the noise.

    Args:
        time: (n_time,) ascending [s].
        bin_seconds: between them [s].
        wavelength: (n_wavelength,) [um].
        size: prior scatter over the usual one.
    """
    modes, usual = cosines(time, N_MODE), _usual_scatter(bin_seconds * len(time))
    return [
        Term(f"noise_{colour}/{k}", mode, strength, size * usual[k])
        for colour, strength in strengths(wavelength, 1)
        for k, mode in enumerate(modes)
    ]


def slow_noise(time: np.ndarray, bin_seconds: float, series: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return how large the slow noise of a light curve is over the usual one, and what the modes leave of its variance.

    Args:
        time: (n_time,) ascending [s].
        bin_seconds: between them [s].
        series: (n_time,) what a model has left of the curve, relative to the star [1].
        weight: (n_time,) its inverse variance, zero where a point is not used.

    Returns:
        Size [1], and the variance that is left over the expected one [1]; zero and one with too few times to say.
    """
    modes, usual, used = cosines(time, N_MODE), _usual_scatter(bin_seconds * len(time)), weight > 0
    if used.sum() <= 2 * N_MODE:
        return 0.0, 1.0
    # A prior of a thousand times the usual size: a gap leaves some mixtures of modes without light.
    inverse = np.linalg.inv((modes * weight) @ modes.T + np.diag((1e3 * usual) ** -2.0))
    amplitude = inverse @ (modes @ (weight * series))
    left = (weight * (series - amplitude @ modes) ** 2).sum() / (used.sum() - N_MODE)
    power = (amplitude**2 - inverse.diagonal()) / usual**2
    slow = power[: N_MODE // 2].reshape(-1, _BAND).mean(axis=1).max()
    return float(np.sqrt(max(slow, 0.0))), float(left)


def _usual_scatter(length: float) -> np.ndarray:
    return np.sqrt(np.diag(usual_covariance(length, N_MODE)))


@lru_cache(maxsize=8)
def kernel_covariances(length: float, n: int) -> np.ndarray:
    """Return the covariance of the cosines' amplitudes under each kernel of unit variance: white, Matern, walk, smooth.

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
    kernels.append(np.exp(-0.5 * (apart / SMOOTH) ** 2))
    project = 2.0 / _GRID * cosines(time, n)
    white = np.eye(n) * 2.0 * _WHITE_SECONDS / length
    found = np.stack([white, *(project @ kernel @ project.T for kernel in kernels)])
    found.flags.writeable = False
    return found
