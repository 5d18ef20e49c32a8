"""The transit fit of one visit: depths of all wavelengths with their joint covariance.

Read ``fit_transit`` first; it is the list of steps:

1. make the light curves relative, leave out what cannot be used;
2. find the dip in the white light, wherever it is, and fit the white curves, with jumps of the flux and spot crossings
   where evident;
3. fit all wavelengths jointly: a level and a depth each, orbit, limb darkening and drift shared, Gaussian priors;
4. measure noise and size of the drift on that fit, weigh again, fit again; slow noise that is far larger than usual
   is in the fit from here on;
5. what the light curves say around that end, as a likelihood that takes any prior of star and instrument;
6. depths and covariance under the loose prior of a single visit, with all else marginalised.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel, State, curve_model, with_systematics
from spectramind_kit.fitting.detrended import detrended
from spectramind_kit.fitting.drift_scale import empirical_bayes_scatter
from spectramind_kit.fitting.estimates import parameter_correlation, transit_estimates
from spectramind_kit.fitting.gauss_newton import Solution, minimise
from spectramind_kit.fitting.laplace import (
    Posterior,
    channel_difference,
    fill_masked_wavelengths,
    inflated_fgs1,
    mean_depth,
    of_unknown_level,
    partially_observed,
    uninformative,
    widened_at_the_limb,
)
from spectramind_kit.fitting.noise import channel_noise, outliers, scatter_ratio
from spectramind_kit.fitting.noise_modes import noise_terms, slow_noise
from spectramind_kit.fitting.quality import (
    data_flags,
    fgs1_is_implausible,
    fit_flags,
    grazing_excess,
    missing_share,
    orbit_is_implausible,
    timing_flags,
    transit_grazes,
    transit_is_lost,
)
from spectramind_kit.fitting.relative_flux import RelativeFlux, relative_flux
from spectramind_kit.fitting.systematics import kind_of, systematics
from spectramind_kit.fitting.transit_prior import TransitPrior, transit_prior
from spectramind_kit.fitting.visit_likelihood import visit_likelihood
from spectramind_kit.fitting.visit_posterior import VisitPrior, visit_posterior, visit_prior
from spectramind_kit.fitting.white_fit import WhiteFit, fit_white_light, known_systematics, sampled_instants
from spectramind_kit.fitting.white_light import joint_start
from spectramind_kit.flags import Flag, Flags, flag_sentences
from spectramind_kit.instruments import CHANNELS, is_fgs1
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.products import Estimate, LightCurves, Planet, TransitFit
from spectramind_kit.robust_statistics import lower_median
from spectramind_kit.settings.fit import FitConfig

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-3
"""Gain in half chi^2 below which the joint fit has converged."""
_LARGE_NOISE = 6.0
"""Slow noise that the fit itself follows, over the usual one."""
_AT_LEAST = 4.0
"""Size of slow noise, over the usual one, that what is left of a channel is compared with at least."""
_MOST_LEFT = 0.5
"""What the modes may leave of a channel, in standard deviations over the expected ones and over its noise's size: more
is fast, and a fit with them would trust the ingress, which is faster than they are, as if photons were all its noise.
"""


class JointFit(NamedTuple):
    """All wavelengths of a visit, fitted.

    Attributes:
        data: the light curves, relative.
        channels: valid wavelengths of each channel, boolean (n_wavelength,).
        prior: of orbit and limb darkening.
        white: where the fit started.
        model: with measured noise.
        solution: its fit.
        ratio: measured over expected scatter, (n_wavelength,) [1].
    """

    data: RelativeFlux
    channels: dict[str, np.ndarray]
    prior: TransitPrior
    white: WhiteFit
    model: CurveModel
    solution: Solution
    ratio: np.ndarray


def fit_transit(curves: LightCurves, planet: Planet, config: FitConfig) -> TransitFit:
    """Fit the transit of one visit.

    Args:
        curves: light curves of all wavelengths, FGS1 first; single masked wavelengths are allowed.
        planet: its star and orbit, where known, are loose priors.
        config: options of the fit.

    Returns:
        Depths with a covariance that is finite and positive definite, whatever the light curves; ``flux`` is NaN where
        a point was not used. Flags mark what is not as it should be.

    Raises:
        FitError: if no wavelength has usable light, or there are too few times.
    """
    data, channels, prior, white, model, solution, ratio = joint_fit(curves, planet, config)
    likelihood = visit_likelihood(model, solution, curves, curves.wavelength, list(channels.values()))
    loose = visit_prior(likelihood, None)
    posterior = visit_posterior(likelihood, loose)
    without_noise = _without_noise(likelihood, loose)
    noise_bias = _noise_bias(without_noise, posterior, channels)
    apart = detrended(model, solution, curves, likelihood.names, without_noise)
    at = replace(solution.at, residual=apart.residual)
    noise = {name: channel_noise(model, at, group, curves.bin_seconds) for name, group in channels.items()}

    flags = {**prior.flags, **data_flags(curves.wavelength, data.valid, _unused_fraction(model, data), ratio)}
    flags |= fit_flags(solution, noise, white.jumps, [crossing.middle for crossing in white.crossings])
    estimates = _estimates(model.period, likelihood.names, posterior, prior, curves.wavelength, data.valid)
    correlation_names, correlation = parameter_correlation(posterior, likelihood.names, estimates)
    likelihood, why = _inflated(likelihood, model, posterior, white, estimates, curves, data.valid)
    flags |= why
    covariance = likelihood.growth * posterior.depth_covariance + np.diag(likelihood.extra_variance)
    covariance += likelihood.common_extra_variance
    depth, covariance = fill_masked_wavelengths(posterior.depth, covariance, curves.wavelength, ~data.valid)
    for sentence in flag_sentences(flags):
        logger.info("planet %d, visit %d: %s", curves.planet_id, curves.visit, sentence)
    return TransitFit(
        planet_id=curves.planet_id,
        visit=curves.visit,
        wavelength=curves.wavelength,
        depth=depth,
        covariance=covariance,
        parameters=estimates,
        time=curves.time,
        flux=np.where(model.weight > 0, model.flux / apart.star, np.nan).T,
        model=apart.transit.T,
        noise_scale=ratio,
        depth_bias=noise_bias,
        flags={**curves.flags, **flags},
        correlation_names=correlation_names,
        correlation=correlation,
        likelihood=likelihood,
    )


def joint_fit(curves: LightCurves, planet: Planet, config: FitConfig) -> JointFit:
    """Take the steps of ``fit_transit`` up to the end of the fit of all wavelengths, with the same arguments."""
    data = relative_flux(curves, config.outlier_sigma)
    white, channels, prior = white_light(curves, planet, config, data)
    model = _joint_model(curves, data, prior, config, white)
    start = joint_start(white.solution, list(channels.values()), model, white.model.names)
    model, solution, ratio = _fit_twice(model, start, channels, curves, config)
    return JointFit(data, channels, prior, white, model, solution, ratio)


def white_light(
    curves: LightCurves, planet: Planet, config: FitConfig, data: RelativeFlux | None = None
) -> tuple[WhiteFit, dict[str, np.ndarray], TransitPrior]:
    """Fit the white light of each channel; return the fit, the channels' valid wavelengths, and the prior.

    Args:
        curves: as in ``fit_transit``.
        planet: likewise.
        config: likewise.
        data: the light curves made relative, where that is done.
    """
    data = relative_flux(curves, config.outlier_sigma) if data is None else data
    prior = transit_prior(planet, config)
    channels = _valid_channels(curves.wavelength, data.valid)
    return fit_white_light(curves, data, list(channels.values()), prior, config), channels, prior


def _without_noise(likelihood: VisitLikelihood, prior: VisitPrior) -> Posterior:
    """Return the posterior where noise is never correlated: drift and orbit follow it then wherever it goes."""
    kept = np.array([not kind_of(name).startswith("noise") for name in likelihood.names])
    return visit_posterior(likelihood, replace(prior, covariance=prior.covariance * np.outer(kept, kept)))


def _noise_bias(without: Posterior, posterior: Posterior, channels: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return by how much correlated noise would have raised the mean depths of FGS1 and AIRS-CH0, and its variance."""
    found, rows = np.zeros((len(CHANNELS), 2)), list(CHANNELS)
    for name, group in channels.items():
        more = (posterior.depth_covariance - without.depth_covariance)[np.ix_(group, group)].mean()
        found[rows.index(name)] = (without.depth - posterior.depth)[group].mean(), max(more, 0.0)
    return found


