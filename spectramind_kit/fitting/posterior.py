"""The transit fit of one visit: depths of all wavelengths with their joint covariance.

Read ``fit_transit`` first; it is the list of steps:

1. make the light curves relative, leave out what cannot be used;
2. find the dip in the white light, wherever it is, and fit the white curves, with steps in the flux where evident;
3. fit all wavelengths jointly: a level and a depth each, orbit, limb darkening and drift shared, Gaussian priors;
4. measure noise and size of the drift on that fit, weigh again, fit again;
5. Laplace approximation: covariance of all depths with everything else marginalised.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.fitting.curve_model import CurveModel, State, curve_model
from spectramind_kit.fitting.darkening_prior import darkening_arrays
from spectramind_kit.fitting.depth_bias import Chord, stray_noise
from spectramind_kit.fitting.drift_scale import evident_scatter
from spectramind_kit.fitting.estimates import parameter_correlation, transit_estimates
from spectramind_kit.fitting.flux_jumps import MOST_ROUNDS, Oddity, find_oddity
from spectramind_kit.fitting.gauss_newton import Solution, minimise
from spectramind_kit.fitting.laplace import (
    Posterior,
    channel_difference,
    distrust_fgs1,
    fill_dead_wavelengths,
    forget_depths,
    laplace_posterior,
    mean_depth,
    widen_cut_transit,
)
from spectramind_kit.fitting.noise import channel_noise, outliers, scatter_ratio
from spectramind_kit.fitting.quality import (
    data_flags,
    fgs1_is_implausible,
    fit_flags,
    missing_share,
    orbit_is_implausible,
    timing_flags,
    transit_is_lost,
)
from spectramind_kit.fitting.relative_flux import RelativeFlux, relative_flux
from spectramind_kit.fitting.start import Dip, find_dips, fit_white, joint_start, white_curves
from spectramind_kit.fitting.systematics import Systematics, drift_and_jitter
from spectramind_kit.fitting.transit_prior import TransitPrior, transit_prior
from spectramind_kit.flags import Flag, Flags, flag_sentences
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate, LightCurves, Planet, TransitFit
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.light_curve import exposure_samples

logger = logging.getLogger(__name__)

_N_DIP = 3
"""Dips that the white light is fitted with before it is believed to jump."""
_TOLERANCE = 1e-3
"""Gain in half chi^2 below which the joint fit has converged."""


def fit_transit(curves: LightCurves, planet: Planet, config: FitConfig) -> TransitFit:
    """Fit the transit of one visit.

    Args:
        curves: light curves of all wavelengths, FGS1 first; single dead wavelengths are allowed.
        planet: its star and orbit, where known, are loose priors.

    Returns:
        Depths with a covariance that is finite and positive definite, whatever the light curves; ``flux`` is NaN where
        a point was not used. Flags mark what is not as it should be.

    Raises:
        FitError: if no wavelength has usable light, or there are too few times.
    """
    data = relative_flux(curves, config.outlier_sigma)
    prior = transit_prior(planet, config)
    channels = _living_channels(curves.wavelength, data.alive)
    dip, white, white_names, steps = _fit_white_light(curves, data, list(channels.values()), prior, config)
    model = _joint_model(curves, data, prior, config, float(white.state.depth.median()), steps)
    start = joint_start(white, list(channels.values()), model, white_names)
    model, solution, ratio = _fit_twice(model, start, channels, config)
    noise = {name: channel_noise(model, solution.at, group, curves.bin_seconds) for name, group in channels.items()}
    posterior = laplace_posterior(model, solution, list(channels.values()), [n.excess for n in noise.values()])

    flags = {**prior.flags, **data_flags(curves.wavelength, data.alive, _share_unused(model, data), ratio)}
    flags |= fit_flags(solution, noise, steps)
    estimates = _estimates(model, posterior, prior, curves.wavelength, data.alive)
    correlation_names, correlation = parameter_correlation(posterior, model.names, estimates)
    posterior, doubts = _doubted(model, posterior, dip, estimates, curves, data.alive)
    flags |= doubts
    posterior = fill_dead_wavelengths(posterior, curves.wavelength, data.alive)
    for sentence in flag_sentences(flags):
        logger.info("planet %d, visit %d: %s", curves.planet_id, curves.visit, sentence)
    return TransitFit(
        planet_id=curves.planet_id,
        visit=curves.visit,
        wavelength=curves.wavelength,
        depth=posterior.depth.numpy(),
        covariance=posterior.depth_covariance.numpy(),
        parameters=estimates,
        time=curves.time,
        flux=_star_and_drift_removed(model, solution),
        model=solution.at.transit.numpy().T,
        noise_scale=ratio,
        stray_noise=stray_noise(model, solution, channels, curves.time, _chord(estimates, posterior)),
        flags={**curves.flags, **flags},
        correlation_names=correlation_names,
        correlation=correlation,
        **darkening_arrays(posterior, model),
    )


def _chord(estimates: dict[str, Estimate], posterior: Posterior) -> Chord:
    """Return the planet's way across the star."""
    way = (estimates[name].value for name in ("mid_time", "duration", "impact_parameter"))
    return Chord(*way, radius=float(posterior.depth.mean().clamp(min=1e-6).sqrt()))


