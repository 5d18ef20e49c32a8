"""From the peak to the posterior: Gaussian, marginalised over all that is shared, aware of b^2 >= 0.

The normal matrix gives the covariance: that of the parameters at the peak, but with one depth for all wavelengths of
a channel. How far a depth moves with orbit and limb darkening is proportional to it; taken at its own noisy value, low
draws would look as if they moved less, and whoever combines the wavelengths would weigh them more and get a level that
is too low (Peelle's puzzle; D'Agostini 1994).

Two things that are not in the normal matrix are added: noise that wavelengths share, and the boundary b^2 = 0, where
the Gaussian is truncated and its new moments are carried to all that depends on b^2.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, Linearisation, linearise
from spectramind_kit.fitting.gauss_newton import (
    NormalEquations,
    Solution,
    eliminate,
    normal_equations,
    solve_normal_equations,
    solve_scaled,
)
from spectramind_kit.fitting.noise import common_noise_covariance
from spectramind_kit.instruments import is_fgs1

_UNINFORMATIVE_SIGMA = 0.02
"""Sigma of an uninformative depth: twice the spread of the 2025 planets [(Rp/Rs)^2]."""
_NEIGHBOURS = 15
_PARTIAL_GROWTH, _PARTIAL_LEVEL = 3.0, 0.1
"""Growth of the covariance, and error of the level relative to the depth, where half of a transit is missing."""


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


def laplace_posterior(
    model: CurveModel, solution: Solution, groups: list[np.ndarray], excess: list[float]
) -> Posterior:
    """Return the posterior at the end of a fit.

    Args:
        model: data, geometry and priors.
        solution: the fit's end.
        groups: boolean (n_curve,) per channel.
        excess: variance of each channel's mean over that of independent curves.
    """
    at, normal = _normal_matrix(model, solution, groups)
    local_inverse, response, schur = eliminate(normal)
    shared_covariance = solve_scaled(schur, np.eye(len(schur)))
    shared_covariance = 0.5 * (shared_covariance + shared_covariance.T)
    depth_response = response[:, 1]
    covariance = np.diag(local_inverse[:, 1, 1]) + depth_response @ shared_covariance @ depth_response.T
    cross = depth_response @ shared_covariance
    gaussian = Posterior(solution.state.depth, covariance, solution.state.shared, shared_covariance, cross)
    # Held at b^2 = 0 the fit is not at the Gaussian's peak; one free step leads there.
    _, step = solve_normal_equations(normal)
    truncated = _truncated_at_zero(gaussian, depth_response, float(step[IMPACT_SQUARED]))
    depth_extra, shared_extra, cross_extra = common_noise_covariance(model, at, normal, groups, excess)
    return replace(
        truncated,
        depth_covariance=truncated.depth_covariance + depth_extra,
        shared_covariance=truncated.shared_covariance + shared_extra,
        cross=truncated.cross + cross_extra,
    )


def _normal_matrix(
    model: CurveModel, solution: Solution, groups: list[np.ndarray]
) -> tuple[Linearisation, NormalEquations]:
    """Linearise with the mean depth of each channel; the right-hand sides stay those of the peak."""
    depth = solution.state.depth.copy()
    weight = 1.0 / eliminate(solution.normal).local_inverse[:, 1, 1]
    for group in groups:
        depth[group] = (weight[group] @ depth[group]) / weight[group].sum()
    state = replace(solution.state, depth=depth)
    at = linearise(model, state)
    normal = normal_equations(model, state, at)
    return at, replace(normal, local_score=solution.normal.local_score, corner_score=solution.normal.corner_score)


def _truncated_at_zero(gaussian: Posterior, depth_response: np.ndarray, step: float) -> Posterior:
    """Truncate the Gaussian at b^2 = 0.

    Args:
        gaussian: around the state of the fit.
        depth_response: (n_curve, n_shared), how depths move with the shared parameters.
        step: in b^2, from the state to the peak of the Gaussian without the boundary.
    """
    variance = float(gaussian.shared_covariance[IMPACT_SQUARED, IMPACT_SQUARED])
    here = float(gaussian.shared[IMPACT_SQUARED])
    mean, spread = truncated_moments(here + step, math.sqrt(variance))
    # Given b^2 nothing changes, so all else follows it along its regression on b^2.
    gain = gaussian.shared_covariance[:, IMPACT_SQUARED] / variance
    depth_gain = depth_response @ gain
    narrower = spread**2 - variance
    return Posterior(
        depth=gaussian.depth + depth_gain * (mean - here),
        depth_covariance=gaussian.depth_covariance + narrower * np.outer(depth_gain, depth_gain),
        shared=gaussian.shared + gain * (mean - here),
        shared_covariance=gaussian.shared_covariance + narrower * np.outer(gain, gain),
        cross=gaussian.cross + narrower * np.outer(depth_gain, gain),
    )


def truncated_moments(peak: float, sigma: float) -> tuple[float, float]:
    """Return mean and standard deviation of a Gaussian that is truncated below zero."""
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


def inflate_fgs1(posterior: Posterior, wavelength: np.ndarray, difference: float) -> Posterior:
    """Inflate the variance of FGS1's depth by the square of its difference from AIRS-CH0."""
    extra = is_fgs1(wavelength) * difference**2
    return replace(posterior, depth_covariance=posterior.depth_covariance + np.diag(extra))


