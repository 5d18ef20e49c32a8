"""Evidence of patterns, beside one Gaussian over all points."""

import numpy as np
import pytest
from scipy.linalg import cho_solve

from spectramind_kit.fitting import pattern_evidence
from spectramind_kit.fitting.gauss_newton import minimise
from spectramind_kit.fitting.noise_modes import N_MODE, cosines
from spectramind_kit.fitting.pattern_evidence import evidence_beside_slow_noise, evidence_beside_white_noise
from spectramind_kit.fitting.posterior import white_light
from tests.fitting.transit_light_curves import BIN_SECONDS, light_curves

SCATTER = 3e-3


@pytest.fixture(scope="module")
def white(config):
    curves, planet, _ = light_curves(seed=8, drift_size=1e-3)
    fit, _, _ = white_light(curves, planet, config.fit)
    return curves, fit.model, minimise(fit.model, fit.solution.state, 30, 1e-9)


def patterns(time):
    """A pulse within the transit, one before it, and a step."""
    return np.stack(
        [
            *(np.clip(1.0 - np.abs(time - when) / 1500.0, 0.0, None) for when in (12_000.0, 4000.0)),
            np.where(time > 9000.0, 0.5, -0.5),
        ]
    )


def ln_probability(residual, points):
    """Logarithm of the Gaussian density, up to a constant."""
    lower = np.linalg.cholesky(points)
    return -0.5 * residual @ cho_solve((lower, True), residual) - np.log(np.diag(lower)).sum()


def dense_gain(model, solution, pattern, more=None):
    """ln p with a pattern in each curve less ln p without, by the covariance of all points."""
    n_curve, n_time = model.flux.shape
    jacobian, state = solution.at.jacobian, solution.state
    local = np.zeros((2 * n_curve, n_curve, n_time))
    for curve in range(n_curve):
        local[2 * curve : 2 * curve + 2, curve] = jacobian[curve, :2]
    shared = np.einsum("crs,crt->sct", model.mixing, jacobian[:, 2:])
    columns = np.concatenate([local, shared]).reshape(-1, n_curve * n_time)
    spread = np.r_[np.tile([1.0, 0.03], n_curve), model.prior_scatter]
    before = np.r_[
        np.stack([1.0 - state.level, model.depth_mean - state.depth], axis=1).ravel(), model.prior_mean - state.shared
    ]
    used = model.weight.ravel() > 0
    points = (columns.T * spread**2) @ columns + np.diag(1.0 / np.where(used, model.weight.ravel(), 1.0))
    for each in [] if more is None else more:
        points += np.outer(each, each)
    residual = solution.at.residual.ravel() - before @ columns
    without = ln_probability(residual[used], points[np.ix_(used, used)])
    gain = 0.0
    for curve in range(n_curve):
        height = np.zeros((n_curve, n_time))
        height[curve] = pattern * solution.at.transit[curve] * state.level[curve]
        with_it = points + SCATTER**2 * np.outer(height, height)
        gain += max(ln_probability(residual[used], with_it[np.ix_(used, used)]) - without, 0.0)
    return gain


@pytest.mark.parametrize("height", [0.0, 4e-4])
def test_it_is_that_of_all_points(white, height):
    curves, model, solution = white
    tried = patterns(curves.time)
    at = solution.at
    at = type(at)(at.transit, at.systematics, at.residual + height * tried[0], at.jacobian, at.cost)
    moved = type(solution)(solution.state, at, solution.normal, True)
    found = evidence_beside_white_noise(model, moved, SCATTER, tried)
    expected = [dense_gain(model, moved, pattern) for pattern in tried]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=0.01)
    assert (found[0] > 8.0) == (height > 0.0)


def test_beside_slow_noise_it_is_the_mean_over_noise_of_all_sizes(white):
    curves, model, solution = white
    rng, n_curve = np.random.default_rng(0), len(model.flux)
    walk = 5e-4 * rng.standard_normal((n_curve, len(curves.time))).cumsum(axis=1) / np.sqrt(len(curves.time))
    at = solution.at
    at = type(at)(at.transit, at.systematics, at.residual + walk, at.jacobian, at.cost)
    moved = type(solution)(solution.state, at, solution.normal, True)
    tried = patterns(curves.time)
    white_noise = evidence_beside_white_noise(model, moved, SCATTER, tried)
    slow_noise, variance = evidence_beside_slow_noise(curves.time, BIN_SECONDS, model, moved, SCATTER, tried)
    assert variance[0] > 1e-9  # 5e-4 of a walk
    assert white_noise.max() > 15.0 and slow_noise.max() < 6.0
    # With a pulse that no walk makes it stays evident.
    pulse = np.clip(1.0 - np.abs(curves.time - 12_000.0) / 600.0, 0.0, None)
    at = type(at)(at.transit, at.systematics, at.residual + 1.5e-3 * pulse, at.jacobian, at.cost)
    moved = type(solution)(solution.state, at, solution.normal, True)
    evidence, _ = evidence_beside_slow_noise(curves.time, BIN_SECONDS, model, moved, SCATTER, pulse[None])
    assert evidence[0] > 20.0


def test_beside_noise_of_one_size_it_is_that_of_all_points(white, monkeypatch):
    curves, model, solution = white
    tried, size = patterns(curves.time), 3e-4 / np.arange(1, N_MODE + 1)
    monkeypatch.setattr(pattern_evidence, "_noise_variances", lambda length: [size**2])
    star = solution.at.transit * solution.state.level[:, None]
    curve = np.eye(len(model.flux))[:, None, :, None]
    rows = curve * (size[:, None] * cosines(curves.time, N_MODE))[:, None] * star
    at = solution.at
    at = type(at)(at.transit, at.systematics, at.residual + 1e-3 * tried[0], at.jacobian, at.cost)
    moved = type(solution)(solution.state, at, solution.normal, True)
    found, variance = evidence_beside_slow_noise(curves.time, BIN_SECONDS, model, moved, SCATTER, tried)
    expected = [dense_gain(model, moved, pattern, rows.reshape(-1, model.flux.size)) for pattern in tried]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=0.01)
    assert found[0] > 8.0 > found[1]
    np.testing.assert_array_equal(variance, size**2)