def _doubted(
    model: CurveModel,
    posterior: Posterior,
    dip: Dip,
    estimates: Mapping[str, Estimate],
    curves: LightCurves,
    alive: np.ndarray,
) -> tuple[Posterior, Flags]:
    """Widen depths that cannot be what they look like, and say why."""
    if transit_is_lost(dip, posterior, alive):
        return forget_depths(posterior), {Flag.NO_TRANSIT: ""}
    if orbit_is_implausible(model, posterior):
        return forget_depths(posterior), {Flag.IMPLAUSIBLE_ORBIT: ""}
    flags = dict(timing_flags(estimates, curves.time))
    difference, sigma = channel_difference(posterior, curves.wavelength, alive)
    depth, _ = mean_depth(posterior, alive)
    posterior = widen_cut_transit(posterior, missing_share(estimates, curves.time), depth)
    if fgs1_is_implausible(difference, sigma, depth):
        flags[Flag.FGS1_DEPTH] = f"by {100 * difference / depth:+.0f} %"
        posterior = distrust_fgs1(posterior, curves.wavelength, difference)
    return posterior, flags


def _living_channels(wavelength: np.ndarray, alive: np.ndarray) -> dict[str, Tensor]:
    """Return the living wavelengths of each channel as a mask; a channel without any is left out."""
    fgs1 = is_fgs1(wavelength)
    masks = {"FGS1": alive & fgs1, "AIRS-CH0": alive & ~fgs1}
    return {name: torch.from_numpy(mask) for name, mask in masks.items() if mask.any()}


def _fit_white_light(
    curves: LightCurves, data: RelativeFlux, groups: list[Tensor], prior: TransitPrior, config: FitConfig
) -> tuple[Dip, Solution, tuple[str, ...], tuple[float, ...]]:
    """Find the transit in the white curves and fit it there; also return names of shared parameters, and steps [s]."""
    flux, weight = white_curves(data.flux, torch.where(data.spike, 0.0, data.weight), groups)
    middle = np.array([curves.wavelength[group.numpy()].mean() for group in groups])

    def fit(steps: tuple[float, ...], n_dip: int = 1) -> tuple[Dip, Solution, CurveModel, Oddity | None]:
        systematics = _systematics(curves, middle, config.drift_order, 0, steps)
        dips = find_dips(curves.time, flux.numpy(), weight.numpy(), systematics, config.drift_scatter, n_dip)
        model = curve_model(flux, weight, _instants(curves, config), middle, systematics, prior, config, dips[0].depth)
        ends = [(dip, fit_white(model, dip, config)) for dip in dips]
        dip, white = min(ends, key=lambda end: end[1].at.cost)
        return dip, white, model, find_oddity(curves.time, model, white, config.drift_scatter, steps)

    steps: tuple[float, ...] = ()
    *found, odd = fit(steps)
    if odd:  # the flanks of a long transit that was fitted with another dip are odd
        *found, odd = fit(steps, _N_DIP)
    for n_round in range(MOST_ROUNDS):
        if odd is None or odd.step is None:
            break
        steps = (odd.step,) if n_round < 2 else (*steps, odd.step)
        *found, odd = fit(steps)
    if len(steps) > 1:  # the last one may be all there is, the others the marks of a transit led astray
        *alone, odd = fit(steps[-1:])
        steps, found = (steps[-1:], alone) if odd is None or odd.step is None else (steps, found)
    dip, white, model = found
    return dip, white, model.names, steps