def _inflated(
    likelihood: VisitLikelihood,
    model: CurveModel,
    posterior: Posterior,
    white: WhiteFit,
    estimates: Mapping[str, Estimate],
    curves: LightCurves,
    valid: np.ndarray,
) -> tuple[VisitLikelihood, Flags]:
    """Widen the errors of depths that cannot be what they look like, and say why."""
    grazes = white.crossed_at_limb or transit_grazes(white.dip, posterior, estimates, valid)
    if transit_is_lost(white.dip, posterior, valid):
        return uninformative(likelihood), {Flag.GRAZING if grazes else Flag.NO_TRANSIT: ""}
    if orbit_is_implausible(model, posterior):
        return uninformative(likelihood), {Flag.IMPLAUSIBLE_ORBIT: ""}
    flags = dict(timing_flags(estimates, curves.time))
    # Compared before the errors are widened: FGS1 and AIRS-CH0 have the same transit, cut or whole.
    difference, sigma = channel_difference(posterior, curves.wavelength, valid)
    depth, _ = mean_depth(posterior, valid)
    missing = missing_share(estimates, curves.time)
    if missing > 0.0:
        likelihood = partially_observed(likelihood, missing, depth)
    excess = grazing_excess(estimates, difference, depth)
    if grazes:
        likelihood, flags[Flag.GRAZING] = of_unknown_level(likelihood), ""
    elif excess > 0.0:
        flags[Flag.AT_THE_LIMB] = f"by {100 * difference / depth:+.0f} %"
        likelihood = widened_at_the_limb(likelihood, excess, depth)
    if fgs1_is_implausible(difference, sigma, depth):
        flags[Flag.FGS1_DEPTH] = f"by {100 * difference / depth:+.0f} %"
        likelihood = inflated_fgs1(likelihood, curves.wavelength, difference)
    return likelihood, flags


