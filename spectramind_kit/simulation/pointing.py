"""The telescope's pointing.

FGS1's pointing, measured on real exposures, swings with a period of about 2.5 s and averages out over a
minute: a damped oscillator driven by white noise (a second-order autoregression). AIRS-CH0's long exposures
see white jitter only.
"""

import numpy as np
from scipy.signal import lfilter

OSCILLATION_PERIOD = 2.5
"""Period of the pointing oscillation [s]."""

DAMPING_TIME = 30.0
"""Coherence time of the oscillation [s]."""

_WARM_UP = 500
"""Exposures before the visit, so that the oscillation starts in its stationary state."""


def white_jitter(n_exposure: int, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Return independent shifts of standard deviation ``sigma``, (n_exposure,) [pixel]."""
    return sigma * rng.standard_normal(n_exposure)


def oscillating_jitter(n_exposure: int, sigma: float, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Return shifts that swing about zero, (n_exposure,) [pixel].

    Args:
        n_exposure: exposures in a row.
        sigma: standard deviation per exposure [pixel].
        spacing: time from one exposure to the next [s].
        rng: source of every random draw.
    """
    memory = np.exp(-spacing / DAMPING_TIME)
    first, second = 2.0 * memory * np.cos(2.0 * np.pi * spacing / OSCILLATION_PERIOD), -(memory**2)
    # Stationary variance of x_t = first x_(t-1) + second x_(t-2) + noise of variance 1 (Yule-Walker).
    variance = (1.0 - second) / ((1.0 + second) * ((1.0 - second) ** 2 - first**2))
    noise = rng.standard_normal(n_exposure + _WARM_UP)
    return sigma / np.sqrt(variance) * lfilter([1.0], [1.0, -first, -second], noise)[_WARM_UP:]
