"""Residuals: white noise averages down and is flat in power, correlated noise is not and does not."""

import numpy as np
import pytest

from spectramind_kit.diagnostics.residuals import (
    FREQUENCY_EDGES,
    beta,
    binned_residuals,
    power,
    residual_statistics,
    weighted_mean,
)

SECONDS = 120.0


def test_white_noise_averages_down_as_it_should():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((3000, 60))
    noise[rng.random(noise.shape) < 0.1] = np.nan
    assert beta(noise, 10).mean() == pytest.approx(1.0, abs=0.02)
    assert beta(noise, 1) == pytest.approx(1.0, abs=1e-12)


def test_noise_that_is_correlated_over_a_bin_does_not_average_down():
    steps = np.repeat(np.random.default_rng(2).standard_normal((300, 8)), 10, axis=0)
    assert beta(steps, 10) == pytest.approx(np.sqrt(10.0), rel=0.01)


def test_visits_that_are_too_short_have_no_beta():
    assert np.isnan(beta(np.ones((12, 2)), 5)).all()
    assert np.isnan(beta(np.ones((40, 1)), 4)).all()  # nothing scatters


def test_power_of_white_noise_is_one_and_a_wave_stands_out_at_its_frequency():
    rng = np.random.default_rng(3)
    found = [power(rng.standard_normal(225), SECONDS) for _ in range(200)]
    np.testing.assert_allclose(np.mean(found, axis=0)[4:-2], 1.0, atol=0.15)
    hours = SECONDS / 3600.0 * np.arange(225)
    wave = power(np.sin(2.0 * np.pi * 3.0 * hours), SECONDS)
    place = int(np.nanargmax(wave))
    assert FREQUENCY_EDGES[place] <= 3.0 < FREQUENCY_EDGES[place + 1] and wave[place] > 10.0
    assert np.isnan(power(np.full(225, np.nan), SECONDS)).all()


def test_bins_of_white_noise_have_variance_one(white_noise):
    noise = white_noise.copy()
    noise[::7] = np.nan
    z = binned_residuals(noise, np.arange(225) // 5, 45)
    assert z.shape == (45, 72) and np.nanstd(z) == pytest.approx(1.0, abs=0.05)
    assert np.isnan(binned_residuals(np.full((4, 5), np.nan), np.arange(4), 4)).all()


def test_a_visit_that_follows_its_pointing_is_found(fitted, white_noise):
    fit, curves = fitted(white_noise)
    quiet = residual_statistics(fit, curves)
    following = white_noise.copy()
    following[:, 1:] += 1e-4 * curves.regressors[:, 1:2]
    fit, _ = fitted(following)
    found = residual_statistics(fit, curves).pointing["airs_row_centroid"]
    assert found[1] > 0.9 and abs(found[0]) < 0.3
    assert abs(quiet.pointing["airs_row_centroid"]).max() < 0.3
    assert quiet.typical_beta == pytest.approx(1.0, abs=0.6) and quiet.n_time == 225


def test_without_light_curves_nothing_is_said_of_the_pointing(fitted, white_noise):
    fit, _ = fitted(white_noise)
    assert residual_statistics(fit, None).pointing == {}


def test_means_leave_out_what_was_not_used():
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    mean = weighted_mean(values, np.array([1.0, 1.0, 3.0]))
    assert mean[0] == 2.5 and np.isnan(mean[1])
