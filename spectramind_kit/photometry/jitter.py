"""Pointing: first and second moments of the star's image in every exposure, as regressors for the fit."""

import numpy as np


def centroid(profile: np.ndarray) -> float:
    """Return the light-weighted mean index of a profile (n,)."""
    light = np.clip(profile, 0, None)
    total = light.sum()
    return float((np.arange(len(light)) * light).sum() / total) if total > 0 else (len(light) - 1) / 2


def moments(signal: np.ndarray, position: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centroid and width (n_exposure,) [pixel] of the light along one axis.

    Args:
        signal: (n_pixel, n_exposure) [e-].
        position: (n_pixel,) coordinate along the axis [pixel].
        weight: (n_pixel,), zero outside the aperture.
    """
    weight = weight.astype(np.float64)
    light = weight @ signal
    light = np.where(np.abs(light) > 0, light, np.nan)
    mean = (weight * position) @ signal / light
    square = (weight * position**2) @ signal / light
    return mean, np.sqrt(np.clip(square - mean**2, 0, None))
