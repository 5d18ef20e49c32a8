"""The shared parameters in the units that are reported, with errors to first order."""

import math
from collections.abc import Mapping

import numpy as np

from spectramind_kit.fitting.curve_model import FGS1_LAG, IMPACT_SQUARED, LOG_AXIS, MID_TIME
from spectramind_kit.fitting.laplace import Posterior
from spectramind_kit.products import Estimate
from spectramind_kit.transit.limb_darkening import quadratic_coefficients
from spectramind_kit.transit.orbit import transit_duration

_REPORTED_AS = {"log_axis": "semi_major_axis", "impact_squared": "impact_parameter", FGS1_LAG: "fgs1_lag"}
_STEP = 1e-6
"""Of ln(a/Rs) and of b^2 in the difference quotient of the duration."""
_LARGEST_LOG_AXIS = 100.0


def transit_estimates(
    posterior: Posterior,
    names: tuple[str, ...],
    period: float,
    depth: float,
    temperature: float,
    middle_wavelength: dict[str, float],
) -> dict[str, Estimate]:
    """Return orbit and limb darkening by name.

    Args:
        posterior: of the fit.
        names: of the shared parameters.
        period: [s].
        depth: of the white light [(Rp/Rs)^2].
        temperature: of the star [K].
        middle_wavelength: by channel prefix ("fgs1", "airs"), where its limb-darkening coefficients are given [um].

    Returns:
        "mid_time", "duration" (first to fourth contact) [s], "fgs1_lag" where FGS1 has a mid-time of its own and the
        other is that of AIRS-CH0 [s], "semi_major_axis", "impact_parameter" [R_star], and
        "fgs1_u1", "airs_u1", "airs_u1_slope" (from the middle to the end of the band) and their u2 [1].
    """
    value = posterior.shared
    error = np.sqrt(np.diag(posterior.shared_covariance))
    # Damaged light curves may want an orbit that no number can hold.
    axis, b = math.exp(min(value[LOG_AXIS], _LARGEST_LOG_AXIS)), math.sqrt(max(value[IMPACT_SQUARED], 0.0))
    # db = d(b^2) / 2b diverges at b = 0; this is sigma(b^2) / 2b far from it and sqrt(sigma(b^2)) there.
    b_error = error[IMPACT_SQUARED] / (b + math.sqrt(b**2 + error[IMPACT_SQUARED]))
    estimates = {
        "mid_time": Estimate(float(value[MID_TIME]), float(error[MID_TIME])),
        "duration": _duration(posterior, period, depth),
        "semi_major_axis": Estimate(axis, float(axis * error[LOG_AXIS])),
        "impact_parameter": Estimate(b, float(b_error)),
    }
    for place, name in enumerate(names):
        channel, _, coefficient = name.partition("_")
        if name == FGS1_LAG:
            estimates[_REPORTED_AS[name]] = Estimate(float(value[place]), float(error[place]))
        elif channel in middle_wavelength:
            expected = 0.0
            if not coefficient.endswith("slope"):
                at_middle = quadratic_coefficients(temperature, np.array([middle_wavelength[channel]]))
                expected = at_middle[0, int(coefficient[1]) - 1]
            estimates[name] = Estimate(float(expected + value[place]), float(error[place]))
    return estimates


def parameter_correlation(
    posterior: Posterior, names: tuple[str, ...], estimates: Mapping[str, Estimate]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return which estimates are shared parameters of the fit, and the correlation of their errors (n, n).

    To first order a correlation does not change when a parameter is reported in another unit, such as b for b^2.

    Args:
        posterior: of the fit.
        names: of the shared parameters.
        estimates: from ``transit_estimates``.
    """
    reported = [_REPORTED_AS.get(name, name) for name in names]
    places = [place for place, name in enumerate(reported) if name in estimates]
    covariance = posterior.shared_covariance[np.ix_(places, places)]
    error = np.sqrt(np.diag(covariance))
    return tuple(reported[place] for place in places), covariance / np.outer(error, error)


def _duration(posterior: Posterior, period: float, depth: float) -> Estimate:
    """Return the time from first to fourth contact [s]."""
    places, ratio = [LOG_AXIS, IMPACT_SQUARED], math.sqrt(max(depth, 0.0))

    def duration(log_axis: float, impact_squared: float) -> float:
        return float(transit_duration(period, math.exp(log_axis), math.sqrt(max(impact_squared, 1e-6)), ratio))

    at, steps = posterior.shared[places], _STEP * np.eye(2)
    # The depth's error is far smaller than those of orbit and b.
    slope = np.array([duration(*(at + step)) - duration(*(at - step)) for step in steps]) / (2.0 * _STEP)
    variance = slope @ posterior.shared_covariance[np.ix_(places, places)] @ slope
    return Estimate(duration(*at), math.sqrt(variance))
