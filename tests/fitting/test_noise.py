"""Noise measured on residuals."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from spectramind_kit.fitting.curve_model import CurveModel, Linearisation
from spectramind_kit.fitting.noise import channel_noise, outliers, scatter_ratio

N_CURVE, N_TIME = 60, 300
GROUP = np.ones(N_CURVE, dtype=bool)


def residuals(seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((N_CURVE, N_TIME))


def ratio(residual, weight=None):
    weight = np.ones_like(residual) if weight is None else weight
    return scatter_ratio(residual, weight, GROUP)


def measured(residual, weight=None):
    """Channel noise of residuals that a line in time was fitted to."""
    x = np.linspace(-1, 1, N_TIME)
    columns = np.stack([np.ones_like(x), x])
    line = np.linalg.lstsq(columns.T, residual.T, rcond=None)[0]
    weight = np.ones_like(residual) if weight is None else weight
    model = SimpleNamespace(weight=weight)
    at = SimpleNamespace(
        residual=residual - (columns.T @ line).T, jacobian=np.broadcast_to(columns, (N_CURVE, 2, N_TIME))
    )
    return channel_noise(cast(CurveModel, model), cast(Linearisation, at), GROUP, 72.0)


def test_expected_scatter_has_ratio_one_and_twice_has_two():
    assert ratio(residuals()) == pytest.approx(np.ones(N_CURVE), abs=0.03)
    assert ratio(residuals(scale=2.0)) == pytest.approx(2 * np.ones(N_CURVE), abs=0.06)


def test_less_scatter_than_expected_counts_as_expected():
    assert (ratio(residuals(scale=0.5)) == 1.0).all()


def test_one_bad_wavelength_stands_out_of_its_neighbours():
    residual = residuals()
    residual[20] *= 3.0
    measured_ratio = ratio(residual)
    assert measured_ratio[20] == pytest.approx(3.0, rel=0.15)
    assert np.delete(measured_ratio, 20) == pytest.approx(np.ones(N_CURVE - 1), abs=0.03)


def test_curves_without_weight_have_ratio_one():
    weight = np.ones((N_CURVE, N_TIME))
    weight[5] = 0.0
    assert ratio(residuals(scale=2.0), weight)[5] == 1.0


def test_slow_changes_are_no_scatter():
    """They have a model of their own, and would be counted twice."""
    slow = 3.0 * np.sin(np.linspace(0.0, 6.0 * np.pi, N_TIME))
    assert ratio(residuals() + slow) == pytest.approx(ratio(residuals()), abs=0.02)


def test_scatter_is_measured_across_no_gap():
    """A point that is not used is no neighbour of the next one, and its error does not count."""
    residual, weight = residuals(), np.ones((N_CURVE, N_TIME))
    residual[:, 100:110], weight[:, 100:110] = 50.0, 0.0
    assert ratio(residual, weight) == pytest.approx(np.ones(N_CURVE), abs=0.03)


def test_errors_that_differ_from_time_to_time_are_allowed_for():
    error = np.where(np.arange(N_TIME) % 3 == 0, 4.0, 1.0)
    assert ratio(residuals() * error, np.broadcast_to(error**-2.0, (N_CURVE, N_TIME))) == pytest.approx(1.0, abs=0.06)


def test_outliers_are_points_and_whole_times():
    residual = residuals()
    residual[7, 40] = 12.0
    residual[:, 90] += 2.0  # no single wavelength shows it, their mean does
    far = outliers(residual, np.ones_like(residual), [GROUP], 5.0)
    assert far[7, 40] and far[:, 90].all()
    assert far.sum() <= N_CURVE + 3


def test_white_noise_is_white():
    found = [measured(residuals(seed)) for seed in range(12)]
    assert np.mean([noise.excess for noise in found]) < 1.2
    assert max(noise.correlation for noise in found) < 1.35


def test_common_noise_is_excess_without_correlation():
    common = 0.3 * np.random.default_rng(5).standard_normal(N_TIME)
    noise = measured(residuals() + common)
    assert noise.excess == pytest.approx(1.0 + 0.3**2 * N_CURVE, rel=0.3)
    assert noise.correlation < 1.35


def test_red_noise_is_correlated():
    steps, red = np.random.default_rng(6).standard_normal(N_TIME), np.zeros(N_TIME)
    for i in range(1, N_TIME):
        red[i] = 0.9 * red[i - 1] + 0.05 * steps[i]
    noise = measured(residuals() + red)
    assert noise.correlation > 1.5 and noise.excess > 3.0
