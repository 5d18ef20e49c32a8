"""From the peak to the posterior: Gaussian, marginalised over all that is shared, aware of b^2 >= 0.

The normal matrix gives the covariance: that of the parameters at the peak, but with one depth for all wavelengths of
a channel. How far a depth moves with orbit and limb darkening is proportional to it; taken at its own noisy value, low
draws would look as if they moved less, and whoever combines the wavelengths would weigh them more and get a level that
is too low (Peelle's puzzle; D'Agostini 1994).

Two things the normal matrix does not know are added: noise that wavelengths share, and the border b^2 = 0, where the
Gaussian is cut and its new moments are carried to all that depends on b^2.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, Linearisation, linearise
from spectramind_kit.fitting.gauss_newton import Arrow, Solution, eliminate, normal_equations, solve_arrow, solve_scaled
from spectramind_kit.fitting.noise import common_noise_covariance
from spectramind_kit.instruments import is_fgs1

UNKNOWN_DEPTH_SIGMA = 0.02
"""Sigma of a depth that nothing was learned about: twice the spread of the 2025 planets [(Rp/Rs)^2]."""
_NEIGHBOURS = 15
_CUT_GROWTH, _CUT_LEVEL = 3.0, 0.1
"""Growth of the covariance, and error of the level relative to the depth, where half of a transit is missing."""


@dataclass(frozen=True)
class Posterior:
    """Mean and covariance of depths (n_curve,) and shared parameters (n_shared,), and of one with the other."""

    depth: Tensor
    depth_covariance: Tensor
    shared: Tensor
    shared_covariance: Tensor
    cross: Tensor


def laplace_posterior(model: CurveModel, solution: Solution, groups: list[Tensor], excess: list[float]) -> Posterior:
    """Return the posterior at the end of a fit.

    Args:
        groups: boolean (n_curve,) per channel; excess: variance of its common noise over that of independent curves.
    """
    at, arrow = _normal_matrix(model, solution, groups)
    own_inverse, response, schur = eliminate(arrow)
    shared_covariance = solve_scaled(schur, torch.eye(len(schur), dtype=schur.dtype))
    shared_covariance = 0.5 * (shared_covariance + shared_covariance.T)
    depth_response = response[:, 1]
    covariance = torch.diag(own_inverse[:, 1, 1]) + depth_response @ shared_covariance @ depth_response.T
    cross = depth_response @ shared_covariance
    gaussian = Posterior(solution.state.depth, covariance, solution.state.shared, shared_covariance, cross)
    _, step = solve_arrow(arrow)
    cut = _cut_below_zero(gaussian, depth_response, float(step[IMPACT_SQUARED]))
    depth_extra, shared_extra, cross_extra = common_noise_covariance(model, at, arrow, groups, excess)
    return replace(
        cut,
        depth_covariance=cut.depth_covariance + depth_extra,
        shared_covariance=cut.shared_covariance + shared_extra,
        cross=cut.cross + cross_extra,
    )


def _normal_matrix(model: CurveModel, solution: Solution, groups: list[Tensor]) -> tuple[Linearisation, Arrow]:
    """Linearise with the mean depth of each channel; the right-hand sides stay those of the peak."""
    depth = solution.state.depth.clone()
    weight = 1.0 / eliminate(solution.arrow)[0][:, 1, 1]
    for group in groups:
        depth[group] = (weight[group] @ depth[group]) / weight[group].sum()
    state = replace(solution.state, depth=depth)
    at = linearise(model, state)
    arrow = normal_equations(model, state, at)
    return at, replace(arrow, own_side=solution.arrow.own_side, corner_side=solution.arrow.corner_side)


def _cut_below_zero(gaussian: Posterior, depth_response: Tensor, step: float) -> Posterior:
    """Cut the Gaussian at b^2 = 0.

    Args:
        depth_response: (n_curve, n_shared), how depths move with the shared parameters.
        step: in b^2, from the state to the peak of the Gaussian that does not know the border.
    """
    variance = float(gaussian.shared_covariance[IMPACT_SQUARED, IMPACT_SQUARED])
    here = float(gaussian.shared[IMPACT_SQUARED])
    mean, spread = truncated_moments(here + step, math.sqrt(variance))
    gain = gaussian.shared_covariance[:, IMPACT_SQUARED] / variance
    depth_gain = depth_response @ gain
    narrower = spread**2 - variance
    return Posterior(
        depth=gaussian.depth + depth_gain * (mean - here),
        depth_covariance=gaussian.depth_covariance + narrower * torch.outer(depth_gain, depth_gain),
        shared=gaussian.shared + gain * (mean - here),
        shared_covariance=gaussian.shared_covariance + narrower * torch.outer(gain, gain),
        cross=gaussian.cross + narrower * torch.outer(depth_gain, gain),
    )


def truncated_moments(peak: float, sigma: float) -> tuple[float, float]:
    """Return mean and standard deviation of a Gaussian that is cut off below zero."""
    cut = -peak / sigma
    log_tail = float(torch.special.log_ndtr(torch.tensor(-cut, dtype=torch.float64)))
    hazard = math.exp(-0.5 * cut**2 - 0.5 * math.log(2.0 * math.pi) - log_tail)
    return peak + sigma * hazard, sigma * math.sqrt(max(1e-6, 1.0 + cut * hazard - hazard**2))


def channel_difference(posterior: Posterior, wavelength: np.ndarray, alive: np.ndarray) -> tuple[float, float]:
    """Return the FGS1 depth minus the mean AIRS-CH0 depth and its sigma; zero where a channel is missing."""
    fgs1, airs = alive & is_fgs1(wavelength), alive & ~is_fgs1(wavelength)
    if not (fgs1.any() and airs.any()):
        return 0.0, math.inf
    covariance = posterior.depth_covariance.numpy()
    weight = np.where(airs, -1.0 / np.diag(covariance), 0.0)
    weight = weight / -weight.sum() + fgs1 / fgs1.sum()
    return float(weight @ posterior.depth.numpy()), float(np.sqrt(weight @ covariance @ weight))


def distrust_fgs1(posterior: Posterior, wavelength: np.ndarray, difference: float) -> Posterior:
    """Widen FGS1's depth by as much as it differs from AIRS-CH0."""
    extra = torch.from_numpy(is_fgs1(wavelength) * difference**2)
    return replace(posterior, depth_covariance=posterior.depth_covariance + torch.diag(extra))


