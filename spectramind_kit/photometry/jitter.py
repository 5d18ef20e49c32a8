"""Pointing: first and second moments of the star's image in every exposure, as regressors for the fit.

Moments are ratios of weighted sums M_k(t) = sum_p x_p^k s_p(t) over the aperture, k = 0, 1, 2.
"""

import numpy as np

from spectramind_kit.instruments import CHANNELS, FGS1
from spectramind_kit.photometry.window import aperture
from spectramind_kit.settings.photometry import PhotometryConfig

_PREFIX = {"FGS1": "fgs1", "AIRS-CH0": "airs"}


def centroid(profile: np.ndarray) -> float:
    """Return the light-weighted mean index of a profile (n,)."""
    light = np.clip(profile, 0, None)
    total = light.sum()
    return float((np.arange(len(light)) * light).sum() / total) if total > 0 else (len(light) - 1) / 2


def moment_weights(channel: str, row: np.ndarray, column: np.ndarray, config: PhotometryConfig) -> np.ndarray:
    """Return the weights (n_moment, n_pixel) of a channel's image moments, zero outside the aperture.

    Moments: the light, its row and row squared; for FGS1 its column and column squared too.
    """
    inside = aperture(channel, config)[row, column - CHANNELS[channel].science_columns[0]]
    axes = (row, column) if channel == FGS1.name else (row,)
    powers = [axis.astype(np.float64) ** k for axis in axes for k in (1, 2)]
    return inside * np.stack([np.ones(len(row)), *powers])


def image_series(channel: str, moments: np.ndarray) -> dict[str, np.ndarray]:
    """Return centroids and widths (n_exposure,) [pixel] by name, from moments as ``moment_weights`` orders them."""
    series = {}
    for i, axis in enumerate(("row", "column")[: len(moments) // 2]):
        centre, width = centroid_and_width(moments[0], moments[2 * i + 1], moments[2 * i + 2])
        series |= {f"{_PREFIX[channel]}_{axis}_centroid": centre, f"{_PREFIX[channel]}_{axis}_width": width}
    return series


def centroid_and_width(light: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the light along an axis (n_exposure,) [pixel]; NaN without light.

    Args:
        light: sum of the light (n_exposure,).
        first: sum of light times coordinate (n_exposure,).
        second: sum of light times coordinate squared (n_exposure,).
    """
    light = np.where(np.abs(light) > 0, light, np.nan)
    mean = first / light
    return mean, np.sqrt(np.clip(second / light - mean**2, 0, None))
