"""What is not as it should be with a fit: the flags of the product."""

from collections.abc import Mapping, Sequence

import numpy as np

from spectramind_kit.fitting.curve_model import LOG_AXIS, CurveModel
from spectramind_kit.fitting.gauss_newton import Solution
from spectramind_kit.fitting.laplace import Posterior, mean_depth
from spectramind_kit.fitting.noise import ChannelNoise
from spectramind_kit.fitting.white_light import Dip
from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate

_UNUSABLE = {"FGS1": Flag.FGS1_UNUSABLE, "AIRS-CH0": Flag.AIRS_UNUSABLE}
_NOISY = {"FGS1": Flag.FGS1_NOISY, "AIRS-CH0": Flag.AIRS_NOISY}
_RED_NOISE = {"FGS1": Flag.FGS1_RED_NOISE, "AIRS-CH0": Flag.AIRS_RED_NOISE}
_LEAST_SIGNIFICANCE = 5.0
_LARGEST_DIFFERENCE = 0.12
"""Ten scale heights of a hot giant's atmosphere, relative to the depth [1]."""
_LARGEST_GRAZING_ERROR = 0.07
"""Of the mean depth of a planet that may pass at the limb, relative to it: above, its errors are no Gaussian's [1]."""
_LARGEST_OF_AIR = 0.03
"""Difference of FGS1 and AIRS-CH0 that air of a usual giant makes, relative to the depth [1]."""
_INSIDE, _SIGMAS = 1.5, 2.0
"""How far from the limb a planet's centre may be that grazes after all: so many planet radii, and sigmas of the impact
parameter."""
_LARGEST_ORBIT_ERROR = 3.0
"""In prior scatters of ln(a/Rs)."""
_REMARKABLE_CORRELATION = 1.3
_REMARKABLE_LOSS = 0.01
_REMARKABLE_SCATTER = 1.5


def transit_is_lost(dip: Dip, posterior: Posterior, alive: np.ndarray) -> bool:
    """True where neither the search nor the fit makes the transit stand out from the noise."""
    depth, sigma = mean_depth(posterior, alive)
    return dip.significance < _LEAST_SIGNIFICANCE or depth < _LEAST_SIGNIFICANCE * sigma


def may_graze(impact: float, radius: float) -> bool:
    """Return whether a planet passes so near the limb that a part of its disc may never be on the star.

    Args:
        impact: parameter of its way [R_star].
        radius: of the planet [R_star].
    """
    return impact >= 1.0 - _INSIDE * radius


def transit_grazes(dip: Dip, posterior: Posterior, estimates: Mapping[str, Estimate], alive: np.ndarray) -> bool:
    """True where a dip is there, but the planet may pass at the limb, and its size is unsure for that.

    A large planet that covers the limb with a part of its disc and a small one inside it make the same dip: the valley
    between them is longer than its curvature at one point shows.
    """
    depth, sigma = mean_depth(posterior, alive)
    height = estimates["impact_parameter"]
    at_limb = height.value + height.error + np.sqrt(max(depth, 0.0)) > 1.0
    return dip.significance >= _LEAST_SIGNIFICANCE and bool(at_limb) and sigma > _LARGEST_GRAZING_ERROR * depth


def fgs1_is_implausible(difference: float, sigma: float, depth: float) -> bool:
    """True where FGS1 and AIRS-CH0 see depths that no atmosphere makes so different.

    Args:
        difference: mean depth of FGS1 minus that of AIRS-CH0 [(Rp/Rs)^2].
        sigma: its standard error.
        depth: mean depth of all wavelengths.
    """
    return abs(difference) > max(_LARGEST_DIFFERENCE * abs(depth), _LEAST_SIGNIFICANCE * sigma)


