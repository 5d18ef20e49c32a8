"""Correlated noise: what it does to depths is told from the residuals it leaves."""

from dataclasses import replace

import numpy as np
import pytest
from transit_light_curves import N_TIME, light_curves

from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.stray_noise import _expected, stray_covariance

TIME = (np.arange(N_TIME) + 0.5) * 120.0


def test_usual_noise_is_largest_at_the_start_and_always_there():
    kernel = stray_covariance(TIME - TIME[0])
    assert np.sqrt(kernel[0, 0]) == pytest.approx(np.sqrt(2e-4**2 + 0.5 * 4e-5**2 + 2.5e-5**2), rel=1e-6)
    assert np.sqrt(kernel[-1, -1]) == pytest.approx(np.sqrt(0.5 * 4e-5**2 + 2.5e-5**2), rel=1e-3)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-12 * kernel[0, 0]


def test_mean_and_variance_are_those_of_the_gaussian_they_come_from(monkeypatch):
    """Against conditioning by hand, the fitted directions left out as a flat prior on them leaves them out."""
    monkeypatch.setattr("spectramind_kit.fitting.stray_noise._AMPLITUDES", (1.0,))
    rng, n = np.random.default_rng(0), 40
    root, lever, series = rng.uniform(5e3, 2e4, n), rng.standard_normal((1, n)), rng.standard_normal((n, 3))
    kernel = stray_covariance(TIME[:n] - TIME[0])
    fitted = np.linalg.qr(root[:, None] * series)[0]
    data = rng.standard_normal(n) / root
    noise = kernel + np.diag(root**-2.0) + 1e6 * series @ series.T * root.mean() ** -2.0
    mean = lever @ kernel @ np.linalg.solve(noise, data)
    variance = lever @ (kernel - kernel @ np.linalg.solve(noise, kernel)) @ lever.T
    found = _expected(root * data, root, fitted, lever, kernel)
    assert found[0] == pytest.approx(mean, rel=1e-3)
    assert found[1] == pytest.approx(variance[0], rel=1e-3)


def test_errors_that_noise_with_a_memory_makes_are_foreseen(config):
    factor = np.linalg.cholesky(stray_covariance(TIME - TIME[0]) + 1e-14 * np.eye(N_TIME))
    made, foreseen, sigma = [], [], []
    for seed in range(6):
        curves, planet, _ = light_curves(seed=seed)
        noise = 4.0 * factor @ np.random.default_rng(seed).standard_normal((N_TIME, 2))
        noisy = replace(curves, flux=curves.flux * (1.0 + noise[:, np.r_[0, np.ones(282, dtype=int)]]))
        quiet, shaken = (fit_transit(c, planet, config.fit) for c in (curves, noisy))
        assert (np.abs(quiet.stray_noise[:, 0]) < 0.5 * np.abs(quiet.stray_noise[:, 1]) ** 0.5 + 1e-5).all()
        made.append((shaken.depth - quiet.depth)[1:].mean())
        foreseen.append(shaken.stray_noise[1, 0])
        sigma.append(np.sqrt(shaken.stray_noise[1, 1]))
    assert np.corrcoef(made, foreseen)[0, 1] > 0.4
    assert np.abs((np.array(made) - foreseen) / sigma).max() < 4.0
