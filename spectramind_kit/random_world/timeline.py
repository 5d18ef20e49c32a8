"""The grid that everything happens on in a visit: one sample per exposure pair of AIRS-CH0, twelve of FGS1 in each."""

import numpy as np

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence

N_SLOW = round(OBSERVATION_TIME / AIRS.pair_period)
SLOW_STEP = AIRS.pair_period
"""Spacing of gains [s]."""
N_FAST = round(OBSERVATION_TIME / FGS1.pair_period)
FAST_STEP = FGS1.pair_period
"""Spacing of the pointing [s]."""
FAST_PER_SLOW = N_FAST // N_SLOW


def visit_phase() -> np.ndarray:
    """Return the share of the visit that has passed at the slow grid, (N_SLOW,) in (0, 1)."""
    return (np.arange(N_SLOW) + 0.5) / N_SLOW


def exposure_middles(cadence: Cadence) -> np.ndarray:
    """Return the middle of a channel's stored exposures, (n_pair,) [s].

    A random world's clock stamps a frame when it is read, not when its light begins to count: the real detector's tenth
    of a second is nothing that a fit may rely on.
    """
    return cadence.resets() + cadence.channel.exposure_time / 2


def on_exposures(slow: np.ndarray, cadence: Cadence) -> np.ndarray:
    """Return means over a channel's stored exposures, (..., N_SLOW) -> (..., n_pair)."""
    if cadence.n_real == N_SLOW:
        return cadence.average(slow)
    return cadence.average(np.repeat(slow, FAST_PER_SLOW, axis=-1))


def pointing_on_exposures(fast: np.ndarray, cadence: Cadence) -> np.ndarray:
    """Return the mean pointing of a channel's stored exposures, (..., N_FAST) -> (..., n_pair)."""
    if cadence.n_real == N_FAST:
        return cadence.average(fast)
    return cadence.average(fast.reshape(*fast.shape[:-1], N_SLOW, FAST_PER_SLOW).mean(axis=-1))


def binned(slow: np.ndarray, n_bin: int) -> np.ndarray:
    """Return means over equal time bins, (..., N_SLOW) -> (..., n_bin); what is left at the end is dropped."""
    width = slow.shape[-1] // n_bin
    return slow[..., : n_bin * width].reshape(*slow.shape[:-1], n_bin, width).mean(axis=-1)
