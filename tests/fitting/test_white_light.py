"""The search for the dip and the white-light fit."""

import numpy as np
import pytest

from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.systematics import drift_terms, systematics
from spectramind_kit.fitting.white_light import find_dips, white_curves
from tests.fitting.transit_light_curves import light_curves, standardised_level_error

TIME = (np.arange(225) + 0.5) * 120.0
MIDDLE = np.array([0.7, 2.9])
NOISE = 2e-4


def search(mid_time, duration, depth, seed=0, drift_size=1e-3, **which):
    rng = np.random.default_rng(seed)
    drift = systematics(TIME, MIDDLE, drift_terms(TIME, MIDDLE, 4, 0))
    x = np.linspace(-1, 1, 225)
    dip = depth * np.clip((0.5 - np.abs(TIME - mid_time) / duration) / 0.1, 0, 1)
    white = np.stack([1 + drift_size * s * (x**3 - 0.5 * x**2) - dip for s in (1, -0.5)])
    white += NOISE * rng.standard_normal(white.shape)
    return find_dips(TIME, white, np.full(white.shape, NOISE**-2), drift, 2e-3, 1, **which)[0]


@pytest.mark.parametrize("mid_time", [500.0, 4000.0, 13500.0, 26000.0])
@pytest.mark.parametrize("duration", [4000.0, 9000.0, 18000.0])
def test_dip_is_found_wherever_it_is(mid_time, duration):
    dip = search(mid_time, duration, 0.01)
    began = [max(0.0, m - d / 2) for m, d in ((mid_time, duration), (dip.mid_time, dip.duration))]
    ended = [min(27000.0, m + d / 2) for m, d in ((mid_time, duration), (dip.mid_time, dip.duration))]
    assert began[1] == pytest.approx(began[0], abs=0.15 * duration)
    assert ended[1] == pytest.approx(ended[0], abs=0.15 * duration)
    # A polynomial under its prior takes up some of a dip that is longer than half of the window.
    assert dip.depth == pytest.approx(0.01, rel=0.15 if duration < 0.5 * 27000.0 else 0.25)
    assert dip.significance > 20


def test_a_long_shallow_dip_is_not_taken_for_drift():
    dip = search(11000.0, 21000.0, 0.0035)
    assert dip.duration == pytest.approx(21000.0, rel=0.15) and dip.mid_time == pytest.approx(11000.0, abs=1500.0)


def test_only_dips_that_last_as_long_as_asked_for_are_found():
    longer, usual = search(13500.0, 18000.0, 0.01), search(13500.0, 18000.0, 0.01, lasting=(8000.0, 12000.0))
    assert longer.duration > 16000.0 and 8000.0 <= usual.duration <= 12000.0
    assert usual.significance < longer.significance and abs(usual.mid_time - 13500.0) < 6000.0


@pytest.mark.parametrize("seed", range(4))
def test_drift_alone_is_no_dip(seed):
    assert search(13500.0, 9000.0, 0.0, seed).significance < 5.0


def test_white_curve_is_the_inverse_variance_mean_with_the_measured_noise():
    rng = np.random.default_rng(1)
    sigma = np.array([1e-3, 2e-3, 4e-3])[:, None]
    flux = 1.0 + 3.0 * sigma * rng.standard_normal((3, 2000))
    weight = np.broadcast_to(sigma**-2.0, (3, 2000)).copy()
    weight[0, 10], flux[0, 10] = 0.0, 1.0
    white, white_weight = white_curves(flux, weight, [np.array([True, True, True])])
    assert float(white.std()) == pytest.approx(3.0 / np.sqrt((sigma**-2.0).sum()), rel=0.05)
    assert float(np.median(white_weight)) ** -0.5 == pytest.approx(float(white.std()), rel=0.06)
    expected = (flux[1:, 10] * weight[1:, 10]).sum() / weight[1:, 10].sum()
    assert float(white[0, 10]) == pytest.approx(float(expected))


def test_a_deep_transit_is_not_taken_for_a_longer_one_and_drift(config):
    curves, planet, true = light_curves(
        depth=0.0236, semi_major_axis=14.03, impact_parameter=0.04, period=7.19, mid_time=17806.6, darkening_scatter=0.0
    )
    fit = fit_transit(curves, planet, config.fit)
    assert fit.parameters["mid_time"].value == pytest.approx(17806.6, abs=10.0)
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 4.0