def grazing_excess(estimates: Mapping[str, Estimate], difference: float, depth: float) -> float:
    """Return by how much the channels differ more than air makes them, relative to the depth, where a planet may graze.

    At the limb a wrong limb darkening is made good by a wrong impact parameter, and depths follow that one. Both
    channels have one orbit but each its own limb darkening: their difference shows it.

    Args:
        estimates: of the impact parameter.
        difference: mean depth of FGS1 minus that of AIRS-CH0 [(Rp/Rs)^2].
        depth: mean depth of all wavelengths [(Rp/Rs)^2].

    Returns:
        Zero where the planet is well inside the star's disc.
    """
    impact, radius = estimates["impact_parameter"], float(np.sqrt(max(depth, 0.0)))
    if radius == 0.0 or not may_graze(impact.value + _SIGMAS * impact.error, radius):
        return 0.0
    return max(0.0, abs(difference) / depth - _LARGEST_OF_AIR)


def timing_flags(estimates: Mapping[str, Estimate], time: np.ndarray) -> Flags:
    """Return flags for where the window cuts the transit."""
    mid_time, half = estimates["mid_time"].value, estimates["duration"].value / 2.0
    flags = {}
    if mid_time - half < time[0]:
        flags[Flag.INGRESS_CUT] = ""
    if mid_time + half > time[-1]:
        flags[Flag.EGRESS_CUT] = ""
    return flags


def missing_share(estimates: Mapping[str, Estimate], time: np.ndarray) -> float:
    """Return the share of a half of the transit that the window cuts off; above 1 where the middle is outside."""
    mid_time, half = estimates["mid_time"].value, max(estimates["duration"].value / 2.0, 1.0)
    return float(max(0.0, time[0] - mid_time + half, mid_time + half - time[-1]) / half)


def orbit_is_implausible(model: CurveModel, posterior: Posterior) -> bool:
    """True where the transit is far shorter or longer than the star table's orbit allows, loose as that prior is."""
    off = (posterior.shared[LOG_AXIS] - model.prior_mean[LOG_AXIS]) / model.prior_scatter[LOG_AXIS]
    return abs(float(off)) > _LARGEST_ORBIT_ERROR


def data_flags(wavelength: np.ndarray, alive: np.ndarray, share_unused: float, ratio: np.ndarray) -> Flags:
    """Return flags for what has no light, what was rejected, and what scatters too much.

    Args:
        wavelength: (n_wavelength,) [um].
        alive: (n_wavelength,) bool, with usable light.
        share_unused: fraction of the usable points that the fit left out [1].
        ratio: (n_wavelength,) measured scatter over the expected one [1].
    """
    flags = {}
    for name, channel in (("FGS1", is_fgs1(wavelength)), ("AIRS-CH0", ~is_fgs1(wavelength))):
        dead = int((channel & ~alive).sum())
        if dead:
            flags[_UNUSABLE[name]] = f"{dead} of {int(channel.sum())}"
        noisy = channel & alive
        if noisy.any() and (typical := float(np.median(ratio[noisy]))) > _REMARKABLE_SCATTER:
            flags[_NOISY[name]] = f"{typical:.1f} times"
    if share_unused > _REMARKABLE_LOSS:
        flags[Flag.OUTLIERS] = f"{100 * share_unused:.1f} %"
    return flags


def fit_flags(
    solution: Solution, noise: Mapping[str, ChannelNoise], jumps: Sequence[float], crossings: Sequence[float]
) -> Flags:
    """Return flags for whether the fit ended well, its residuals are white, the flux jumped, and spots were crossed.

    Args:
        solution: of the joint fit.
        noise: measured of each channel, by its name.
        jumps: times at which the flux jumps [s].
        crossings: times at which spots are crossed [s].
    """
    flags = {} if solution.converged else {Flag.NOT_CONVERGED: ""}
    for name, channel in noise.items():
        if channel.correlation > _REMARKABLE_CORRELATION:
            flags[_RED_NOISE[name]] = f"factor {channel.correlation:.1f}"
    for flag, times in ((Flag.FLUX_JUMP, jumps), (Flag.SPOT_CROSSING, crossings)):
        if times:
            flags[flag] = f"at {', '.join(f'{time:.0f}' for time in times)} s"
    return flags
