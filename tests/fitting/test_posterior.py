"""The fit against synthetic light curves whose truth is known: errors, sigmas, flags, damage."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting import posterior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.flags import Flag
from spectramind_kit.products import Orbit, Planet, Star
from tests.fitting.transit_light_curves import (
    N_TIME,
    WAVELENGTH,
    light_curves,
    standardised_level_error,
    usual_correlated_noise,
)

WINDOW = 27000.0
AIRS = slice(1, 283)


@pytest.fixture(scope="module")
def fit_config(config):
    return config.fit


@pytest.fixture(scope="module")
def usual():
    """One noisy visit that several tests damage in their own ways."""
    return light_curves(seed=5)


def require_sound(fit):
    """Depths and covariance of the right shape, finite, positive definite."""
    assert fit.depth.shape == (283,) and np.isfinite(fit.depth).all()
    assert np.isfinite(fit.covariance).all()
    np.testing.assert_allclose(fit.covariance, fit.covariance.T, rtol=1e-9, atol=1e-16)
    assert np.linalg.eigvalsh(fit.covariance)[0] > 0


def test_noise_free_depths_come_back(fit_config):
    curves, planet, true = light_curves(noise=0.0, darkening_scatter=0.0)
    sure = replace(curves, flux_err=0.05 * curves.flux_err)  # at full errors the drift's prior shrinks it by some ppm
    fit = fit_transit(sure, planet, fit_config)
    require_sound(fit)
    assert fit.likelihood is not None and np.abs(fit.likelihood.depth - true).max() < 2e-6
    # What no light curve shows, noise of 1e-5 that looks like a drift, sets the sigma: much more than that of photons.
    assert np.abs((fit.depth - true) / fit.sigma).max() < 1.0 and np.abs(fit.depth - true).max() < 2e-5
    assert fit.parameters["mid_time"].value == pytest.approx(13500.0, abs=1.0)
    assert fit.parameters["semi_major_axis"].value == pytest.approx(10.0, abs=0.02)
    assert fit.parameters["impact_parameter"].value == pytest.approx(0.3, abs=0.01)
    # The posterior's mean is not its peak: of a nearly flat orbit it keeps b^2 >= 0.
    assert np.nanmax(np.abs(fit.residual)) < 4e-6
    assert fit.flags == {}


def test_errors_are_as_large_as_the_sigmas_say(fit_config):
    fgs1, level, shape = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        curves, planet, true = light_curves(
            seed=100 + seed,
            depth=10 ** rng.uniform(-2.3, -1.5),
            impact_parameter=rng.uniform(0.0, 0.8),
            semi_major_axis=rng.uniform(9.0, 14.0),
            mid_time=rng.uniform(9000.0, 18000.0),
            table_axis_factor=2.0 ** rng.uniform(-0.8, 0.8),
        )
        fit = fit_transit(curves, planet, fit_config)
        require_sound(fit)
        standardised = (fit.depth - true) / fit.sigma
        fgs1.append(standardised[0])
        level.append(standardised_level_error(fit.depth, fit.covariance, true))
        shape.append(np.mean(standardised[AIRS] ** 2))
    assert 0.85 < np.mean(shape) < 1.15
    assert np.mean(np.square(fgs1)) < 2.5 and np.mean(np.square(level)) < 2.5  # eight draws: 2.5 is beyond 99.5 %
    assert np.abs(fgs1 + level).max() < 4.0


def test_what_a_depth_shares_does_not_depend_on_its_own_noise(fit_config):
    """Or low draws look more certain than high ones, and an average over wavelengths comes out too low."""
    curves, planet, true = light_curves(seed=5, depth=0.04, semi_major_axis=14.0, impact_parameter=0.65)
    fit = fit_transit(curves, planet, fit_config)
    error = (fit.depth - true)[1:] / fit.sigma[1:]
    covariance = fit.covariance[1:, 1:]
    shared = covariance.sum(axis=1) - np.diag(covariance)
    wiggle = shared - np.polynomial.Polynomial.fit(WAVELENGTH[1:], shared, 4)(WAVELENGTH[1:])
    assert abs(np.corrcoef(wiggle, error)[0, 1]) < 0.25


def test_sigmas_are_near_what_the_photons_allow(fit_config, usual):
    curves, planet, _ = usual
    fit = fit_transit(curves, planet, fit_config)
    in_transit = fit.model[:, 100] < 1.0 - 0.5 * fit.depth[100]
    noise = (curves.flux_err / curves.flux)[0]
    photons = noise * np.sqrt(1.0 / in_transit.sum() + 1.0 / (~in_transit).sum())
    assert np.median(fit.sigma[AIRS] / photons[AIRS]) == pytest.approx(
        0.95, abs=0.15
    )  # limb darkening: deeper than depth


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wrong_table_orbit_does_not_mislead(fit_config, factor):
    curves, planet, true = light_curves(seed=11, table_axis_factor=factor)
    fit = fit_transit(curves, planet, fit_config)
    assert fit.parameters["semi_major_axis"].value == pytest.approx(10.0, abs=0.2)
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5
    assert abs(fit.depth[0] - true[0]) < 3.5 * fit.sigma[0]


@pytest.mark.parametrize(
    "mid_time, side", [(1000.0, Flag.INGRESS_CUT), (WINDOW - 1000.0, Flag.EGRESS_CUT), (-3000.0, Flag.INGRESS_CUT)]
)
def test_a_cut_transit_is_flagged_and_its_sigma_covers(fit_config, mid_time, side):
    curves, planet, true = light_curves(seed=12, mid_time=mid_time)
    fit = fit_transit(curves, planet, fit_config)
    assert side in fit.flags
    whole = fit_transit(*light_curves(seed=12)[:2], fit_config)
    assert fit.sigma[0] > 1.3 * whole.sigma[0]
    assert abs(fit.depth[0] - true[0]) < 3.5 * fit.sigma[0]
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5


def test_a_transit_longer_than_the_window_allows_is_not_mistaken_for_drift(fit_config):
    curves, planet, true = light_curves(seed=13, depth=0.0035, period=6.4, semi_major_axis=7.7, mid_time=10500.0)
    fit = fit_transit(curves, planet, fit_config)
    assert fit.parameters["duration"].value == pytest.approx(22000.0, rel=0.1)
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5


def test_no_transit_is_flagged_and_its_sigma_covers(fit_config):
    curves, planet, true = light_curves(seed=14, mid_time=1.0e5)
    fit = fit_transit(curves, planet, fit_config)
    require_sound(fit)
    assert Flag.NO_TRANSIT in fit.flags
    assert (np.abs(fit.depth - true) < 1.5 * fit.sigma).all()


@pytest.mark.parametrize("impact_parameter", [1.0, 1.04, 1.08])
def test_a_grazing_transit_is_called_one_and_its_sigma_covers(fit_config, impact_parameter):
    curves, planet, true = light_curves(seed=2, impact_parameter=impact_parameter)
    fit = fit_transit(curves, planet, fit_config)
    require_sound(fit)
    assert Flag.GRAZING in fit.flags and Flag.NO_TRANSIT not in fit.flags
    assert (np.abs(fit.depth - true) < 1.5 * fit.sigma).all()


def test_a_transit_that_is_no_grazing_one_keeps_its_errors(fit_config):
    curves, planet, _ = light_curves(seed=1, impact_parameter=0.88)
    fit = fit_transit(curves, planet, fit_config)
    assert Flag.GRAZING not in fit.flags and np.median(fit.sigma) < 1e-3


def test_masked_wavelengths_cost_only_themselves(fit_config, usual):
    curves, planet, true = usual
    flux, error = curves.flux.copy(), curves.flux_err.copy()
    flux[:, 50], flux[:, 100], flux[:, 150] = 0.0, np.nan, -3.0
    error[:, 200] = np.inf
    masked = [50, 100, 150, 200]
    fit = fit_transit(replace(curves, flux=flux, flux_err=error), planet, fit_config)
    require_sound(fit)
    assert (fit.sigma[masked] >= 0.02).all()
    assert fit.depth[masked] == pytest.approx(true[masked], rel=0.05)
    whole = fit_transit(curves, planet, fit_config)
    others = np.setdiff1d(np.arange(283), masked)
    assert fit.depth[others] == pytest.approx(whole.depth[others], abs=3e-5)
    assert fit.sigma[others] == pytest.approx(whole.sigma[others], rel=0.05)
    assert fit.flags[Flag.AIRS_UNUSABLE] == "4 of 282"


@pytest.mark.parametrize("channel", [slice(0, 1), AIRS])
def test_one_masked_channel_leaves_the_other(fit_config, usual, channel):
    curves, planet, true = usual
    flux = curves.flux.copy()
    flux[:, channel] = 0.0
    fit = fit_transit(replace(curves, flux=flux), planet, fit_config)
    require_sound(fit)
    assert (fit.sigma[channel] >= 0.02).all()
    assert (np.abs(fit.depth - true) < 5.0 * fit.sigma).all()


def test_spikes_and_glitches_are_left_out(fit_config, usual):
    curves, planet, true = usual
    rng = np.random.default_rng(0)
    flux = curves.flux.copy()
    hit = rng.random(flux.shape) < 0.002
    flux[hit] *= 1.0 + np.abs(rng.normal(0.0, 0.3, hit.sum()))
    flux[[20, 90, 130]] *= 0.99  # a glitch in all wavelengths at once
    fit = fit_transit(replace(curves, flux=flux), planet, fit_config)
    whole = fit_transit(curves, planet, fit_config)
    assert np.median(fit.sigma / whole.sigma) == pytest.approx(1.0, abs=0.05)
    assert (fit.sigma < 1.5 * whole.sigma).all()
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5
    assert np.mean(((fit.depth - true) / fit.sigma) ** 2) < 1.4
    assert np.isnan(fit.flux[90]).all() and np.isfinite(fit.flux).mean() > 0.97


def test_gaps_are_survived(fit_config, usual):
    curves, planet, true = usual
    flux = curves.flux.copy()
    flux[60:85] = np.nan
    fit = fit_transit(replace(curves, flux=flux), planet, fit_config)
    require_sound(fit)
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5


@pytest.mark.parametrize(
    "planet",
    [Planet(1), Planet(1, Star(1.0, 1.0, np.nan), Orbit(np.nan, 10.0, 89.0)), Planet(1, None, Orbit(4.0, -1.0, 89.0))],
)
def test_a_missing_star_row_is_noted_and_survived(fit_config, usual, planet):
    curves, _, true = usual
    fit = fit_transit(curves, planet, fit_config)
    assert Flag.ORBIT_UNKNOWN in fit.flags
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5
    assert abs(fit.depth[0] - true[0]) < 3.5 * fit.sigma[0]


def test_understated_errors_are_corrected_and_overstated_ones_kept(fit_config, usual):
    curves, planet, _ = usual
    whole = fit_transit(curves, planet, fit_config)
    halved = fit_transit(replace(curves, flux_err=0.5 * curves.flux_err), planet, fit_config)
    assert np.median(halved.noise_scale) == pytest.approx(2.0, abs=0.1)
    assert halved.sigma == pytest.approx(whole.sigma, rel=0.1)
    assert halved.flags[Flag.AIRS_NOISY] == "2.0 times"
    tripled = fit_transit(replace(curves, flux_err=3.0 * curves.flux_err), planet, fit_config)
    assert (tripled.noise_scale == 1.0).all()
    assert np.median(tripled.sigma / whole.sigma) == pytest.approx(3.0, abs=0.3)


def test_noise_common_to_all_wavelengths_widens_the_level(fit_config, usual):
    curves, planet, true = usual
    common = 1.0 + 4e-4 * np.random.default_rng(3).standard_normal((N_TIME, 1))
    fit = fit_transit(replace(curves, flux=curves.flux * common), planet, fit_config)
    whole = fit_transit(curves, planet, fit_config)
    weight = np.full(282, 1.0 / 282)
    level_sigma = [np.sqrt(weight @ f.covariance[AIRS, AIRS] @ weight) for f in (fit, whole)]
    assert level_sigma[0] > 2.0 * level_sigma[1]
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5


def test_red_noise_is_flagged_and_widens(fit_config, usual):
    curves, planet, true = usual
    steps = np.random.default_rng(4).standard_normal(N_TIME)
    red = np.zeros(N_TIME)
    for i in range(1, N_TIME):
        red[i] = 0.9 * red[i - 1] + 1.5e-4 * steps[i]
    fit = fit_transit(replace(curves, flux=curves.flux * (1.0 + red[:, None])), planet, fit_config)
    assert {Flag.FGS1_RED_NOISE, Flag.AIRS_RED_NOISE} & fit.flags.keys()
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.5


@pytest.mark.parametrize("size", [1e-4, -1e-4, 3e-4])
def test_noise_that_looks_like_a_transit_is_taken_out_and_told(fit_config, usual, size, monkeypatch):
    """A cycle of 90 min, faster than any drift; what was corrected is by how much a fit without it moved."""
    curves, planet, _ = usual
    cycle = size * np.cos(10.0 * np.pi * curves.time / WINDOW)
    moved_curves = replace(curves, flux=curves.flux * (1.0 + cycle[:, None]))
    whole, fit = (fit_transit(c, planet, fit_config) for c in (curves, moved_curves))
    monkeypatch.setattr(posterior, "_LARGE_NOISE", np.inf)
    without = fit_transit(moved_curves, planet, fit_config).likelihood
    moved, left = (float((depth - whole.depth)[AIRS].mean()) for depth in (without.depth, fit.depth))
    level_sigma = np.sqrt(fit.covariance[AIRS, AIRS].mean())
    assert abs(left) < 0.4 * abs(moved) and abs(left) < 2.0 * level_sigma and abs(moved) > 1.2e-4
    assert fit.depth_bias[1, 0] == pytest.approx(moved - left, rel=0.25 if abs(size) < 2e-4 else 0.4)
    assert 0.0 < fit.depth_bias[1, 1] < level_sigma**2
    assert abs(whole.depth_bias[1, 0]) < 2e-5


@pytest.mark.parametrize("size, most", [(1.0, 1.5), (4.0, 2.6)])
def test_ramps_cycles_and_red_noise_widen_as_much_as_they_move(fit_config, size, most):
    draw, found = usual_correlated_noise(), []
    for seed in range(5):
        curves, planet, true = light_curves(seed=seed)
        rng = np.random.default_rng(seed)
        noise = size * np.column_stack([draw(rng), draw(rng)])[:, np.r_[0, np.ones(282, dtype=int)]]
        fit = fit_transit(replace(curves, flux=curves.flux * (1.0 + noise)), planet, fit_config)
        found.append(standardised_level_error(fit.depth, fit.covariance, true))
    assert np.sqrt(np.mean(np.square(found))) < most


@pytest.mark.parametrize("size", [1e-3, 2e-3])
def test_slow_changes_far_larger_than_usual_neither_mislead_nor_count_as_scatter(fit_config, size):
    """Two sines of two to four periods a visit, others in each channel: no polynomial of the drift follows them."""
    found, errors = [], []
    for seed in range(6):
        curves, planet, true = light_curves(seed=seed)
        rng = np.random.default_rng(seed)
        turns, start = rng.uniform(2.0, 4.0, (2, 2, 1)), rng.uniform(0.0, 2.0 * np.pi, (2, 2, 1))
        sines = np.sin(2.0 * np.pi * turns * curves.time / WINDOW + start)
        fgs1, airs = 1.0 + size * (np.array([[1.0], [0.5]]) * sines).sum(axis=1)
        fit = fit_transit(
            replace(curves, flux=curves.flux * np.column_stack([fgs1] + [airs] * 282)), planet, fit_config
        )
        assert not {Flag.FGS1_DEPTH, Flag.FGS1_NOISY, Flag.AIRS_NOISY} & fit.flags.keys()
        assert fit.noise_scale.max() < 1.5 and not fit.likelihood.inflated
        assert len(set(fit.likelihood.names)) == len(fit.likelihood.names)
        error, sigma = (fit.depth - true)[[0, 140]], np.sqrt(np.diag(fit.covariance))[[0, 140]]
        found.append(np.r_[error / sigma, standardised_level_error(fit.depth, fit.covariance, true)])
        errors.append((fit.depth - true)[AIRS].mean())
    assert np.sqrt(np.mean(np.square(errors))) < 0.5 * size and np.sqrt(np.mean(np.square(found))) < 2.0


@pytest.fixture(scope="module")
def grazing():
    """A star without limb darkening, which no prior expects, and a planet that grazes it."""
    return light_curves(seed=3, impact_parameter=0.95, darkening=0.0)


def test_a_grazing_planet_of_a_star_unlike_its_prior_is_flagged_and_its_sigma_covers(fit_config, grazing):
    curves, planet, true = grazing
    fit = fit_transit(curves, planet, fit_config)
    assert Flag.AT_THE_LIMB in fit.flags and fit.likelihood is not None and fit.likelihood.inflated
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 2.0
    level = true[AIRS].mean()
    assert np.sqrt(fit.covariance[AIRS, AIRS].mean()) > 0.1 * level > 2.0 * abs((fit.depth - true)[AIRS].mean())


def test_planets_within_the_disc_are_not_widened(fit_config):
    curves, planet, _ = light_curves(seed=3, impact_parameter=0.6, darkening=0.0)
    assert not {Flag.GRAZING, Flag.AT_THE_LIMB} & set(fit_transit(curves, planet, fit_config).flags)


def test_a_diluted_fgs1_is_flagged_and_inflated(fit_config, usual):
    curves, planet, true = usual
    flux = curves.flux.copy()
    flux[:, 0] += 0.5 * flux[:, 0].mean()
    fit = fit_transit(replace(curves, flux=flux), planet, fit_config)
    assert Flag.FGS1_DEPTH in fit.flags
    assert abs(fit.depth[0] - true[0]) < 2.0 * fit.sigma[0]


def test_a_lag_of_fgs1_is_found(fit_config, usual):
    curves, planet, true = usual
    flux = curves.flux.copy()
    flux[:, 0] = np.interp(curves.time - 40.0, curves.time, flux[:, 0])
    late = replace(curves, flux=flux)
    own, shared = (fit_transit(late, planet, replace(fit_config, fgs1_mid_time_scatter=s)) for s in (30.0, 0.0))
    lag = own.parameters["fgs1_lag"]
    assert abs(lag.value - 40.0) < 4.0 * lag.error and lag.error < 15.0
    assert "fgs1_lag" not in shared.parameters
    assert abs(own.depth[0] - true[0]) < 3.0 * own.sigma[0]


def test_pointing_is_taken_out_of_fgs1(fit_config, usual):
    curves, planet, _true = usual
    pointing = np.random.default_rng(6).standard_normal(N_TIME)
    flux = curves.flux.copy()
    flux[:, 0] *= 1.0 + 5e-4 * pointing
    shaken = replace(curves, flux=flux)
    known = replace(shaken, regressors=pointing[:, None], regressor_names=("fgs1_row_centroid",))
    whole, with_it, without = (fit_transit(c, planet, fit_config).sigma[0] for c in (curves, known, shaken))
    assert with_it == pytest.approx(whole, rel=0.1)
    assert without > 1.6 * whole


@pytest.mark.parametrize("damage", ["nan", "zero", "infinite errors", "few times"])
def test_hopeless_light_curves_are_refused_in_words(fit_config, usual, damage):
    curves, planet, _ = usual
    if damage == "few times":
        bad = replace(
            curves,
            time=curves.time[:10],
            flux=curves.flux[:10],
            flux_err=curves.flux_err[:10],
            regressors=curves.regressors[:10],
        )
    elif damage == "infinite errors":
        bad = replace(curves, flux_err=np.full_like(curves.flux, np.inf))
    else:
        bad = replace(curves, flux=np.full_like(curves.flux, np.nan if damage == "nan" else 0.0))
    with pytest.raises(FitError) as refusal:
        fit_transit(bad, planet, fit_config)
    error = refusal.value
    assert "planet 1, visit 0" in error.what and error.wanted and error.got and error.remedy


@pytest.mark.parametrize("seed", range(8))
def test_damage_drawn_at_random_leaves_a_sound_fit_or_a_fit_error(fit_config, seed):
    """Gaps, leaps, spikes, lost channels, absurd errors: several at once, at any place and of any size."""
    rng = np.random.default_rng(seed)
    for _ in range(4):
        curves, planet, _ = light_curves(seed=seed, depth=rng.uniform(1e-3, 0.04), mid_time=rng.uniform(1e3, 2.4e4))
        flux, error, time = curves.flux.copy(), curves.flux_err.copy(), np.arange(len(curves.time))
        for kind in rng.choice(8, rng.integers(1, 4), replace=False):
            span = slice(*np.sort(rng.integers(0, len(time), 2)))
            some = rng.choice(flux.shape[1], rng.integers(1, flux.shape[1]), replace=False)
            if kind == 0:
                flux[span] = np.nan
            elif kind == 1:
                flux[:, some] = np.nan
            elif kind == 2:
                flux[span] *= rng.lognormal(0.0, 3.0)
            elif kind == 3:
                flux[:, 0] = np.nan
            elif kind == 4:
                flux[rng.integers(0, len(time), 5)] *= 1e6
            elif kind == 5:
                error *= rng.lognormal(0.0, 6.0)
            elif kind == 6:
                flux *= 1.0 + rng.lognormal(-5.0, 2.0) * np.sin(time / rng.uniform(1.0, 60.0))[:, None]
            else:
                flux[:] = flux.mean(axis=0)
        try:
            fit = fit_transit(replace(curves, flux=flux, flux_err=error), planet, fit_config)
        except FitError:
            continue
        require_sound(fit)
