"""The arrowhead matrix against dense algebra, and the Jacobian against differences."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, LOG_AXIS, MID_TIME, State, curve_model, linearise
from spectramind_kit.fitting.gauss_newton import (
    eliminate,
    minimise,
    normal_equations,
    solve_normal_equations,
    solve_scaled,
)
from spectramind_kit.fitting.systematics import drift_terms, systematics
from spectramind_kit.fitting.transit_prior import transit_prior
from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.transit.light_curve import exposure_samples

WAVELENGTH = np.array([0.7, 2.0, 2.6, 3.2, 3.8])
TIME = np.arange(0.0, 27000.0, 180.0)
N_CURVE = len(WAVELENGTH)


@pytest.fixture(scope="module")
def model(config):
    planet = Planet(1, Star(1.0, 1.0, 5600.0), Orbit(4.0, 10.0, 88.0))
    drift = systematics(TIME, WAVELENGTH, drift_terms(TIME, WAVELENGTH, 2, 1))
    instants = exposure_samples(TIME, 180.0, 3)
    shape = (N_CURVE, len(TIME))
    flux, weight = np.ones(shape), np.full(shape, 1e6)
    prior = transit_prior(planet, config.fit)
    empty = curve_model(flux, weight, instants, WAVELENGTH, drift, prior, config.fit, 0.015)
    noise = 1e-3 * (np.random.default_rng(0).standard_normal(shape))
    return replace(empty, flux=flux - linearise(empty, truth(empty)).residual + noise)


def truth(model):
    shared = model.prior_mean.copy()
    shared[MID_TIME], shared[LOG_AXIS], shared[IMPACT_SQUARED] = 13000.0, np.log(10.0), 0.2
    return State(np.ones(N_CURVE), np.linspace(0.014, 0.016, N_CURVE), shared)


def dense(normal):
    """Return the full normal matrix and right-hand side, local parameters first."""
    n_local, n_shared = 2 * N_CURVE, len(normal.corner)
    matrix = np.zeros((n_local + n_shared, n_local + n_shared))
    for curve in range(N_CURVE):
        place = slice(2 * curve, 2 * curve + 2)
        matrix[place, place] = normal.local[curve]
        matrix[place, n_local:] = normal.border[curve]
        matrix[n_local:, place] = normal.border[curve].T
    matrix[n_local:, n_local:] = normal.corner
    return matrix, np.concatenate([normal.local_score.ravel(), normal.corner_score])


def test_elimination_solves_the_dense_system(model):
    state = truth(model)
    normal = normal_equations(model, state, linearise(model, state))
    matrix, side = dense(normal)
    expected = solve_scaled(matrix, side)
    local, shared = solve_normal_equations(normal)
    assert local.ravel() == pytest.approx(expected[: 2 * N_CURVE], rel=1e-6, abs=1e-12)
    assert shared == pytest.approx(expected[2 * N_CURVE :], rel=1e-6, abs=1e-12)


def test_marginal_covariance_is_the_dense_inverse(model):
    state = truth(model)
    normal = normal_equations(model, state, linearise(model, state))
    matrix, _ = dense(normal)
    inverse = solve_scaled(matrix, np.eye(len(matrix)))
    local_inverse, response, schur = eliminate(normal)
    shared = solve_scaled(schur, np.eye(len(schur)))
    depth = np.diag(local_inverse[:, 1, 1]) + response[:, 1] @ shared @ response[:, 1].T
    places = np.arange(N_CURVE) * 2 + 1
    assert depth == pytest.approx(inverse[places][:, places], rel=1e-6)


def test_gradient_is_the_slope_of_the_cost(model):
    state = truth(model)
    state = State(state.level + 1e-4, state.depth - 1e-4, state.shared)
    normal = normal_equations(model, state, linearise(model, state))
    scale = model.prior_scatter
    for place in range(len(scale)):
        step = np.zeros_like(scale)
        step[place] = 1e-5 * scale[place]
        up, down = (linearise(model, replace(state, shared=state.shared + s * step)).cost for s in (1, -1))
        slope = -(up - down) / (2 * step[place])
        assert float(normal.corner_score[place]) == pytest.approx(float(slope), rel=0.01, abs=0.5 / float(scale[place]))
    for field, column in (("level", 0), ("depth", 1)):
        step = np.zeros(N_CURVE)
        step[2] = 1e-6
        up, down = (linearise(model, replace(state, **{field: getattr(state, field) + s * step})).cost for s in (1, -1))
        assert float(normal.local_score[2, column]) == pytest.approx((down - up) / 2e-6, rel=1e-3)


def test_descent_ends_at_a_stationary_point_near_the_truth(model):
    start = truth(model)
    shared = start.shared.copy()
    shared[MID_TIME] += 600.0
    shared[LOG_AXIS] += 0.1
    shared[IMPACT_SQUARED] = 0.5
    end = minimise(model, State(start.level, 0.9 * start.depth, shared), 50, 1e-6)
    assert end.converged
    _local, step = solve_normal_equations(end.normal)
    errors = np.sqrt(solve_scaled(eliminate(end.normal)[2], np.eye(len(step))).diagonal())
    assert (np.abs(step) < 0.01 * errors).all()
    assert abs(end.state.shared[MID_TIME] - 13000.0) < 4 * errors[MID_TIME]
    assert end.at.cost == pytest.approx(0.5 * model.flux.size, rel=0.15)


def test_impact_parameter_squared_never_goes_below_zero(model):
    state = truth(model)
    state.shared[IMPACT_SQUARED] = 0.001
    normal = normal_equations(model, state, linearise(model, state))
    normal.corner_score[IMPACT_SQUARED] -= 1e9
    local, shared = solve_normal_equations(normal, lowest_step=-0.001)
    assert float(shared[IMPACT_SQUARED]) == pytest.approx(-0.001)
    matrix, side = dense(normal)
    free = np.arange(len(side)) != 2 * N_CURVE + IMPACT_SQUARED
    held = side[free] - matrix[free, 2 * N_CURVE + IMPACT_SQUARED] * -0.001
    expected = solve_scaled(matrix[free][:, free], held)
    assert local.ravel() == pytest.approx(expected[: 2 * N_CURVE], rel=1e-5, abs=1e-10)
