"""The evidence of a fit: that of the dense Gaussian, and largest for the model that light curves are made with."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from spectramind_kit.config import load_config
from spectramind_kit.fitting.curve_model import IMPACT_SQUARED, CurveModel, State, linearise, local_prior
from tests.fitting.transit_light_curves import light_curves


@pytest.fixture(scope="module")
def evidence(benchmark):
    """The evidence as a module."""
    return benchmark("evidence")


def few_wavelengths(curves, step):
    """The light curves of FGS1 and of every so many wavelengths of AIRS-CH0."""
    kept = np.r_[0, np.arange(1, 283, step)]
    return replace(
        curves, flux=curves.flux[:, kept], flux_err=curves.flux_err[:, kept], wavelength=curves.wavelength[kept]
    )


def as_state(vector: np.ndarray, n_curve: int) -> State:
    return State(vector[:n_curve], vector[n_curve : 2 * n_curve], vector[2 * n_curve :])


def derivatives(model: CurveModel, at: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Slopes of all points by all parameters, by differences, (n_point, n_parameter)."""

    def predicted(vector):
        return (model.flux - linearise(model, as_state(vector, len(model.flux))).residual)[model.weight > 0]

    steps = 1e-5 * np.diag(scatter)
    return np.column_stack([(predicted(at + step) - predicted(at - step)) / (2.0 * step.sum()) for step in steps])


def test_the_evidence_is_that_of_the_dense_gaussian(evidence, config):
    curves, planet, _ = light_curves(seed=5, impact_parameter=0.5)
    fit = evidence.joint_fit(few_wavelengths(curves, 100), planet, config.fit)
    model, solution = fit.model, fit.solution
    n_curve, state = len(model.flux), solution.state
    at = np.concatenate((state.level, state.depth, state.shared))
    local_scatter = local_prior(model, state)[0] ** -0.5
    scatter = np.concatenate((np.repeat(local_scatter, n_curve), model.prior_scatter))
    mean = np.concatenate((np.ones(n_curve), np.full(n_curve, model.depth_mean), model.prior_mean))
    used = model.weight > 0
    slope = derivatives(model, at, scatter)

    # All parameters marginalised at once: the points are one Gaussian around what the prior's mean predicts.
    covariance = (slope * scatter**2) @ slope.T + np.diag(1.0 / model.weight[used])
    difference = solution.at.residual[used] - slope @ (mean - at)
    sign, ln_determinant = np.linalg.slogdet(2.0 * np.pi * covariance)
    expected = -0.5 * difference @ np.linalg.solve(covariance, difference) - 0.5 * ln_determinant
    gain = slope.T @ np.linalg.solve(covariance, np.column_stack([difference, slope]))
    b2 = 2 * n_curve + IMPACT_SQUARED
    peak = mean[b2] + scatter[b2] ** 2 * gain[b2, 0]
    spread = np.sqrt(scatter[b2] ** 2 - scatter[b2] ** 4 * gain[b2, 1 + b2])
    expected += norm.logcdf(peak / spread) - norm.logcdf(mean[b2] / scatter[b2])

    assert sign > 0
    assert evidence.laplace_evidence(model, solution) == pytest.approx(expected, abs=0.05)


def test_the_drift_that_is_there_is_the_most_probable(evidence):
    curves, planet, _ = light_curves(seed=6)  # its drift is cubic
    found = [
        evidence.ln_evidence(few_wavelengths(curves, 20), planet, load_config([f"fit.drift_order={order}"]).fit)
        for order in (1, 3, 7)
    ]
    assert found[1] == max(found)


def test_leaving_points_out_does_not_pay(evidence, config):
    curves, planet, _ = light_curves(seed=7)
    curves = few_wavelengths(curves, 20)
    error = curves.flux_err.copy()
    error[::5] = np.inf
    whole, less = (evidence.ln_evidence(each, planet, config.fit) for each in (curves, replace(curves, flux_err=error)))
    assert less < whole - 0.1 * whole
