"""Foreground light, separated from the wings of the star.

The star's diffraction wings reach the edge of the detector (about 0.1 % of the light per row on AIRS-CH0), so
the outer pixels are not clean: taken as they are, they make depths too deep by up to 1 %. The mean light of
the outer pixels is modelled as wing + foreground, B(d) = A d^(-slope) + F with the distance d from the trace,
and only F is subtracted. On real frames F and the wing's slope are nearly degenerate (a slope of 2.0 or 2.5
instead of 2.2 moves F by half a percent of the starlight), so the slopes are configuration, not truth.
"""

import numpy as np

from spectramind_kit.config import PhotometryConfig
from spectramind_kit.instruments import FGS1
from spectramind_kit.photometry.jitter import centroid
from spectramind_kit.photometry.window import background_region


def foreground_per_pixel(
    mean_signal: np.ndarray, good: np.ndarray, channel: str, config: PhotometryConfig
) -> np.ndarray:
    """Return the foreground F (n_column,) [e- per pixel and exposure]; 0 where too few pixels tell it.

    Args:
        mean_signal: time mean of each pixel (n_row, n_column) [e-].
        good: (n_row, n_column) bool.
        channel: "AIRS-CH0" (one F per column) or "FGS1" (one F for the detector).
        config: background region and wing slopes.
    """
    outer = background_region(channel, config) & good
    star = np.where(good, mean_signal, 0.0)
    rows, columns = np.indices(mean_signal.shape)
    row_centre = centroid(star.sum(axis=1))
    if channel == FGS1.name:
        distance = np.hypot(rows - row_centre, columns - centroid(star.sum(axis=0)))
        wing = np.maximum(distance, 1.0) ** -config.fgs1_wing_slope
        foreground = _split(wing[outer], mean_signal[outer])
        return np.full(mean_signal.shape[1], np.nan_to_num(foreground))
    wing = np.maximum(np.abs(rows - row_centre), 1.0) ** -config.airs_wing_slope
    foreground = [_split(wing[o, c], mean_signal[o, c]) for c, o in enumerate(outer.T)]
    return _smooth_over_columns(np.array(foreground), star.sum(axis=0))


def _split(wing: np.ndarray, light: np.ndarray) -> float:
    """Fit light = A wing + F robustly (one pass of clipping) and return F; NaN with fewer than four pixels."""
    kept = np.ones(len(light), dtype=bool)
    for _ in range(2):
        if kept.sum() < 4:
            return np.nan
        basis = np.column_stack([wing, np.ones_like(wing)])
        solution = np.linalg.lstsq(basis[kept], light[kept], rcond=None)[0]
        residual = light - basis @ solution
        spread = 1.4826 * np.median(np.abs(residual[kept])) + 1e-12
        kept = np.abs(residual) < 5 * spread
    return float(solution[1])


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


def background_light(mean_signal: np.ndarray, good: np.ndarray, channel: str, config: PhotometryConfig) -> float:
    """Return the mean light of the outer pixels [e- per pixel and exposure], wings and all: a quantity to watch."""
    outer = background_region(channel, config) & good
    return float(mean_signal[outer].mean()) if outer.any() else 0.0