def _valid_channels(wavelength: np.ndarray, valid: np.ndarray) -> dict[str, np.ndarray]:
    """Return the valid wavelengths of each channel, boolean (n_wavelength,); a channel without any is left out."""
    fgs1 = is_fgs1(wavelength)
    groups = {"FGS1": valid & fgs1, "AIRS-CH0": valid & ~fgs1}
    return {name: group for name, group in groups.items() if group.any()}


def _joint_model(
    curves: LightCurves, data: RelativeFlux, prior: TransitPrior, config: FitConfig, white: WhiteFit
) -> CurveModel:
    weight = np.where(data.spike, 0.0, data.weight)
    order = config.drift_wavelength_order
    known = known_systematics(curves, curves.wavelength, config, order, white.jumps, white.crossings)
    depth = float(lower_median(white.solution.state.depth))
    return curve_model(
        data.flux, weight, sampled_instants(curves, config), curves.wavelength, known, prior, config, depth
    )


def _fit_twice(
    model: CurveModel, start: State, channels: dict[str, np.ndarray], curves: LightCurves, config: FitConfig
) -> tuple[CurveModel, Solution, np.ndarray]:
    """Fit, measure noise and outliers, fit again; also return measured over expected scatter (n_curve,)."""
    first = minimise(model, start, config.max_iterations, _TOLERANCE)
    size, left = np.transpose([_slow_noise(model, first, group, curves) for group in channels.values()])
    if size.max() > _LARGE_NOISE and (left < (_MOST_LEFT * np.maximum(size, _AT_LEAST)) ** 2).all():
        model, state = _with_noise(model, first.state, curves, float(size.max()))
        first = minimise(model, state, config.max_iterations, _TOLERANCE)
    groups = list(channels.values())
    far = outliers(first.at.residual, model.weight, groups, config.outlier_sigma)
    weight = np.where(far, 0.0, model.weight)
    smoothed = channels.get("AIRS-CH0", np.zeros(len(weight), dtype=bool))
    ratio = scatter_ratio(first.at.residual, weight, smoothed)
    model = replace(model, weight=weight / (ratio**2)[:, None], prior_scatter=empirical_bayes_scatter(model, first))
    return model, minimise(model, first.state, config.max_iterations, _TOLERANCE), ratio


def _slow_noise(model: CurveModel, solution: Solution, group: np.ndarray, curves: LightCurves) -> tuple[float, float]:
    """Return how large the slow noise of a channel is over the usual one, and what its modes leave."""
    weight = model.weight[group]
    total = weight.sum(axis=0)
    residual = solution.at.residual[group] / solution.state.level[group, None]
    mean = (weight * residual).sum(axis=0) / np.maximum(total, 1e-300)
    return slow_noise(curves.time, curves.bin_seconds, mean, total)


def _with_noise(model: CurveModel, state: State, curves: LightCurves, size: float) -> tuple[CurveModel, State]:
    """Return a model that follows large noise, and the same state of it.

    Where slow changes are much larger than the modes of ``visit_likelihood`` expect, they lead the transit astray, and
    a likelihood around a fit that is far off is no Gaussian.
    """
    terms = noise_terms(curves.time, curves.bin_seconds, curves.wavelength, size)
    return with_systematics(model, state, systematics(curves.time, curves.wavelength, terms))


def _unused_fraction(model: CurveModel, data: RelativeFlux) -> float:
    usable = data.weight > 0
    return float((usable & (model.weight == 0)).sum() / usable.sum())


def _estimates(
    period: float,
    names: tuple[str, ...],
    posterior: Posterior,
    prior: TransitPrior,
    wavelength: np.ndarray,
    valid: np.ndarray,
) -> dict[str, Estimate]:
    fgs1 = is_fgs1(wavelength)
    bands = {"fgs1": wavelength[fgs1], "airs": wavelength[~fgs1]}
    middle = {name: 0.5 * float(band.min() + band.max()) for name, band in bands.items() if len(band)}
    depth, _ = mean_depth(posterior, valid)
    return transit_estimates(posterior, names, period, depth, prior.temperature, middle)
