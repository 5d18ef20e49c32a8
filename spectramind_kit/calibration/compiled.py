"""The effects of the calibration chain as loops that numba compiles: one pixel's time series at a time.

Float32 with float64 sums. Each loop does the same as its namesake in ``calibration``; the order of the steps is
that of ``calibration.pipeline``. Loops that are simple enough become vector instructions, which is why the
polynomial is written out and why cosmic rays are first looked for at a threshold that needs no median.
"""

import numba
import numpy as np

from spectramind_kit.calibration.cosmic_rays import SAMPLED_DIFFERENCES
from spectramind_kit.robust_statistics import MAD_TO_SIGMA

_TILE = 1024
"""Exposures whose moments are summed at a time, so that the sums stay in the first level of the cache."""
_ALGEBRA = {"reassoc", "contract", "nsz", "arcp"}
"""Freedoms in rounding that let loops be vectorised; NaN and infinity keep their meaning."""


def _compiled(function):
    """Compile a function when it is first called; keep the machine code if there is a folder that can be written."""
    try:
        return numba.njit(nogil=True, cache=True, fastmath=_ALGEBRA)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache folder
        return numba.njit(nogil=True, fastmath=_ALGEBRA)(function)


@_compiled
def calibrate_counts(
    counts: np.ndarray,
    electrons_per_count: np.float32,
    offset: np.float32,
    linearity: np.ndarray,
    dark: np.ndarray,
    response: np.ndarray,
    read_variance: np.ndarray,
    n_average: float,
    sigma: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Calibrate counts.

    Args:
        counts: (n_pixel, n_frame) uint16 [ADU].
        electrons_per_count: [e-/ADU], float32.
        offset: [e-], float32.
        linearity: (6, n_pixel) float32, ascending powers.
        dark: (n_pixel,) float32, electrons that gather in the dark between the reads [e-].
        response: (n_pixel,) float32, one over the flat.
        read_variance: (n_pixel,) of both reads [e-^2].
        n_average: detector exposures that one stored exposure is the mean of.
        sigma: threshold of cosmic rays; infinite leaves them in.

    Returns:
        Exposures (n_pixel, n_exposure) float32 [e-] and their mean expected variance (n_pixel,) [e-^2].
    """
    n_pixel, n_exposure = counts.shape[0], counts.shape[1] // 2
    signal = np.empty((n_pixel, n_exposure), np.float32)
    variance = np.empty(n_pixel, np.float64)
    for p in range(n_pixel):
        exposure = signal[p]
        _read_pairs(counts[p], electrons_per_count, offset, linearity[:, p], dark[p], exposure)
        # The chain's variance is the mean of max(signal, 0) and read noise over the exposures: only the sum is kept.
        photons = _positive_sum(exposure)
        expected = np.sqrt((photons / n_exposure + read_variance[p]) / n_average)
        # The measured scatter can only raise the threshold. Few pixels have anything above the expected one's, and only
        # they pay for the median.
        if n_exposure > 2 and _has_spike(exposure, np.float32(sigma * expected)):
            threshold = np.float32(sigma * max(expected, _measured_scatter(exposure)))
            photons += _replace_spikes(exposure, threshold)
        scale = response[p]
        for t in range(n_exposure):
            exposure[t] *= scale
        variance[p] = (photons / n_exposure + read_variance[p]) / n_average * np.float64(scale) ** 2
    return signal, variance


@_compiled
def _read_pairs(counts, electrons_per_count, offset, c, dark, exposure):
    """Fill the exposures of one pixel: both reads to linear electrons, their difference, less the dark."""
    # Six numbers and no inner loop over them: the compiler then turns the loop over exposures into vector instructions.
    c0, c1, c2, c3, c4, c5 = c[0], c[1], c[2], c[3], c[4], c[5]
    for t in range(len(exposure)):
        a = np.float32(counts[2 * t]) * electrons_per_count + offset
        b = np.float32(counts[2 * t + 1]) * electrons_per_count + offset
        first = ((((c5 * a + c4) * a + c3) * a + c2) * a + c1) * a + c0
        second = ((((c5 * b + c4) * b + c3) * b + c2) * b + c1) * b + c0
        exposure[t] = second - first - dark


@_compiled
def _positive_sum(exposure):
    total = 0.0
    for t in range(len(exposure)):
        total += np.float64(max(exposure[t], np.float32(0.0)))
    return total


@_compiled
def _has_spike(exposure, threshold):
    """True if any exposure may be a cosmic ray at this threshold."""
    last = len(exposure) - 1
    found = 0  # counted instead of returned from within the loop, which would keep it from being vectorised
    for t in range(1, last):
        found += exposure[t] > max(exposure[t - 1], exposure[t + 1]) + threshold
    found += exposure[0] > max(exposure[1], exposure[2]) + threshold
    found += exposure[last] > max(exposure[last - 1], exposure[last - 2]) + threshold
    return found > 0


@_compiled
def _measured_scatter(exposure):
    """Robust scatter from differences of successive exposures, sampled over the visit."""
    n_difference = len(exposure) - 1
    step = max(1, n_difference // SAMPLED_DIFFERENCES)
    difference = np.empty((n_difference + step - 1) // step, np.float32)
    for i in range(len(difference)):
        difference[i] = abs(exposure[i * step + 1] - exposure[i * step])
    _sort(difference)
    middle = len(difference) // 2
    median = 0.5 * (np.float64(difference[middle]) + np.float64(difference[len(difference) - 1 - middle]))
    return MAD_TO_SIGMA / np.sqrt(2.0) * median


@_compiled
def _sort(values):
    """Sort a few values by insertion; the library's sort takes a second to compile."""
    for i in range(1, len(values)):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@_compiled
def _replace_spikes(exposure, threshold):
    """Replace cosmic rays in one pixel by the mean of their neighbours; return how much light (> 0) that adds."""
    last = len(exposure) - 1
    added = 0.0
    # Neighbours are compared as they were measured: ``before`` keeps a hit's own value, which is overwritten in place.
    # The ends have one neighbour, which stands on both sides, and are compared with the one behind it too.
    before = exposure[1]
    for t in range(last + 1):
        now = exposure[t]
        after = exposure[t + 1] if t < last else exposure[last - 1] if t == 0 else before
        beside = after if t == 0 else before
        far = exposure[2] if t == 0 else exposure[last - 2] if t == last else after
        if now > max(beside, far) + threshold:
            exposure[t] = np.float32(0.5) * (beside + after)
            light = 0.5 * (max(beside, np.float32(0.0)) + max(after, np.float32(0.0)))
            added += light - max(now, np.float32(0.0))
        before = now
    return added


@_compiled
def mean_between(signal: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means between bounds (n_pixel, n_time), NaN where there are none, and over all exposures (n_pixel,)."""
    n_pixel, n_exposure = signal.shape
    light = np.full((n_pixel, len(bounds) - 1), np.nan)
    mean = np.empty(n_pixel)
    for p in range(n_pixel):
        mean[p] = _sum(signal[p], 0, n_exposure) / n_exposure
        for b in range(len(bounds) - 1):
            if bounds[b + 1] > bounds[b]:
                light[p, b] = _sum(signal[p], bounds[b], bounds[b + 1]) / (bounds[b + 1] - bounds[b])
    return light, mean


@_compiled
def _sum(exposure, first, stop):
    total = 0.0
    for t in range(first, stop):
        total += np.float64(exposure[t])
    return total


@_compiled
def add_moments(moments: np.ndarray, signal: np.ndarray, weight: np.ndarray) -> None:
    """Add the weighted sums of pixels to moments (n_moment, n_exposure); four pixels a turn spare loads and stores."""
    n_pixel, n_exposure = signal.shape
    fours = n_pixel - n_pixel % 4
    for first in range(0, n_exposure, _TILE):
        stop = min(first + _TILE, n_exposure)
        for k in range(weight.shape[0]):
            w, total = weight[k], moments[k]
            for p in range(0, fours, 4):
                if w[p] == 0 and w[p + 1] == 0 and w[p + 2] == 0 and w[p + 3] == 0:
                    continue
                for t in range(first, stop):
                    total[t] += (
                        w[p] * np.float64(signal[p, t])
                        + w[p + 1] * np.float64(signal[p + 1, t])
                        + w[p + 2] * np.float64(signal[p + 2, t])
                        + w[p + 3] * np.float64(signal[p + 3, t])
                    )
            for p in range(fours, n_pixel):
                for t in range(first, stop):
                    total[t] += w[p] * np.float64(signal[p, t])
