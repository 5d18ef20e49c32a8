"""The likelihood of a visit against dense algebra on few wavelengths, and against other fits."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from spectramind_kit.fitting.curve_model import CurveModel, State, curve_model, linearise
from spectramind_kit.fitting.gauss_newton import Solution, eliminate, minimise
from spectramind_kit.fitting.laplace import Posterior
from spectramind_kit.fitting.noise_modes import N_MODE
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.systematics import drift_terms, kind_of, pointing_terms, systematics
from spectramind_kit.fitting.transit_prior import transit_prior
from spectramind_kit.fitting.visit_likelihood import visit_likelihood
from spectramind_kit.fitting.visit_posterior import visit_posterior, visit_prior
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.likelihood import VisitLikelihood
from spectramind_kit.products import LightCurves, Orbit, Planet, Star
from spectramind_kit.transit.light_curve import exposure_samples
from tests.fitting.transit_light_curves import light_curves

WAVELENGTH = np.array([0.7, 2.0, 2.6, 3.2, 3.8])
N, BIN = len(WAVELENGTH), 180.0
TIME = (np.arange(150) + 0.5) * BIN
REGRESSORS = ("fgs1_row_centroid", "airs_row_width")
NOISE = 2e-4


@dataclass
class SmallVisit:
    """A fit of few wavelengths and its likelihood."""

    model: CurveModel
    solution: Solution
    curves: LightCurves
    likelihood: VisitLikelihood


@pytest.fixture(scope="module")
def visit(config):
    rng = np.random.default_rng(3)
    moved = 15.0 + 0.05 * rng.standard_normal((len(TIME), 2)).cumsum(axis=0) / 5.0
    terms = drift_terms(TIME, WAVELENGTH, 2, 1) + pointing_terms(WAVELENGTH, moved, REGRESSORS)
    shape = (N, len(TIME))
    weight = np.full(shape, NOISE**-2.0)
    weight[2, 40:45] = 0.0
    model = curve_model(
        np.ones(shape),
        weight,
        exposure_samples(TIME, BIN, 3),
        WAVELENGTH,
        systematics(TIME, WAVELENGTH, terms),
        transit_prior(Planet(1, Star(1.0, 1.0, 5600.0), Orbit(4.0, 10.0, 88.0)), config.fit),
        config.fit,
        0.015,
    )
    shared = model.prior_mean.copy()
    shared[:3] = 13000.0, np.log(10.0), 0.25
    truth = State(np.ones(N), np.array([0.0155, 0.0145, 0.0150, 0.0152, 0.0147]), shared)
    flux = 1.0 - linearise(model, truth).residual + NOISE * rng.standard_normal(shape)
    model = replace(model, flux=flux)
    solution = minimise(model, truth, 30, 1e-6)
    curves = LightCurves(1, 0, TIME, BIN, flux.T, np.full(shape, NOISE).T, WAVELENGTH, moved, REGRESSORS)
    groups = [WAVELENGTH < 1.0, WAVELENGTH > 1.0]
    return SmallVisit(model, solution, curves, visit_likelihood(model, solution, curves, WAVELENGTH, groups))


def ways():
    """How wavelengths follow: FGS1 alone, AIRS-CH0 together, and its slope from -1 to 1."""
    slope = np.r_[0.0, np.interp(WAVELENGTH[1:], WAVELENGTH[[1, -1]], [-1.0, 1.0])]
    return {"fgs1": np.eye(N)[0], "airs_0": 1.0 - np.eye(N)[0], "airs_1": slope}


def series(name, curves):
    """Return the time function of a parameter that only a prior keeps in place, written down a second time."""
    kind, place = name.split("/")
    if kind.startswith("ramp"):
        ramp = np.exp(-(TIME - TIME[0]) / (800.0, 1800.0, 4000.0, 9000.0)[int(place)])
        return ramp - ramp.mean()
    if kind.startswith("bend"):
        bend = np.polynomial.Legendre.basis(int(place))(np.linspace(-1.0, 1.0, len(TIME)))
        return bend - bend.mean()
    if kind.startswith("noise"):
        return np.cos((int(place) + 1) * np.pi * TIME / (len(TIME) * BIN))
    width = curves.regressors[:, curves.regressor_names.index(place)]
    return np.clip(width - width.mean(), -4.0 * width.std(), 4.0 * width.std()) / 0.1


def dense_design(visit):
    """Slopes of all points (n_point, n_parameter) by levels, depths and all that is shared; and where it is taken."""
    model, state = visit.model, visit.solution.state
    weight = 1.0 / eliminate(visit.solution.normal).local_inverse[1:, 1, 1]
    depth = np.r_[state.depth[0], np.full(N - 1, weight @ state.depth[1:] / weight.sum())]
    at = np.concatenate((state.level, depth, state.shared))

    def predicted(vector):
        return model.flux - linearise(model, State(*np.split(vector, [N, 2 * N]))).residual

    steps = 1e-5 * np.diag(np.concatenate((np.ones(N), np.full(N, 0.03), model.prior_scatter)))
    columns = [(predicted(at + step) - predicted(at - step)) / (2.0 * step.sum()) for step in steps]
    transit = linearise(model, replace(state, depth=depth)).transit
    for name in visit.likelihood.names[len(model.names) :]:
        if name.startswith("dilution"):  # all depths that a way follows look deeper
            strength = depth * ways()[name.removeprefix("dilution_")]
            columns.append(sum(strength[i] * columns[N + i] for i in range(N)))
        else:
            strength = ways()[kind_of(name).partition("_")[2]]
            columns.append((state.level * strength)[:, None] * transit * series(name, visit.curves))
    return np.stack([column.ravel() for column in columns], axis=1)


def dense(visit, mean, covariance):
    """Return posterior of depths and shared parameters, and the evidence, by one Gaussian over all points."""
    state, n_more = visit.solution.state, len(mean) - len(visit.model.names)
    used = (visit.model.weight > 0).ravel()
    design, residual = dense_design(visit)[used], visit.solution.at.residual.ravel()[used]
    before = np.concatenate((np.ones(N), np.full(N, visit.model.depth_mean), mean))
    start = np.concatenate((state.level, state.depth, state.shared, np.zeros(n_more)))
    spread = np.zeros((len(before),) * 2)
    spread[:N, :N], spread[N : 2 * N, N : 2 * N], spread[2 * N :, 2 * N :] = np.eye(N), 0.03**2 * np.eye(N), covariance
    points = design @ spread @ design.T + NOISE**2 * np.eye(used.sum())
    difference = residual - design @ (before - start)
    gain = np.linalg.solve(points, design @ spread).T
    value, whole = before + gain @ difference, spread - gain @ design @ spread
    ln_evidence = -0.5 * (difference @ np.linalg.solve(points, difference) + np.linalg.slogdet(points)[1])
    depth, shared = slice(N, 2 * N), slice(2 * N, None)
    posterior = Posterior(value[depth], whole[depth, depth], value[shared], whole[shared, shared], whole[depth, shared])
    return posterior, ln_evidence


def population(visit, seed):
    """Return a sharp prior of what stars and instruments share, correlated in limb darkening."""
    names = [name for name in visit.likelihood.names if name.startswith(("fgs1_u", "airs_u", "drift", "noise", "dil"))]
    usual = visit.likelihood.prior_scatter[[visit.likelihood.names.index(name) for name in names]]
    rng = np.random.default_rng(seed)
    darkening = np.array([not name.startswith(("drift", "noise")) for name in names])
    correlation = np.eye(len(names)) + np.outer(darkening, darkening) * 0.3 * (1.0 - np.eye(len(names)))
    size = usual * rng.uniform(0.1, 0.6, len(names))
    return NuisancePrior(
        tuple(names), 0.3 * darkening * size, correlation * np.outer(size, size), {"drift": 1e-3, "noise": 1e-3}
    )


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_the_posterior_is_that_of_the_dense_gaussian(visit, seed):
    """Under the loose prior of the fit and under any other, none of them known when the likelihood was made."""
    prior = visit_prior(visit.likelihood, None if seed is None else population(visit, seed))
    found, (expected, _) = visit_posterior(visit.likelihood, prior), dense(visit, prior.mean, prior.covariance)
    sigma, scatter = np.sqrt(np.diag(expected.depth_covariance)), np.sqrt(np.diag(expected.shared_covariance))
    np.testing.assert_allclose((found.depth - expected.depth) / sigma, 0.0, atol=0.01)
    np.testing.assert_allclose((found.shared - expected.shared) / scatter, 0.0, atol=0.01)
    for name, size in (
        ("depth_covariance", np.outer(sigma, sigma)),
        ("shared_covariance", np.outer(scatter, scatter)),
        ("cross", np.outer(sigma, scatter)),
    ):
        np.testing.assert_allclose(getattr(found, name) / size, getattr(expected, name) / size, atol=0.01)


def test_priors_are_as_probable_as_the_dense_gaussian_says(visit):
    priors = [visit_prior(visit.likelihood, population(visit, seed)) for seed in (0, 1, 2)]
    expected = [dense(visit, prior.mean, prior.covariance)[1] for prior in priors]
    found = [prior.ln_evidence for prior in priors]
    assert np.ptp(expected) > 0.3  # or nothing would be shown
    np.testing.assert_allclose(np.diff(found), np.diff(expected), atol=0.02)


def test_names_are_unique_and_every_way_has_all_cosines(visit):
    names = visit.likelihood.names
    assert len(set(names)) == len(names)
    kinds = [kind_of(name) for name in names]
    assert [kinds.count(f"noise_{way}") for way in ("airs_0", "airs_1", "fgs1")] == [N_MODE] * 3
    assert {"width_airs_0", "width_fgs1", "pointing_fgs1", "pointing_airs_0"} <= set(kinds)


def test_another_prior_applied_afterwards_is_as_good_as_another_fit(config):
    curves, planet, _ = light_curves(seed=3, darkening_scatter=0.02)
    loose = fit_transit(curves, planet, config.fit)
    sharp = fit_transit(curves, planet, replace(config.fit, limb_darkening_scatter=0.02))
    names = tuple(name for name in sharp.likelihood.names if name.startswith(("fgs1_u", "airs_u")))
    scatter = sharp.likelihood.prior_scatter[[sharp.likelihood.names.index(name) for name in names]]
    usual = {"drift": 1.0, "noise": 1.0}
    changed = join_visits([loose], NuisancePrior(names, np.zeros(len(names)), np.diag(scatter**2), usual))
    assert np.abs(changed.depth - sharp.depth)[1:].max() < 0.3 * np.median(sharp.sigma)
    assert abs(changed.depth[0] - sharp.depth[0]) < 0.3 * sharp.sigma[0]
    np.testing.assert_allclose(np.sqrt(np.diag(changed.covariance)), sharp.sigma, rtol=0.1)
    assert np.trace(changed.covariance) < np.trace(loose.covariance)


def test_without_light_a_wavelength_is_masked(config):
    curves, planet, _ = light_curves(seed=3)
    flux = curves.flux.copy()
    flux[:, 7] = np.nan
    likelihood = fit_transit(replace(curves, flux=flux), planet, config.fit).likelihood
    assert np.flatnonzero(likelihood.masked).tolist() == [7]
