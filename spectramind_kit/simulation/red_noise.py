"""Correlated noise that multiplies the star's light: granulation, and what the instrument does to all pixels alike.

The sum of some Ornstein-Uhlenbeck processes, whose correlation times and shares of the variance every visit draws:
noise of one memory in some visits, in others a spectrum close to 1/f from minutes to hours. Its size is what is left of
it in space photometry of transits: 20 to 100 ppm (Pont, Zucker & Queloz 2006 for its effect; Gilliland et al. 2011 for
Kepler's stars).
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.signal import lfilter

from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.distributions import log_uniform_array

_MEMORY = (140.0, 9500.0)
"""Correlation times [s]."""
_N_PROCESS = 3
_LN_SIZE_SCATTER = 0.65
_SPACING = 36.0
"""The noise is drawn on this grid, finer than any correlation, and averaged: it is the same at every cadence [s]."""


@dataclass(frozen=True)
class RedNoise:
    """Correlated noise of one channel in a visit: series (n,) [1] on an even grid of times from 0."""

    series: np.ndarray

    def over(self, time: np.ndarray, exposure: float) -> np.ndarray:
        """Return the mean noise of exposures of a length [s] about times [s], in the shape of ``time`` [1]."""
        grid = _SPACING * np.arange(len(self.series))
        integral = cumulative_trapezoid(self.series, dx=_SPACING, initial=0.0)
        half = 0.5 * max(exposure, _SPACING)
        start, end = (np.clip(time + side, 0.0, grid[-1]) for side in (-half, half))
        return (np.interp(end, grid, integral) - np.interp(start, grid, integral)) / (end - start)


def draw_red_noise(size: float, rng: np.random.Generator) -> RedNoise:
    """Draw a visit's noise; the median of its standard deviation is ``size`` relative to the star [1]."""
    n = int(np.ceil(OBSERVATION_TIME / _SPACING)) + 1
    size = size * float(np.exp(rng.normal(0.0, _LN_SIZE_SCATTER)))
    shares, memories = rng.dirichlet(np.ones(_N_PROCESS)), log_uniform_array(_MEMORY, _N_PROCESS, rng)
    processes = [
        np.sqrt(share) * _ornstein_uhlenbeck(n, np.exp(-_SPACING / memory), rng)
        for share, memory in zip(shares, memories)
    ]
    return RedNoise(size * np.sum(processes, axis=0))


def _ornstein_uhlenbeck(n: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """Return n steps of unit variance, each ``memory`` times the one before and noise, from its stationary state."""
    start, noise = rng.standard_normal(), rng.standard_normal(n)
    return lfilter([np.sqrt(1.0 - memory**2)], [1.0, -memory], noise, zi=[memory * start])[0]
