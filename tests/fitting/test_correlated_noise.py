"""Time-correlated noise: what residuals reveal of it is what conditioning the Gaussian by hand gives."""

import numpy as np
import pytest

from spectramind_kit.fitting import correlated_noise
from spectramind_kit.fitting.correlated_noise import noise_grid, ramps_and_cycles, red_covariance

TIME = np.arange(60) * 120.0


def a_channel():
    """Data, inverse standard errors, sensitivities and fitted series of one channel."""
    rng, n = np.random.default_rng(0), len(TIME)
    inverse_sigma, sensitivity, series = (
        rng.uniform(5e3, 2e4, n),
        rng.standard_normal((2, n)),
        rng.standard_normal((n, 3)),
    )
    return rng.standard_normal(n) / inverse_sigma, inverse_sigma, sensitivity, series


def one_hyperparameter(monkeypatch):
    """Leave one ramp, one cycle and one scale."""
    monkeypatch.setattr(correlated_noise, "_RAMP_SECONDS", np.array([1800.0]))
    monkeypatch.setattr(correlated_noise, "_CYCLE_SECONDS", np.array([7200.0]))
    monkeypatch.setattr(correlated_noise, "_SCALES", (1.0,))


def test_mean_and_variance_are_those_of_the_gaussian_they_come_from(monkeypatch):
    """Against conditioning by hand, the fitted directions left out as a flat prior on them leaves them out."""
    one_hyperparameter(monkeypatch)
    data, inverse_sigma, sensitivity, series = a_channel()
    shapes = ramps_and_cycles(TIME)
    size = np.array([2e-4, 4e-5 / np.sqrt(2.0), 4e-5 / np.sqrt(2.0)])
    kernel = red_covariance(TIME) + (shapes.T * size**2) @ shapes
    noise = kernel + np.diag(inverse_sigma**-2.0) + 1e6 * series @ series.T * inverse_sigma.mean() ** -2.0
    mean = sensitivity @ kernel @ np.linalg.solve(noise, data)
    variance = np.diag(sensitivity @ (kernel - kernel @ np.linalg.solve(noise, kernel)) @ sensitivity.T)
    fitted = np.linalg.qr(inverse_sigma[:, None] * series)[0]
    found = noise_grid(inverse_sigma * data, inverse_sigma, fitted, sensitivity, TIME, np.zeros((1, len(data))))
    assert found.mean[0] == pytest.approx(mean, rel=1e-3)
    assert found.variance[0] == pytest.approx(variance, rel=1e-3)


def test_a_pattern_changes_what_is_expected_as_data_without_it_would():
    data, inverse_sigma, sensitivity, series = a_channel()
    fitted, height = np.linalg.qr(inverse_sigma[:, None] * series)[0], 3e-4
    pattern = np.exp(-0.5 * ((TIME - TIME.mean()) / 900.0) ** 2)[None]
    with_it = noise_grid(inverse_sigma * data, inverse_sigma, fitted, sensitivity, TIME, pattern)
    without = noise_grid(
        inverse_sigma * (data - height * pattern[0]), inverse_sigma, fitted, sensitivity, TIME, pattern
    )
    gain = height * with_it.score[:, 0] - 0.5 * height**2 * with_it.information[:, 0]
    assert without.ln_evidence - with_it.ln_evidence == pytest.approx(gain, rel=1e-6, abs=1e-9)
    moved = with_it.mean + height * with_it.response[:, 0]
    assert without.mean + height * (sensitivity @ pattern[0]) == pytest.approx(moved, rel=1e-6, abs=1e-12)


def test_red_noise_is_stationary_and_ramps_decay():
    time = np.arange(200) * 120.0
    kernel, shapes = red_covariance(time), ramps_and_cycles(time)
    assert np.sqrt(np.diag(kernel)) == pytest.approx(np.full(200, 2.5e-5), rel=1e-6)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-12 * kernel[0, 0]
    ramps, cosines, sines = np.split(shapes, [6, 18])
    assert (ramps[:, 0] == 1.0).all() and (ramps[:, -1] < 2e-3).all()
    np.testing.assert_allclose(cosines**2 + sines**2, 1.0)
