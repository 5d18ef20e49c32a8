"""Where the transit is: white light curves, a search for a dip anywhere in the window, and a first fit to them.

The dip search is a matched filter: for every mid-time and duration a trapezoid is fitted together with the drift under
its prior, and the one that explains most wins (box least squares, Kovacs, Zucker & Mazeh 2002, with a baseline).
The prior matters: a free polynomial imitates half of a long transit. Dips whose middle lies outside the window are
tried as well. From there the full model is fitted to the white curves
with several impact parameters, because flat-bottomed and grazing transits are separate valleys.
"""

import math
from dataclasses import dataclass

import numpy as np

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, LOG_AXIS, MID_TIME, CurveModel, State
from spectramind_kit.fitting.gauss_newton import Solution, minimise
from spectramind_kit.fitting.systematics import Systematics
from spectramind_kit.robust_statistics import MAD_TO_SIGMA, lower_median
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.orbit import semi_major_axis_from_duration

_SHORTEST_DIP = 0.05
_LONGEST_DIP = 2.0
"""Durations tried, in lengths of the window; of the longest only one flank is observed."""
_N_DURATION = 20
_INGRESS = 0.12
"""Length of the trapezoid's flanks in durations."""
_SHAPE_ERROR = 0.05
"""How far a transit is from a trapezoid, in depths."""
_IMPACT_PARAMETERS = (0.2, 0.6, 0.85)
_TOLERANCE = 1e-2
_APART = 0.08
"""Least distance of beginnings or ends of two dips, in lengths of the window."""


@dataclass(frozen=True)
class Dip:
    """A dip in the white light.

    Attributes:
        mid_time: [s].
        duration: first to fourth contact [s].
        depth: [1].
        significance: [sigma].
    """

    mid_time: float
    duration: float
    depth: float
    significance: float


