"""Cosmic rays: an exposure of one pixel far above both its neighbours in time.

Every pair starts with a reset, so a hit lives in one exposure. The scatter is measured on the pixel itself,
because pointing jitter moves the pixels beside a bright spot by more than photon noise.
"""

import numpy as np

from spectramind_kit.robust_statistics import MAD_TO_SIGMA

SAMPLED_DIFFERENCES = 512


def find_cosmic_rays(signal: np.ndarray, variance: np.ndarray, sigma: float) -> np.ndarray:
    """Return which exposures are hits, (n_pixel, n_exposure) bool.

    Args:
        signal: (n_pixel, n_exposure) [e-].
        variance: (n_pixel, n_exposure) [e-^2].
        sigma: threshold over the larger of both neighbours, in the larger of expected and measured scatter.
    """
    if signal.shape[1] < 3:
        return np.zeros(signal.shape, dtype=bool)
    scatter = np.maximum(np.sqrt(variance.mean(axis=1)), _measured_scatter(signal))
    threshold = (sigma * scatter)[:, None]
    # Both neighbours must be lower: where the flux jumps, or at the edge of a transit, only one is.
    hit = np.zeros(signal.shape, dtype=bool)
    hit[:, 1:-1] = signal[:, 1:-1] > np.maximum(signal[:, :-2], signal[:, 2:]) + threshold
    hit[:, :1] = signal[:, :1] > np.maximum(signal[:, 1:2], signal[:, 2:3]) + threshold
    hit[:, -1:] = signal[:, -1:] > np.maximum(signal[:, -2:-1], signal[:, -3:-2]) + threshold
    return hit


def remove_cosmic_rays(exposures: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Return exposures, or their variances, with every hit replaced by the mean of its neighbours in time.

    Args:
        exposures: (n_pixel, n_exposure).
        hit: (n_pixel, n_exposure) bool.
    """
    cleaned = exposures.copy()
    pixel, exposure = np.nonzero(hit)
    last = exposures.shape[1] - 1
    before = np.where(exposure == 0, 1, exposure - 1)
    after = np.where(exposure == last, last - 1, exposure + 1)
    cleaned[pixel, exposure] = 0.5 * (exposures[pixel, before] + exposures[pixel, after])
    return cleaned


def _measured_scatter(signal: np.ndarray) -> np.ndarray:
    """Robust scatter of each pixel (n_pixel,) from differences of successive exposures, sampled over the visit."""
    step = max(1, (signal.shape[1] - 1) // SAMPLED_DIFFERENCES)
    difference = np.diff(signal, axis=1)[:, ::step]
    return MAD_TO_SIGMA / np.sqrt(2) * np.median(np.abs(difference), axis=1)