def mean_depth(posterior: Posterior, alive: np.ndarray) -> tuple[float, float]:
    """Return the mean depth over living wavelengths, weighted by inverse variance, and its sigma."""
    covariance = posterior.depth_covariance.numpy()[np.ix_(alive, alive)]
    weight = 1.0 / np.diag(covariance)
    weight /= weight.sum()
    return float(weight @ posterior.depth.numpy()[alive]), float(np.sqrt(weight @ covariance @ weight))


def forget_depths(posterior: Posterior) -> Posterior:
    """Widen the depths, level and shape, to where they say nothing: flux at the wrong time measures neither."""
    covariance = posterior.depth_covariance
    unknown = UNKNOWN_DEPTH_SIGMA**2 * (
        torch.ones_like(covariance) + torch.eye(len(covariance), dtype=covariance.dtype)
    )
    return replace(posterior, depth_covariance=covariance + unknown)


def widen_cut_transit(posterior: Posterior, missing: float, depth: float) -> Posterior:
    """Widen the depths of a transit of which a share of one half was not seen.

    With one flank only, duration, impact parameter and depth go together along a curved valley: no Gaussian follows it.
    """
    growth, level = 1.0 + _CUT_GROWTH * missing**2, _CUT_LEVEL * missing**2 * depth
    return replace(
        posterior,
        depth_covariance=growth * posterior.depth_covariance + level**2,
        shared_covariance=growth * posterior.shared_covariance,
        cross=growth * posterior.cross,
    )


def fill_dead_wavelengths(posterior: Posterior, wavelength: np.ndarray, alive: np.ndarray) -> Posterior:
    """Give dead wavelengths the depth of their living neighbours, with a sigma that says nothing is known."""
    if alive.all():
        return posterior
    depth, covariance = posterior.depth.numpy().copy(), posterior.depth_covariance.numpy().copy()
    cross = torch.where(torch.from_numpy(alive)[:, None], posterior.cross, 0.0)
    variance = np.diag(covariance).copy()
    fgs1 = is_fgs1(wavelength)
    for dead in np.flatnonzero(~alive):
        own_channel = alive & (fgs1 == fgs1[dead])
        candidates = np.flatnonzero(own_channel if own_channel.any() else alive)
        near = candidates[np.argsort(np.abs(wavelength[candidates] - wavelength[dead]), kind="stable")[:_NEIGHBOURS]]
        depth[dead] = np.average(depth[near], weights=1.0 / variance[near])
        covariance[dead], covariance[:, dead] = 0.0, 0.0
        covariance[dead, dead] = UNKNOWN_DEPTH_SIGMA**2
    return replace(posterior, depth=torch.from_numpy(depth), depth_covariance=torch.from_numpy(covariance), cross=cross)
