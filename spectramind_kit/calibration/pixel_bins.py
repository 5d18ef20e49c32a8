"""What the photometry needs of a calibrated cube: each pixel's light in time bins, and image moments.

Every sum of pixels with weights that do not change in time commutes with binning in time, so apertures,
profiles and backgrounds may be chosen after the cube has gone. Only the moments are kept per exposure, since a
centroid is a ratio: M_k(t) = sum_p w_kp s_p(t).
"""

import itertools
from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.flags import Flags
from spectramind_kit.products import CalibratedCube
from spectramind_kit.shapes import Product, require_shape


@dataclass(frozen=True, repr=False)
class PixelBins(Product):
    """Calibrated light of some pixels.

    Attributes:
        channel: "AIRS-CH0" or "FGS1".
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        good: (n_pixel,) bool, False where the pixel's light must not be trusted.
        saturated: (n_pixel,) bool, of the pixels that are not good those with nothing wrong but that they were full.
        light: (n_pixel, n_time) [e- per exposure], mean over the exposures of each time bin.
        mean: (n_pixel,) [e- per exposure], mean over the visit.
        variance: (n_pixel,) [e-^2], expected variance of one exposure, mean over the visit.
        count: (n_time,) exposures in each bin.
        moments: (n_moment, n_exposure), weighted sums of the pixels of every exposure.
        mid_time: (n_exposure,) [s].
        applied: names of the corrections made, in order.
        flags: what is wrong with calibration tables or pixels.
    """

    channel: str
    row: np.ndarray
    column: np.ndarray
    good: np.ndarray
    saturated: np.ndarray
    light: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    count: np.ndarray
    moments: np.ndarray
    mid_time: np.ndarray
    applied: tuple[str, ...]
    flags: Flags = field(default_factory=dict)

    def __post_init__(self):
        require_shape("PixelBins", "light", self.light, (len(self.row), len(self.count)))
        for name in ("good", "saturated", "mean", "variance"):
            require_shape("PixelBins", name, getattr(self, name), (len(self.row),))
        require_shape("PixelBins", "moments", self.moments, (None, len(self.mid_time)))


def bin_pixels(cube: CalibratedCube, bounds: np.ndarray, moment_weight: np.ndarray) -> PixelBins:
    """Bin the light of every pixel in time: the reference implementation of the fused and the torch path.

    Args:
        cube: calibrated exposures.
        bounds: (n_time + 1,) exposure index at which each bin starts, and where the last one ends; ascending.
        moment_weight: (n_moment, n_pixel); pixels that are not good are left out whatever theirs is.
    """
    moment_weight = np.where(cube.good, moment_weight, 0.0)
    return PixelBins(
        channel=cube.channel,
        row=cube.row,
        column=cube.column,
        good=cube.good,
        saturated=cube.saturated,
        light=mean_between(cube.signal, bounds),
        mean=cube.signal.mean(axis=1, dtype=np.float64),
        variance=cube.variance.mean(axis=1, dtype=np.float64),
        count=np.diff(bounds),
        moments=np.array([_weighted_sum(cube.signal, weight) for weight in moment_weight]).reshape(
            len(moment_weight), len(cube.mid_time)
        ),
        mid_time=cube.mid_time,
        applied=cube.applied,
    )


def mean_between(series: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the means of (n_series, n_exposure) between bounds, (n_series, n_time); NaN where a bin is empty."""
    count = np.diff(bounds)
    total = np.zeros((len(series), len(count)))
    for i, (first, stop) in enumerate(itertools.pairwise(bounds)):
        total[:, i] = series[:, first:stop].sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _weighted_sum(signal: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sum pixels with weights in float64, (n_exposure,)."""
    total = np.zeros(signal.shape[1])
    for pixel in np.flatnonzero(weight):
        total += weight[pixel] * signal[pixel].astype(np.float64)
    return total
