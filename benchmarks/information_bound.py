"""How well depths can be known at all: the fit's own model, linearised at the truth, with the noise of the detector.

    C = (F + P^-1)^-1,    F = J' W J

J is the Jacobian at the true parameters, W the inverse variance that photons and reads give, P the priors of the fit.
Everything the fit does not know (star levels, drift, jitter, mid-time, orbit, limb darkening) is free and marginalised
in closed form, so C is the Cramer-Rao bound of the depths under those priors (Kay 1993, ch. 3 and 10).
"""

import math
from dataclasses import replace

import numpy as np

from spectramind_kit.fitting.curve_model import DEPTH_SCATTER, CurveModel, State, curve_model, linearise
from spectramind_kit.fitting.gauss_newton import NormalEquations, eliminate, minimise, normal_equations, solve_scaled
from spectramind_kit.fitting.nuisance_prior import NuisancePrior, group_of
from spectramind_kit.fitting.relative_flux import relative_flux
from spectramind_kit.fitting.systematics import drift_terms, pointing_terms, systematics
from spectramind_kit.fitting.transit_prior import transit_prior
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import LightCurves
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.simulation.starlight import label_wavelengths
from spectramind_kit.simulation.system import SimulatedSystem
from spectramind_kit.transit.light_curve import exposure_samples
from spectramind_kit.transit.limb_darkening import quadratic_coefficients

_TOLERANCE = 1e-3
_N_MU = 50


def fit_from_truth(
    curves: LightCurves,
    system: SimulatedSystem,
    mid_time: float,
    config: FitConfig,
    nuisance: NuisancePrior | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure the depths of one visit with all that noise, drift and priors leave unknown, and nothing else.

    Args:
        curves: of the visit.
        system: the truth.
        mid_time: of the transit [s].
        config: of the fit.
        nuisance: prior of star and instrument, of which the limb darkening's part is used.

    Returns:
        Depths (n,) of the visit's own light, the descent started at the truth; the bound of their covariance (n, n),
        everything else free; and the variance (n,) of depths that are the only unknown.
    """
    model = _with_darkening(_model(curves, system, config), nuisance)
    truth = _truth(model, system, mid_time)
    at = linearise(model, truth)
    alone = 1.0 / ((model.weight * at.jacobian[:, 1] ** 2).sum(axis=1) + DEPTH_SCATTER**-2)
    covariance = _depth_covariance(normal_equations(model, truth, at))
    end = minimise(model, truth, config.max_iterations, _TOLERANCE)
    return end.state.depth, covariance, alone


def joined(depths: list[np.ndarray], covariances: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the inverse-variance mean of visits, and its covariance."""
    precisions = [np.linalg.inv(c) for c in covariances]
    covariance = np.linalg.inv(sum(precisions))
    return covariance @ sum(p @ d for p, d in zip(precisions, depths)), 0.5 * (covariance + covariance.T)


def _model(curves: LightCurves, system: SimulatedSystem, config: FitConfig) -> CurveModel:
    data = relative_flux(curves, config.outlier_sigma)
    terms = drift_terms(curves.time, curves.wavelength, config.drift_order, config.drift_wavelength_order)
    terms += pointing_terms(curves.wavelength, curves.regressors, curves.regressor_names)
    return curve_model(
        data.flux,
        np.where(data.spike, 0.0, data.weight),
        exposure_samples(curves.time, curves.bin_seconds, config.supersample),
        curves.wavelength,
        systematics(curves.time, curves.wavelength, terms),
        transit_prior(system.planet, config),
        config,
        system.depth,
    )


def _with_darkening(model: CurveModel, prior: NuisancePrior | None) -> CurveModel:
    if prior is None:
        return model
    known = dict(zip(prior.names, zip(prior.mean, np.sqrt(np.diag(prior.covariance)))))
    mean, scatter = model.prior_mean.copy(), model.prior_scatter.copy()
    for place, name in enumerate(model.names):
        if name in known and group_of(name) == "darkening":
            mean[place], scatter[place] = known[name]
    return replace(model, prior_mean=mean, prior_scatter=scatter)


def _truth(model: CurveModel, system: SimulatedSystem, mid_time: float) -> State:
    known = _darkening_offsets(system) | {
        "mid_time": mid_time,
        "log_axis": math.log(system.orbit.semi_major_axis),
        "impact_squared": system.impact_parameter**2,
    }
    shared = np.array([known.get(name, 0.0) for name in model.names])
    depth = system.label()
    return State(np.ones_like(depth), depth, shared)


def _darkening_offsets(system: SimulatedSystem) -> dict[str, float]:
    """Return where the fit's limb darkening is closest to the star's own law, channel by channel."""
    label = label_wavelengths()
    mu = np.sqrt((np.arange(_N_MU) + 0.5) / _N_MU)  # even in area
    basis = np.column_stack([1.0 - mu, (1.0 - mu) ** 2])
    offsets = {}
    for prefix, channel, here in (("fgs1", "FGS1", is_fgs1(label)), ("airs", "AIRS-CH0", ~is_fgs1(label))):
        lost = 1.0 - system.darkening.law(system.star, channel, label[here]).intensity(mu[None])
        closest = np.linalg.lstsq(basis, lost.T, rcond=None)[0].T
        mean = (closest - quadratic_coefficients(system.star.temperature, label[here])).mean(axis=0)
        offsets |= {f"{prefix}_u{i + 1}": float(mean[i]) for i in range(2)}
    return offsets


def _depth_covariance(normal: NormalEquations) -> np.ndarray:
    local_inverse, response, schur = eliminate(normal)
    shared = solve_scaled(schur, np.eye(len(schur)))
    covariance = np.diag(local_inverse[:, 1, 1]) + response[:, 1] @ shared @ response[:, 1].T
    return 0.5 * (covariance + covariance.T)