def white_curves(flux: np.ndarray, weight: np.ndarray, groups: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Average the curves of each group by inverse variance.

    Args:
        flux: (n_curve, n_time) [1].
        weight: (n_curve, n_time), inverse variance.
        groups: boolean (n_curve,) each.

    Returns:
        White flux and weight, (n_group, n_time); the weight is that of the measured scatter if that is larger.
    """
    total = np.stack([weight[group].sum(axis=0) for group in groups])
    summed = np.stack([(weight[group] * flux[group]).sum(axis=0) for group in groups])
    white = np.where(total > 0, summed / np.maximum(total, 1e-300), 1.0)
    excess = np.array([_excess_variance(f, w) for f, w in zip(white, total)])
    return white, total / excess[:, None]


def _excess_variance(flux: np.ndarray, weight: np.ndarray) -> float:
    """Return the variance of successive differences over the expected one, at least 1 (robust)."""
    used = weight > 0
    if used.sum() < 3:
        return 1.0
    f, w = flux[used], weight[used]
    # Differences, because neither drift nor transit changes much from one time to the next.
    standardised = (f[1:] - f[:-1]) / np.sqrt(1.0 / w[1:] + 1.0 / w[:-1])
    return max(1.0, (MAD_TO_SIGMA * float(lower_median(np.abs(standardised)))) ** 2)


def find_dips(
    time: np.ndarray,
    white: np.ndarray,
    weight: np.ndarray,
    drift: Systematics,
    drift_scatter: float,
    n: int,
    lasting: tuple[float, float] = (0.0, math.inf),
) -> list[Dip]:
    """Search the white curves for the dips that explain most beside a drift of plausible size, the best one first.

    Args:
        time: (n_time,) [s].
        white: (n_white, n_time) flux [1].
        weight: (n_white, n_time), inverse variance.
        drift: of the white curves, one row of its mixing each.
        drift_scatter: prior scatter of its coefficients.
        n: dips to return, which begin or end at different times.
        lasting: shortest and longest dip that is looked for [s].
    """
    mid_times, durations = _grid(time)
    looked_for = (lasting[0] <= durations) & (durations <= lasting[1])
    if not looked_for.any():
        return []
    mid_times, durations = mid_times[looked_for], durations[looked_for]
    shapes = _trapezoids(time, mid_times, durations)
    score, information = np.zeros(len(shapes)), np.zeros(len(shapes))
    for flux, measured, mixing in zip(white, weight, drift.mixing):
        # With the drift marginalised under its prior, the flux has the precision W - W D (D'W D + P)^-1 D'W. Score and
        # information of a depth are products with it, added over the curves: one depth for both channels.
        w = _with_shape_error(flux, measured)
        columns = np.vstack([np.ones(len(time)), (drift.functions.T @ mixing).T])  # D, the level first
        prior_precision = np.concatenate([[1e-6], (drift_scatter * drift.scatter) ** -2.0])
        inverse = np.linalg.inv((columns * w) @ columns.T + np.diag(prior_precision))
        overlap = shapes @ (columns * w).T
        fitted_drift = inverse @ (columns @ (w * (flux - 1.0)))
        score -= shapes @ (w * (flux - 1.0)) - overlap @ fitted_drift
        information += (shapes**2) @ w - ((overlap @ inverse) * overlap).sum(axis=1)
    # A dip outside the window, or as long as it, is all drift: rounding must not make it significant.
    snr = score / np.sqrt(np.maximum(information, 1e-12 * information.max()))
    dips = []
    for best in _distinct(snr, mid_times, durations, _APART * (time[-1] - time[0]), n):
        depth = score[best] / information[best]
        dips.append(Dip(float(mid_times[best]), float(durations[best]), float(depth), float(snr[best])))
    return dips


def _distinct(snr: np.ndarray, mid_times: np.ndarray, durations: np.ndarray, apart: float, n: int) -> list[int]:
    """Return the places of the best dips whose beginnings or ends lie apart [s]."""
    flanks = mid_times + np.outer([-0.5, 0.5], durations)
    left, places = snr.copy(), []
    while len(places) < n and np.isfinite(left.max()):
        places.append(int(np.argmax(left)))
        near = np.abs(flanks - flanks[:, places[-1:]]).max(axis=0) <= apart
        left[near] = -np.inf
    return places


def _with_shape_error(flux: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return weights (n_time,) with the error of taking a transit for a trapezoid in them.

    Otherwise a deep transit, whose limb darkening is many times the noise, is best explained by a wrong dip and a
    drift that its prior would never allow.
    """
    used = weight > 0
    low, high = np.quantile(flux[used], (0.05, 0.95)) if used.any() else (0.0, 0.0)
    return np.where(used, 1.0 / (1.0 / np.where(used, weight, 1.0) + (_SHAPE_ERROR * (high - low)) ** 2), 0.0)


def _grid(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mid-times and durations of the dips to try, paired."""
    window = time[-1] - time[0]
    mid_times, durations = [], []
    for duration in window * np.geomspace(_SHORTEST_DIP, _LONGEST_DIP, _N_DURATION):
        # A step is shorter than a flank; the fit that starts there needs no finer one.
        step = max(duration / 20.0, window / 200.0)
        tried = np.arange(time[0] - duration / 4.0, time[-1] + duration / 4.0, step)
        mid_times.append(tried)
        durations.append(np.full(len(tried), duration))
    return np.concatenate(mid_times), np.concatenate(durations)


def _trapezoids(time: np.ndarray, mid_times: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Return dips of depth one, (n_dip, n_time)."""
    from_middle = np.abs(time - mid_times[:, None]) / durations[:, None]
    return np.clip((0.5 - from_middle) / _INGRESS, 0.0, 1.0)


def fit_white(model: CurveModel, dip: Dip, config: FitConfig) -> Solution:
    """Fit the white curves from several impact parameters and return the best end.

    Args:
        model: of the white curves.
        dip: where to start.
        config: for the number of steps.
    """
    ends = [minimise(model, start, config.max_iterations, _TOLERANCE) for start in _starts(model, dip)]
    return min(ends, key=lambda end: end.at.cost)


def _starts(model: CurveModel, dip: Dip) -> list[State]:
    n_curve = len(model.flux)
    depth = max(dip.depth, 1e-6)
    starts = []
    for b in _IMPACT_PARAMETERS:
        shared = model.prior_mean.copy()
        # At each b the a/Rs that makes the transit as long as the dip: the starts differ in shape only.
        duration = min(dip.duration, 0.45 * model.period)
        axis = semi_major_axis_from_duration(model.period, duration, b, math.sqrt(depth))
        shared[MID_TIME], shared[LOG_AXIS], shared[IMPACT_SQUARED] = dip.mid_time, np.log(axis), b**2
        ones = np.ones(n_curve)
        starts.append(State(ones, ones * dip.depth, shared))
    return starts


def joint_start(white: Solution, groups: list[np.ndarray], model: CurveModel, white_names: tuple[str, ...]) -> State:
    """Carry the white fit to all curves: every curve gets the level and depth of its channel's white curve.

    Args:
        white: the white fit.
        groups: boolean (n_curve,) of each white curve.
        model: the joint model.
        white_names: names of the white fit's shared parameters.
    """
    level, depth = (np.ones(len(model.flux)) for _ in range(2))
    for group, white_level, white_depth in zip(groups, white.state.level, white.state.depth):
        level[group], depth[group] = white_level, white_depth
    shared = model.prior_mean.copy()
    # The white drift has no wavelength dependence and starts anew: the problem is linear in it.
    known = {
        name: value
        for name, value in zip(white_names, white.state.shared)
        if not name.startswith(("drift", "jump", "pointing"))
    }
    for place, name in enumerate(model.names):
        if name in known:
            shared[place] = known[name]
    return State(level, depth, shared)
