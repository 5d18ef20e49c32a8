"""Nested sampling of the white light, beside the Laplace approximation: for one planet, to see what a Gaussian misses.

Sampled are mid-time, ln(a/Rs), b^2 >= 0 and the depth of each channel, under the priors of the fit. Levels, drift,
limb darkening and FGS1's lag enter the flux linearly, or so nearly that it does not matter, and are marginalised:

    ln L(theta) = -cost(theta, r) + g^T H^-1 g / 2 - ln det(H) / 2 + constant,

where cost is that of data and prior at reference values r of the linear parameters, and g and H are slope and curvature
by them. Nested sampling as in dynesty (Speagle 2020, MNRAS 493, 3132; Skilling 2006, Bayesian Analysis 1, 833) searches
a box along the axes of Laplace's approximation, many of its sigmas wide: of the prior all else is empty, and what
reaches the walls is reported.

The noise is white, its size measured; correlated noise and the wavelengths' own light curves are the joint fit's. So
Laplace's approximation of the same white light stands beside the samples, and is what they are to be compared with.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from spectramind_kit.errors import FitError
from spectramind_kit.extras import needed_for
from spectramind_kit.fitting.curve_model import (
    DEPTH_SCATTER,
    IMPACT_SQUARED,
    LOG_AXIS,
    MID_TIME,
    CurveModel,
    State,
    linearise,
)
from spectramind_kit.fitting.estimates import transit_estimates
from spectramind_kit.fitting.gauss_newton import Solution, eliminate, normal_equations, solve_scaled
from spectramind_kit.fitting.laplace import Posterior, truncated_at_zero
from spectramind_kit.fitting.posterior import white_light
from spectramind_kit.fitting.sampled_transit import SampledTransit
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import Estimate, LightCurves, Planet
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.orbit import transit_duration

_ORBIT = (MID_TIME, LOG_AXIS, IMPACT_SQUARED)
_LEFT = 0.5
"""Evidence that may be left when sampling ends [ln]."""
_WALL = 8.0
"""Half width of the box that is searched [sigma of Laplace's approximation]."""
_NEAR_WALL = 0.93
_LOWEST = -1e300
"""ln L where the model has no value."""


@dataclass(frozen=True, eq=False)
class _Marginal:
    """The posterior density of the sampled parameters, all else marginalised.

    Attributes:
        model: of the white curves.
        reference: state whose linear parameters everything is expanded around.
        centre: (n_sampled,) of the box: orbit first, then depths.
        axes: (n_sampled, n_sampled), its half axes in the columns.
    """

    model: CurveModel
    reference: State
    centre: np.ndarray
    axes: np.ndarray

    def from_unit_cube(self, u: np.ndarray) -> np.ndarray:
        """Return sampled parameters in the box, where ``u`` is uniform."""
        return self.centre + self.axes @ (2.0 * u - 1.0)

    def ln_density(self, theta: np.ndarray) -> float:
        """Return ln of likelihood and prior over the density of the box."""
        if theta[IMPACT_SQUARED] < 0.0 or (theta[len(_ORBIT) :] <= 0.0).any():
            return _LOWEST
        cost, slope, curvature = self.expanded(theta)
        gained = 0.5 * slope @ solve_scaled(curvature, slope)
        found = gained - cost - 0.5 * np.linalg.slogdet(curvature)[1] + self._ln_volume
        return float(found) if math.isfinite(found) else _LOWEST

    def expanded(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the cost at the reference, and its slope (downwards) and curvature by the linear parameters."""
        state = self.state(theta)
        at = linearise(self.model, state)
        normal = normal_equations(self.model, state, at)
        levels, border = normal.local[:, 0, 0], normal.border[:, 0, self.linear]
        curvature = np.block([[np.diag(levels), border], [border.T, normal.corner[np.ix_(self.linear, self.linear)]]])
        return at.cost, np.concatenate([normal.local_score[:, 0], normal.corner_score[self.linear]]), curvature

    def state(self, theta: np.ndarray, moved: np.ndarray | float = 0.0) -> State:
        """Return the state of sampled parameters, the linear ones (levels, then shared) moved from the reference."""
        n_curve, n_linear = len(self.model.flux), len(self.linear)
        moved = np.broadcast_to(moved, (n_curve + n_linear,))
        shared = self.reference.shared.copy()
        shared[list(_ORBIT)] = theta[: len(_ORBIT)]
        shared[self.linear] += moved[n_curve:]
        return State(self.reference.level + moved[:n_curve], theta[len(_ORBIT) :], shared)

    @cached_property
    def linear(self) -> np.ndarray:
        """Places of the shared parameters that are marginalised."""
        return np.setdiff1d(np.arange(len(self.reference.shared)), _ORBIT)

    @cached_property
    def _ln_volume(self) -> float:
        """Volume of the box times what normalises the priors."""
        scatter = [*self.model.prior_scatter, *(DEPTH_SCATTER for _ in self.model.flux)]
        n_linear = len(scatter) - len(self.centre)
        size = np.linalg.slogdet(2.0 * self.axes)[1] - np.log(scatter).sum()
        return float(size + 0.5 * (n_linear - len(scatter)) * math.log(2.0 * math.pi))


def sample_white_light(
    curves: LightCurves, planet: Planet, config: FitConfig, live_points: int = 150, seed: int = 0
) -> SampledTransit:
    """Sample the white light of one visit.

    Args:
        curves: light curves of all wavelengths.
        planet: its star and orbit, where known, are loose priors.
        config: options of the fit; exposures are taken at their middles.
        live_points: of nested sampling; errors of what is found fall with their square root.
        seed: of the samples.

    Raises:
        FitError: if no wavelength has usable light, there are too few times, or too few live points.
        SpectraMindError: if dynesty is not installed.
    """
    with needed_for("nested sampling"):
        from dynesty import NestedSampler
    white, channels, prior = white_light(curves, planet, replace(config, supersample=1))
    gaussian = _gaussian(white.solution)
    marginal = _marginal(white.model, white.solution.state, gaussian)
    n_sampled = len(marginal.centre)
    if live_points < (fewest := 5 * n_sampled):
        raise FitError("nested sampling", wanted=f"{fewest} live points or more", got=live_points)
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {"nlive": live_points, "rstate": rng, "sample": "unif", "bootstrap": 0}
    sampler = NestedSampler(marginal.ln_density, marginal.from_unit_cube, n_sampled, **options)
    sampler.run_nested(dlogz=_LEFT, print_progress=False)
    found: Any = sampler.results
    weight = found.importance_weights()
    theta = found.samples_equal(rstate=rng)
    from_centre = np.abs(np.linalg.solve(marginal.axes, (theta - marginal.centre).T))
    evidence = Estimate(float(found.logz[-1]), float(found.logzerr[-1]))
    prefixes = [_PREFIX[name] for name in channels]
    names, samples = _reported(theta, white.model.period, prefixes)
    return SampledTransit(
        planet_id=curves.planet_id,
        visit=curves.visit,
        names=names,
        samples=samples,
        laplace=_laplace(white.model, gaussian, prefixes, prior.temperature),
        effective_samples=float(weight.sum() ** 2 / np.square(weight).sum()),
        likelihoods=int(np.sum(found.ncall)),
        ln_evidence=evidence,
        confined=bool((from_centre > _NEAR_WALL).any()),
    )


_PREFIX = dict(zip(CHANNELS, ("fgs1", "airs")))


def _reported(theta: np.ndarray, period: float, prefixes: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return names and samples in the units that are reported."""
    mid_time, axis, b = theta[:, MID_TIME], np.exp(theta[:, LOG_AXIS]), np.sqrt(theta[:, IMPACT_SQUARED])
    depths = theta[:, len(_ORBIT) :]
    duration = transit_duration(period, axis, b, np.sqrt(depths.mean(axis=1)))
    names = ("mid_time", "duration", "semi_major_axis", "impact_parameter", *(f"{each}_depth" for each in prefixes))
    return names, np.column_stack([mid_time, duration, axis, b, depths])


def _gaussian(solution: Solution) -> Posterior:
    """Return Laplace's approximation at the end of the white fit, without the boundary of b^2."""
    state, eliminated = solution.state, eliminate(solution.normal)
    shared = solve_scaled(eliminated.schur, np.eye(len(state.shared)))
    response = eliminated.response[:, 1]
    covariance = np.diag(eliminated.local_inverse[:, 1, 1]) + response @ shared @ response.T
    return Posterior(state.depth, covariance, state.shared, shared, response @ shared)


def _marginal(model: CurveModel, reference: State, gaussian: Posterior) -> _Marginal:
    """Return the density of orbit and depths in a box around Laplace's approximation."""
    orbit = list(_ORBIT)
    cross = gaussian.cross[:, orbit]
    own = gaussian.shared_covariance[np.ix_(orbit, orbit)]
    covariance = np.block([[own, cross.T], [cross, gaussian.depth_covariance]])
    centre = np.concatenate([gaussian.shared[orbit], gaussian.depth])
    return _Marginal(model, reference, centre, _WALL * np.linalg.cholesky(covariance))


def _laplace(model: CurveModel, gaussian: Posterior, prefixes: list[str], temperature: float) -> dict[str, Estimate]:
    """Return orbit and depths by Laplace's approximation."""
    posterior = truncated_at_zero(gaussian, IMPACT_SQUARED)
    found = transit_estimates(posterior, model.names, model.period, float(posterior.depth.mean()), temperature, {})
    error = np.sqrt(np.diag(posterior.depth_covariance))
    depths = {f"{each}_depth": Estimate(float(d), float(e)) for each, d, e in zip(prefixes, posterior.depth, error)}
    return {name: found[name] for name in found if name != "fgs1_lag"} | depths
