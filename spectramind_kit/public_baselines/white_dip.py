"""One depth from a white light curve, the public way: find the flanks, then straighten the baseline.

The flanks are the steepest slopes of the smoothed curve, before and after its lowest point. The depth s is the one
that lets a cubic in time run most smoothly through [before, (1 + s) inside, after], bins near the flanks left out:

    s = argmin_s  mean_t | y_s(t) - cubic(t) |,      y_s = (1 + s) y inside, y outside        (Nelder-Mead)

As the public notebooks of the 2025 challenge do it (the family that scored .29 to .37). Their counts of bins belong
to 187 bins of a visit; here they are fractions of the visit, so that other bins do as well.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.signal import savgol_filter

_PUBLIC_BINS = 187
"""Bins of a visit that the public counts belong to."""
_SMOOTHED_OVER, _SMOOTHING_ORDER = 20, 2
_SEARCHED = (30, 140)
"""Where the dip's lowest point is looked for."""
_MARGIN, _SMALL_MARGIN = 11, 2
"""Bins left out on either side of a flank, and how many where too few would stay."""
_FEWEST_INSIDE = 5
_BASELINE_ORDER = 3
_START = 1e-4
_FEWEST_BINS = 24
"""Below, the smoothing and the cubic have hardly a bin of their own."""


@dataclass(frozen=True)
class Flanks:
    """Bins of the steepest descent and of the steepest rise."""

    ingress: int
    egress: int


def smooth_white(white: np.ndarray) -> np.ndarray:
    """Return the white curve (n_time,) smoothed by a running parabola (Savitzky-Golay)."""
    window = max(_SMOOTHING_ORDER + 1, _bins(_SMOOTHED_OVER, len(white)))
    return np.asarray(savgol_filter(white, window, _SMOOTHING_ORDER))


def find_flanks(white: np.ndarray) -> Flanks | None:
    """Return the flanks of the dip in a white curve (n_time,); None where it is too short or not all finite."""
    if len(white) < _FEWEST_BINS or not np.isfinite(white).all():
        return None
    smooth = smooth_white(white)
    first, last = (_bins(edge, len(smooth)) for edge in _SEARCHED)
    slope = np.gradient(smooth)
    lowest = first + int(np.argmin(smooth[first:last]))
    return Flanks(int(np.argmin(slope[:lowest])), lowest + int(np.argmax(slope[lowest:])))


def dip_depth(white: np.ndarray, flanks: Flanks) -> float:
    """Return the depth s [1] of the dip between the flanks in a curve (n_time,), smoothed or not.

    NaN where no light is left to measure, or too few bins for a cubic.
    """
    before, inside, after = _parts(len(white), flanks)
    used = before | inside | after
    if np.median(white) <= 0 or not inside.any() or (before | after).sum() <= _BASELINE_ORDER:
        return np.nan
    white = white / np.median(white)
    # Orthonormal columns: the cubic that fits best, and what it leaves, are then two products.
    place = 2.0 * np.flatnonzero(used) / len(white) - 1.0
    basis = np.linalg.qr(np.vander(place, _BASELINE_ORDER + 1))[0]

    def roughness(depth: np.ndarray) -> float:
        filled = np.where(inside, white * (1.0 + depth[0]), white)[used]
        return float(np.abs(filled - basis @ (basis.T @ filled)).mean())

    # scipy's own tolerances suit light in electrons; relative light would stop at the first simplex.
    options = {"xatol": 1e-7, "fatol": 1e-9}
    return float(minimize(roughness, [_START], method="Nelder-Mead", options=options).x[0])


def relative_noise(curve: np.ndarray, flanks: Flanks) -> float:
    """Return the public measure of a curve's noise: the error of (mean outside - mean inside), over the mean [1].

        sqrt(var_out / n_out + var_in / n_in) / mean_out

    Args:
        curve: (n_time,), not smoothed.
        flanks: of the dip.

    Returns:
        NaN where fewer than two bins are inside or outside.
    """
    before, inside, after = _parts(len(curve), flanks)
    out, within = curve[before | after], curve[inside]
    out, within = out[np.isfinite(out)], within[np.isfinite(within)]
    if min(len(out), len(within)) < 2 or out.mean() <= 0:
        return np.nan
    return float(np.sqrt(out.var(ddof=1) / len(out) + within.var(ddof=1) / len(within)) / out.mean())


def _parts(n_time: int, flanks: Flanks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which bins lie before, inside and after the dip, (n_time,) bool each, none near its flanks."""
    margin = _bins(_MARGIN, n_time)
    ingress, egress = max(flanks.ingress, margin), min(flanks.egress, n_time - margin - 1)
    if ingress <= margin or egress + margin >= n_time or egress - ingress - 2 * margin < _bins(_FEWEST_INSIDE, n_time):
        margin = max(1, _bins(_SMALL_MARGIN, n_time))
    place = np.arange(n_time)
    inside = (place >= ingress + margin) & (place < egress - margin)
    return place < ingress - margin, inside, place >= egress + margin


def _bins(public: int, n_time: int) -> int:
    return round(public * n_time / _PUBLIC_BINS)