def mean_depth(posterior: Posterior, valid: np.ndarray) -> tuple[float, float]:
    """Return the mean depth over valid wavelengths, weighted by inverse variance, and its sigma."""
    covariance = posterior.depth_covariance[np.ix_(valid, valid)]
    weight = 1.0 / np.diag(covariance)
    weight /= weight.sum()
    return float(weight @ posterior.depth[valid]), float(np.sqrt(weight @ covariance @ weight))


def with_uninformative_depths(posterior: Posterior) -> Posterior:
    """Inflate the covariance, level and shape, until depths say nothing: flux at the wrong time measures neither."""
    covariance = posterior.depth_covariance
    unknown = _UNINFORMATIVE_SIGMA**2 * (np.ones_like(covariance) + np.eye(len(covariance)))
    return replace(posterior, depth_covariance=covariance + unknown)


def inflate_partial_transit(posterior: Posterior, missing: float, depth: float) -> Posterior:
    """Inflate the covariance of a transit that the window cuts.

    With one flank only, duration, impact parameter and depth go together along a curved valley: no Gaussian follows it.

    Args:
        posterior: as if the transit were whole.
        missing: fraction of one half of the transit that was not observed.
        depth: mean depth.
    """
    growth, level = 1.0 + _PARTIAL_GROWTH * missing**2, _PARTIAL_LEVEL * missing**2 * depth
    return replace(
        posterior,
        depth_covariance=growth * posterior.depth_covariance + level**2,
        shared_covariance=growth * posterior.shared_covariance,
        cross=growth * posterior.cross,
    )


def fill_masked_wavelengths(posterior: Posterior, wavelength: np.ndarray, valid: np.ndarray) -> Posterior:
    """Give masked wavelengths the depth of their valid neighbours, with an uninformative sigma."""
    if valid.all():
        return posterior
    depth, covariance = posterior.depth.copy(), posterior.depth_covariance.copy()
    cross = np.where(valid[:, None], posterior.cross, 0.0)
    variance = np.diag(covariance).copy()
    fgs1 = is_fgs1(wavelength)
    for masked in np.flatnonzero(~valid):
        same_channel = valid & (fgs1 == fgs1[masked])
        candidates = np.flatnonzero(same_channel if same_channel.any() else valid)
        near = candidates[np.argsort(np.abs(wavelength[candidates] - wavelength[masked]), kind="stable")[:_NEIGHBOURS]]
        depth[masked] = np.average(depth[near], weights=1.0 / variance[near])
        covariance[masked], covariance[:, masked] = 0.0, 0.0
        covariance[masked, masked] = _UNINFORMATIVE_SIGMA**2
    return replace(posterior, depth=depth, depth_covariance=covariance, cross=cross)
