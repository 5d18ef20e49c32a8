"""Jumps of the flux: found where they are, not where drift or a transit imitate one."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.posterior import fit_transit, white_light
from spectramind_kit.flags import Flag
from tests.fitting.transit_light_curves import light_curves, standardised_level_error, usual_correlated_noise


@pytest.mark.parametrize("size", [0.01, -0.003])
@pytest.mark.parametrize("when", [8000.0, 13000.0])
def test_a_jump_is_found_and_fitted(config, size, when):
    curves, planet, true = light_curves(seed=8)
    jump = 1.0 + size * (curves.time > when)
    fit = fit_transit(replace(curves, flux=curves.flux * jump[:, None]), planet, config.fit)
    assert abs(float(fit.flags[Flag.FLUX_JUMP].split()[1]) - when) < 400.0
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.0


def test_a_jump_of_one_channel_is_found(config):
    curves, planet, true = light_curves(seed=9)
    flux = curves.flux.copy()
    flux[curves.time > 9000.0, 0] *= 1.005
    fit = fit_transit(replace(curves, flux=flux), planet, config.fit)
    assert Flag.FLUX_JUMP in fit.flags and abs(fit.depth[0] - true[0]) < 3.0 * fit.sigma[0]


@pytest.mark.parametrize("seed", range(3))
def test_drift_and_transit_are_no_jumps(config, seed):
    curves, planet, _ = light_curves(seed=20 + seed, impact_parameter=0.2 + 0.25 * seed, drift_size=2e-3)
    assert Flag.FLUX_JUMP not in fit_transit(curves, planet, config.fit).flags


@pytest.mark.parametrize(
    "system",
    [
        {"depth": 0.0064, "semi_major_axis": 5.75, "impact_parameter": 0.0, "period": 4.5, "mid_time": 9800.0},
        {"depth": 0.0053, "semi_major_axis": 11.27, "impact_parameter": 0.0, "period": 6.68, "mid_time": 10400.0},
    ],
)
def test_the_flank_of_a_long_transit_is_no_jump(config, system):
    curves, planet, _ = light_curves(seed=1, drift_size=2e-3, **system)
    fit = fit_transit(curves, planet, config.fit)
    assert Flag.FLUX_JUMP not in fit.flags
    assert fit.parameters["mid_time"].value == pytest.approx(system["mid_time"], abs=200.0)


@pytest.mark.parametrize("seed", range(3))
def test_ramps_and_red_noise_are_no_jumps(config, seed):
    curves, planet, _ = light_curves(seed=40 + seed)
    draw, rng = usual_correlated_noise(), np.random.default_rng(seed)
    noise = 3.0 * np.column_stack([draw(rng), draw(rng)])[:, np.r_[0, np.ones(282, dtype=int)]]
    assert (
        Flag.FLUX_JUMP not in fit_transit(replace(curves, flux=curves.flux * (1.0 + noise)), planet, config.fit).flags
    )


def test_a_large_random_walk_has_no_jumps(config):
    found = 0
    for seed in range(10):
        curves, planet, _ = light_curves(seed=60 + seed)
        walks = np.random.default_rng(seed).standard_normal((2, len(curves.time))).cumsum(axis=1)
        gain = 1.0 + 2e-3 * walks[np.r_[0, np.ones(282, dtype=int)]].T / np.sqrt(len(curves.time))
        found += len(white_light(replace(curves, flux=curves.flux * gain), planet, config.fit)[0].jumps)
    assert not found


@pytest.mark.parametrize("when, width", [(4000.0, 300.0), (14_500.0, 900.0)])
def test_what_comes_back_is_no_jump(config, when, width):
    """A pointing excursion before the transit, a spot crossing within it."""
    curves, planet, _ = light_curves(seed=12)
    pulse = 8e-4 * np.clip(1.0 - np.abs(curves.time - when) / width, 0.0, 1.0)
    assert (
        Flag.FLUX_JUMP
        not in fit_transit(replace(curves, flux=curves.flux * (1.0 + pulse[:, None])), planet, config.fit).flags
    )