def _joint_model(
    curves: LightCurves,
    data: RelativeFlux,
    prior: TransitPrior,
    config: FitConfig,
    depth: float,
    steps: tuple[float, ...],
) -> CurveModel:
    weight = torch.where(data.spike, 0.0, data.weight)
    systematics = _systematics(curves, curves.wavelength, config.drift_order, config.drift_wavelength_order, steps)
    instants = _instants(curves, config)
    return curve_model(data.flux, weight, instants, curves.wavelength, systematics, prior, config, depth)


def _systematics(
    curves: LightCurves, wavelength: np.ndarray, order: int, wavelength_order: int, steps: tuple
) -> Systematics:
    names = curves.regressor_names
    return drift_and_jitter(curves.time, wavelength, order, wavelength_order, curves.regressors, names, steps)


def _instants(curves: LightCurves, config: FitConfig) -> Tensor:
    return exposure_samples(torch.from_numpy(curves.time), curves.bin_seconds, config.supersample)


def _fit_twice(
    model: CurveModel, start: State, channels: dict[str, Tensor], config: FitConfig
) -> tuple[CurveModel, Solution, np.ndarray]:
    """Fit, measure noise and outliers, fit again; also return measured over expected scatter (n_curve,)."""
    first = minimise(model, start, config.max_iterations, _TOLERANCE)
    groups = list(channels.values())
    far = outliers(first.at.residual, model.weight, groups, config.outlier_sigma)
    weight = torch.where(far, 0.0, model.weight)
    smoothed = channels.get("AIRS-CH0", torch.zeros(len(weight), dtype=torch.bool)).numpy()
    ratio = scatter_ratio(first.at.residual, weight, _lost_freedom(model, groups), smoothed)
    model = replace(
        model, weight=weight / torch.from_numpy(ratio**2)[:, None], prior_scatter=evident_scatter(model, first)
    )
    return model, minimise(model, first.state, config.max_iterations, _TOLERANCE), ratio


def _lost_freedom(model: CurveModel, groups: list[Tensor]) -> Tensor:
    """Return how many degrees of freedom each curve has lost: its own two and its part of the shared ones."""
    lost = torch.full((len(model.flux),), 2.0, dtype=model.flux.dtype)
    for group in groups:
        shared = (model.mixing[group].abs().sum(dim=(0, 1)) > 0).sum()
        lost[group] += shared / group.sum()
    return lost


def _share_unused(model: CurveModel, data: RelativeFlux) -> float:
    usable = data.weight > 0
    return float((usable & (model.weight == 0)).sum() / usable.sum())


def _star_and_drift_removed(model: CurveModel, solution: Solution) -> np.ndarray:
    """Return data over star and drift, (n_time, n_wavelength), NaN where a point was not used."""
    star = solution.state.level[:, None] * solution.at.systematics
    return torch.where(model.weight > 0, model.flux / star, torch.nan).numpy().T


def _estimates(
    model: CurveModel, posterior: Posterior, prior: TransitPrior, wavelength: np.ndarray, alive: np.ndarray
) -> dict[str, Estimate]:
    fgs1 = is_fgs1(wavelength)
    bands = {"fgs1": wavelength[fgs1], "airs": wavelength[~fgs1]}
    middle = {name: 0.5 * float(band.min() + band.max()) for name, band in bands.items() if len(band)}
    depth, _ = mean_depth(posterior, alive)
    return transit_estimates(posterior, model.names, model.period, depth, prior.temperature, middle)
