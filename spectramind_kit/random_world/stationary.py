"""Stationary Gaussian series of any power spectrum, drawn by shaping white noise in Fourier space."""

from collections.abc import Callable

import numpy as np

_PADDING = 4
"""Times the visit's length that is drawn, so that its two ends know nothing of each other."""


def draw_stationary(
    spectrum: Callable[[np.ndarray], np.ndarray], n_series: int, n_time: int, spacing: float, rng: np.random.Generator
) -> np.ndarray:
    """Return series of expected variance one, (n_series, n_time) [1].

    Args:
        spectrum: power, up to a factor, at frequencies (n,) > 0 [1/s].
        n_series: series to draw.
        n_time: samples of each.
        spacing: time from one sample to the next [s].
        rng: source of every random draw.
    """
    n_drawn = _PADDING * n_time
    frequency = np.fft.rfftfreq(n_drawn, spacing)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = np.sqrt(spectrum(frequency[1:]))
    noise = rng.standard_normal((n_series, 2, len(frequency)))
    series = np.fft.irfft(amplitude * (noise[:, 0] + 1j * noise[:, 1]), n_drawn, axis=1)[:, :n_time]
    # Every frequency but the last appears twice in a real series; the variance of the sum is what is divided by.
    return series * n_drawn / (2.0 * np.sqrt((amplitude**2).sum()))
