"""From the peak to the posterior: Gaussian, marginalised over all that is shared, aware of b^2 >= 0.

At the boundary b^2 = 0 the Gaussian is truncated, and its new moments are carried to all that depends on b^2. Where a
transit is not what it looks like, the visit's likelihood carries the extra variance with it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.likelihood import VisitLikelihood

_UNINFORMATIVE_SIGMA = 0.02
"""Sigma of an uninformative depth: twice the spread of the 2025 planets [(Rp/Rs)^2]."""
_NEIGHBOURS = 15
_LIMB_FACTOR = 4.0
"""Error of a grazing planet's level over the difference of the channels that air does not explain: in random worlds, in
which limb darkening is anything, from 1 to 17, and 4 for most (``benchmarks/RESULTS.md``)."""
_PARTIAL_GROWTH, _PARTIAL_LEVEL = 1.0, 0.1
"""Growth of the covariance, and error of the level relative to the depth, where half of a transit is missing."""
_PARTIAL_STEEPNESS = 8
"""Power by which that error falls while the middle of the transit is seen: the floor then tells its depth."""


@dataclass(frozen=True)
class Posterior:
    """Gaussian posterior of depths and shared parameters.

    Attributes:
        depth: (n_curve,) mean [(Rp/Rs)^2].
        depth_covariance: (n_curve, n_curve).
        shared: (n_shared,) mean.
        shared_covariance: (n_shared, n_shared).
        cross: (n_curve, n_shared), covariance of depths with shared parameters.
    """

    depth: np.ndarray
    depth_covariance: np.ndarray
    shared: np.ndarray
    shared_covariance: np.ndarray
    cross: np.ndarray


def truncated_at_zero(gaussian: Posterior, place: int) -> Posterior:
    """Truncate a Gaussian where one of its shared parameters, b^2, would be below zero.

    Args:
        gaussian: without the boundary.
        place: of b^2 among the shared parameters.
    """
    variance, peak = float(gaussian.shared_covariance[place, place]), float(gaussian.shared[place])
    mean, spread = truncated_moments(peak, math.sqrt(variance))
    # Given b^2 nothing changes, so all else follows it along its regression on b^2.
    gain, depth_gain = gaussian.shared_covariance[:, place] / variance, gaussian.cross[:, place] / variance
    narrower = spread**2 - variance
    return Posterior(
        depth=gaussian.depth + depth_gain * (mean - peak),
        depth_covariance=gaussian.depth_covariance + narrower * np.outer(depth_gain, depth_gain),
        shared=gaussian.shared + gain * (mean - peak),
        shared_covariance=gaussian.shared_covariance + narrower * np.outer(gain, gain),
        cross=gaussian.cross + narrower * np.outer(depth_gain, gain),
    )


def truncated_moments(peak: float, sigma: float) -> tuple[float, float]:
    """Return mean and standard deviation of a Gaussian that is truncated below zero."""
    from scipy.special import log_ndtr  # here: it takes a part of a second to load

    # In logarithms: the tail underflows long before its ratio to the density does.
    cut = -peak / sigma
    log_tail = float(log_ndtr(-cut))
    hazard = math.exp(-0.5 * cut**2 - 0.5 * math.log(2.0 * math.pi) - log_tail)
    return peak + sigma * hazard, sigma * math.sqrt(max(1e-6, 1.0 + cut * hazard - hazard**2))


def channel_difference(posterior: Posterior, wavelength: np.ndarray, valid: np.ndarray) -> tuple[float, float]:
    """Return the FGS1 depth minus the mean AIRS-CH0 depth and its sigma; zero where a channel is missing."""
    fgs1, airs = valid & is_fgs1(wavelength), valid & ~is_fgs1(wavelength)
    if not (fgs1.any() and airs.any()):
        return 0.0, math.inf
    covariance = posterior.depth_covariance
    weight = np.where(airs, -1.0 / np.diag(covariance), 0.0)
    weight = weight / -weight.sum() + fgs1 / fgs1.sum()
    return float(weight @ posterior.depth), float(np.sqrt(weight @ covariance @ weight))


def mean_depth(posterior: Posterior, valid: np.ndarray) -> tuple[float, float]:
    """Return the mean depth over valid wavelengths, weighted by inverse variance, and its sigma."""
    covariance = posterior.depth_covariance[np.ix_(valid, valid)]
    weight = 1.0 / np.diag(covariance)
    weight /= weight.sum()
    return float(weight @ posterior.depth[valid]), float(np.sqrt(weight @ covariance @ weight))


def uninformative(visit: VisitLikelihood) -> VisitLikelihood:
    """Return the visit as one that says nothing of depths, level and shape, nor of star and orbit.

    Flux at the wrong time measures neither, and an orbit that is as sure as it is wrong would lead other visits astray.
    """
    unknown = np.full(len(visit.depth), _UNINFORMATIVE_SIGMA**2)
    return replace(
        visit,
        information=np.zeros_like(visit.information),
        score=np.zeros_like(visit.score),
        response=np.zeros_like(visit.response),
        extra_variance=visit.extra_variance + unknown,
        common_extra_variance=_UNINFORMATIVE_SIGMA**2,
    )


def partially_observed(visit: VisitLikelihood, missing: float, depth: float) -> VisitLikelihood:
    """Return the visit with the errors of a transit that the window cuts.

    With one flank only, duration, impact parameter and depth go together along a curved valley: no Gaussian follows it.
    While the middle is seen the valley is short.

    Args:
        visit: as if the transit were whole.
        missing: fraction of one half of the transit that was not observed.
        depth: mean depth.
    """
    power = _PARTIAL_STEEPNESS if missing < 1.0 else 2
    growth, level = 1.0 + _PARTIAL_GROWTH * missing**2, _PARTIAL_LEVEL * missing**power * depth
    return replace(visit, growth=growth, common_extra_variance=visit.common_extra_variance + level**2)


def of_unknown_level(visit: VisitLikelihood) -> VisitLikelihood:
    """Return the visit as one that says which depths are larger, and not how large they are.

    A grazing transit leaves size and impact parameter open together, along a curved valley.
    """
    level = visit.common_extra_variance + _UNINFORMATIVE_SIGMA**2
    return replace(visit, growth=1.0 + _PARTIAL_GROWTH, common_extra_variance=level)


def widened_at_the_limb(visit: VisitLikelihood, excess: float, depth: float) -> VisitLikelihood:
    """Return the visit with the error of a level that limb darkening and impact parameter make together.

    Args:
        visit: as if the limb darkening were known as well as its prior says.
        excess: difference of the channels that air does not explain, relative to the depth.
        depth: mean depth [(Rp/Rs)^2].
    """
    level = _LIMB_FACTOR * excess * depth
    return replace(visit, common_extra_variance=visit.common_extra_variance + level**2)


def inflated_fgs1(visit: VisitLikelihood, wavelength: np.ndarray, difference: float) -> VisitLikelihood:
    """Return the visit with the square of FGS1's difference from AIRS-CH0 in the variance of its depth."""
    return replace(visit, extra_variance=visit.extra_variance + is_fgs1(wavelength) * difference**2)


def fill_masked_wavelengths(
    depth: np.ndarray, covariance: np.ndarray, wavelength: np.ndarray, masked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give masked wavelengths the depth of their valid neighbours, with an uninformative sigma.

    Args:
        depth: (n,) [(Rp/Rs)^2].
        covariance: (n, n).
        wavelength: (n,) [um].
        masked: (n,) bool.
    """
    if not masked.any() or masked.all():
        return depth, covariance
    depth, covariance = depth.copy(), covariance.copy()
    variance, fgs1 = np.diag(covariance).copy(), is_fgs1(wavelength)
    for place in np.flatnonzero(masked):
        same_channel = ~masked & (fgs1 == fgs1[place])
        candidates = np.flatnonzero(same_channel if same_channel.any() else ~masked)
        near = candidates[np.argsort(np.abs(wavelength[candidates] - wavelength[place]), kind="stable")[:_NEIGHBOURS]]
        depth[place] = np.average(depth[near], weights=1.0 / variance[near])
        covariance[place], covariance[:, place] = 0.0, 0.0
        covariance[place, place] = _UNINFORMATIVE_SIGMA**2
    return depth, covariance
