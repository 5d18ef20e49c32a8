"""What is not as it should be with a fit, in words for the flags of the product."""

from collections.abc import Mapping

import numpy as np

from spectramind_kit.fitting.curve_model import LOG_AXIS, CurveModel
from spectramind_kit.fitting.gauss_newton import Solution
from spectramind_kit.fitting.laplace import Posterior, mean_depth
from spectramind_kit.fitting.noise import ChannelNoise
from spectramind_kit.fitting.white_light import Dip
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate

NO_TRANSIT = "no transit found"
STRANGE_ORBIT = "duration far from what the star table's orbit allows: not this planet's transit?"
_LEAST_SIGNIFICANCE = 5.0
_LARGEST_DIFFERENCE = 0.12
"""Ten scale heights of a hot giant's atmosphere, relative to the depth [1]."""
_LARGEST_ORBIT_ERROR = 3.0
"""In prior scatters of ln(a/Rs)."""
_REMARKABLE_CORRELATION = 1.3
_REMARKABLE_LOSS = 0.01
_REMARKABLE_SCATTER = 1.5


def transit_is_lost(dip: Dip, posterior: Posterior, alive: np.ndarray) -> bool:
    """True where neither the search nor the fit makes the transit stand out from the noise."""
    depth, sigma = mean_depth(posterior, alive)
    return dip.significance < _LEAST_SIGNIFICANCE or depth < _LEAST_SIGNIFICANCE * sigma


def fgs1_is_implausible(difference: float, sigma: float, depth: float) -> bool:
    """True where FGS1 and AIRS-CH0 see depths that no atmosphere makes so different.

    Args:
        difference, sigma: FGS1 minus AIRS-CH0; depth: the mean depth.
    """
    return abs(difference) > max(_LARGEST_DIFFERENCE * abs(depth), _LEAST_SIGNIFICANCE * sigma)


def timing_flags(estimates: Mapping[str, Estimate], time: np.ndarray) -> list[str]:
    """Say where the window cuts the transit."""
    mid_time, half = estimates["mid_time"].value, estimates["duration"].value / 2.0
    flags = []
    if mid_time - half < time[0]:
        flags.append("transit cut at the edge of the window: it began before the observation")
    if mid_time + half > time[-1]:
        flags.append("transit cut at the edge of the window: it went on after the observation")
    return flags


def missing_share(estimates: Mapping[str, Estimate], time: np.ndarray) -> float:
    """Return the share of a half of the transit that the window cuts off; above 1 where the middle is outside."""
    mid_time, half = estimates["mid_time"].value, max(estimates["duration"].value / 2.0, 1.0)
    return float(max(0.0, time[0] - mid_time + half, mid_time + half - time[-1]) / half)


def orbit_is_implausible(model: CurveModel, posterior: Posterior) -> bool:
    """True where the transit is far shorter or longer than the star table's orbit allows, loose as that prior is."""
    off = (posterior.shared - model.prior_mean)[LOG_AXIS] / model.prior_scatter[LOG_AXIS]
    return abs(float(off)) > _LARGEST_ORBIT_ERROR


def data_flags(wavelength: np.ndarray, alive: np.ndarray, share_unused: float, ratio: np.ndarray) -> list[str]:
    """Say what is dead, what was rejected, and what scatters too much."""
    flags = []
    for name, channel in (("FGS1", is_fgs1(wavelength)), ("AIRS-CH0", ~is_fgs1(wavelength))):
        dead = int((channel & ~alive).sum())
        if dead:
            flags.append(f"{name}: {dead} of {int(channel.sum())} wavelengths without usable light")
        noisy = channel & alive
        if noisy.any() and (typical := float(np.median(ratio[noisy]))) > _REMARKABLE_SCATTER:
            flags.append(f"{name}: residuals scatter {typical:.1f} times more than photon and read noise")
    if share_unused > _REMARKABLE_LOSS:
        flags.append(f"{100 * share_unused:.1f} % of the points rejected as outliers")
    return flags


def fit_flags(solution: Solution, noise: dict[str, ChannelNoise]) -> list[str]:
    """Say whether the fit ended well and its residuals are white."""
    flags = [] if solution.converged else ["fit did not converge"]
    for name, channel in noise.items():
        if channel.correlation > _REMARKABLE_CORRELATION:
            flags.append(f"{name}: residuals correlated in time (factor {channel.correlation:.1f})")
    return flags
