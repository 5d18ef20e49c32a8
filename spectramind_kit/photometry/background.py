"""Foreground light, separated from the wings of the star.

The star's diffraction wings reach the edge of the detector (about 0.1 % of the light per row on AIRS-CH0), so
the outer pixels are not clean: taken as they are, they make depths too deep by up to 1 %. The mean light of
the outer pixels is modelled as wing + foreground,

    B(d) = A (w^2 + d^2)^(-slope / 2) + F

with the distance d from the trace, and only F is subtracted. The width w of the wings' core grows with the
wavelength; without it F comes out too large by half at the red end. Widths and slopes belong to the instrument
and are measured on real frames, where F and the slope are nearly degenerate (a slope of 2.0 or 2.4 instead of 2.2
moves F by 0.2 % of the starlight), so they are configuration, not truth.
"""

import numpy as np

from spectramind_kit.config import PhotometryConfig
from spectramind_kit.instruments import FGS1
from spectramind_kit.photometry.jitter import centroid
from spectramind_kit.photometry.profile import fill_bad_pixels
from spectramind_kit.photometry.window import aperture_window, background_region


def foreground_per_pixel(
    mean_signal: np.ndarray, good: np.ndarray, channel: str, config: PhotometryConfig
) -> np.ndarray:
    """Return the foreground F (n_column,) [e- per pixel and exposure]; 0 where too few pixels tell it.

    Args:
        mean_signal: time mean of each pixel (n_row, n_column) [e-]; anything where ``good`` is False.
        good: (n_row, n_column) bool.
        channel: "AIRS-CH0" (one F per column) or "FGS1" (one F for the detector).
        config: background region and wing slopes.
    """
    outer = background_region(channel, config) & good
    light = np.where(good, mean_signal, 0.0)
    window = aperture_window(channel, config)
    star = fill_bad_pixels(light[window], good[window], channel)
    rows, columns = np.indices(mean_signal.shape)
    row_centre = window[0].start + centroid(star.sum(axis=1))
    if channel == FGS1.name:
        distance = np.hypot(rows - row_centre, columns - window[1].start - centroid(star.sum(axis=0)))
        wing = _wing(distance, config.fgs1_wing_width, config.fgs1_wing_slope)
        foreground = _split(*(values.reshape(-1, 1) for values in (wing, light, outer)))
        return np.full(mean_signal.shape[1], np.nan_to_num(foreground[0]))
    width = np.linspace(*config.airs_wing_width, mean_signal.shape[1])
    wing = _wing(rows - row_centre, width, config.airs_wing_slope)
    return _smooth_over_columns(_split(wing, light, outer), star.sum(axis=0))


def _wing(distance: np.ndarray, width: np.ndarray | float, slope: float) -> np.ndarray:
    """Return the shape of the wings, (1 + (d / w)^2)^(-slope / 2)."""
    return (1.0 + (distance / width) ** 2) ** (-0.5 * slope)


def _split(wing: np.ndarray, light: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Fit light = A wing + F in every column robustly (one pass of clipping).

    Args:
        wing, light: (n_pixel, n_column); used: (n_pixel, n_column) bool, which pixels to fit.

    Returns:
        F (n_column,); NaN with fewer than four pixels.
    """
    kept = used
    for _ in range(2):
        count = np.maximum(kept.sum(axis=0), 1)
        wing_mean, light_mean = (np.where(kept, values, 0.0).sum(axis=0) / count for values in (wing, light))
        lever = np.where(kept, wing - wing_mean, 0.0)
        amplitude = (lever * light).sum(axis=0) / np.maximum((lever**2).sum(axis=0), 1e-30)
        foreground = light_mean - amplitude * wing_mean
        distance = np.abs(light - amplitude * wing - foreground)
        enough = kept.sum(axis=0) >= 4
        spread = 1.4826 * _median(np.where(kept & enough, distance, np.nan)) + 1e-12
        kept = used & (distance < 5 * spread)
    return np.where(enough, foreground, np.nan)


def _median(values: np.ndarray) -> np.ndarray:
    """Return the median of each column, NaN left out; 0 for a column of nothing else."""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    low, high = (np.maximum(count - 1, 0) // 2, count // 2)
    middle = [np.take_along_axis(ordered, i[None], axis=0)[0] for i in (low, np.minimum(high, len(values) - 1))]
    return np.where(count > 0, 0.5 * (middle[0] + middle[1]), 0.0)


def _smooth_over_columns(foreground: np.ndarray, star: np.ndarray) -> np.ndarray:
    """Let the foreground vary as slowly as a cubic in the column, relative to the star's light."""
    share = foreground / np.maximum(star, 1.0)
    known = np.isfinite(share)
    if known.sum() < 8:
        return np.zeros(len(share))
    x = np.linspace(-1, 1, len(share))
    weight = np.maximum(star, 1.0)
    cubic = np.polynomial.legendre.Legendre.fit(x[known], share[known], 3, w=weight[known], domain=[-1, 1])
    return cubic(x) * star
