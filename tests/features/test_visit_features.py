"""What a visit shows beyond its depths: clean noise looks like noise, and each fault shows where it should."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.features.visit import REGRESSORS, SEQUENCE, TEMPLATES, VISIT_CONTEXT, VISIT_NODE, visit_features
from spectramind_kit.flags import Flag
from spectramind_kit.products import Estimate, LightCurves, Orbit, Planet, Star, TransitFit

N_TIME, BIN = 300, 90.0
WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 40)])
TIME = (np.arange(N_TIME) + 0.5) * BIN
MID, DURATION, DEPTH, NOISE = 13_000.0, 8_000.0, 0.015, 3e-4
PLANET = Planet(1, Star(1.2, 1.1, 5800.0), Orbit(4.0, 9.0, 88.0), mass=0.9)
INSIDE = np.abs(TIME - MID) < DURATION / 2


def visit(residual, regressors=None, flags=None):
    """A box transit in light of level 1e5, whose fit leaves the given residual (n_time, n_wavelength)."""
    model = 1.0 - DEPTH * np.tile(INSIDE[:, None], (1, len(WAVELENGTH)))
    flux = model + residual
    n = len(WAVELENGTH)
    regressors = np.zeros((N_TIME, 0)) if regressors is None else regressors
    names = REGRESSORS[: regressors.shape[1]]
    curves = LightCurves(1, 0, TIME, BIN, 1e5 * flux, np.full_like(flux, 1e5 * NOISE), WAVELENGTH, regressors, names)
    parameters = {
        "mid_time": Estimate(MID, 10.0),
        "duration": Estimate(DURATION, 20.0),
        "semi_major_axis": Estimate(18.0, 0.9),
        "impact_parameter": Estimate(0.3, 0.05),
        "airs_u1": Estimate(0.14, 0.02),
    }
    covariance = np.diag(np.full(n, 1e-4) ** 2)
    fit = TransitFit(
        1, 0, WAVELENGTH, np.full(n, DEPTH), covariance, parameters, TIME, flux, model, np.ones(n), flags or {}
    )
    return visit_features(curves, fit, PLANET)


def noise(seed=0, size=NOISE):
    return size * np.random.default_rng(seed).standard_normal((N_TIME, len(WAVELENGTH)))


def channel(features, name):
    return features.sequence[:, SEQUENCE.index(name)]


def context(features, name):
    return features.context[VISIT_CONTEXT.index(name)]


def node(features, name):
    return features.node[:, VISIT_NODE.index(name)]


def test_white_noise_of_the_expected_size_is_of_order_one_everywhere():
    made = visit(noise())
    for name in ("fgs1_residual", "airs_residual", "colour_residual"):
        assert channel(made, name).std() == pytest.approx(1.0, abs=0.12), name
    for name in ("ln_scatter_in", "ln_scatter_out"):
        assert np.abs(node(made, name)).max() < 0.35
    assert node(made, "curvature").std() == pytest.approx(1.0, abs=0.35)
    assert abs(context(made, "airs_lag_1")) < 0.2


def test_the_transit_is_in_depths_and_half_durations():
    made = visit(np.zeros((N_TIME, len(WAVELENGTH))))
    np.testing.assert_allclose(channel(made, "airs_transit"), INSIDE, atol=1e-6)
    np.testing.assert_allclose(channel(made, "fgs1_flux"), INSIDE, atol=1e-5)
    assert channel(made, "phase")[np.argmin(np.abs(TIME - MID - DURATION / 2))] == pytest.approx(1.0, abs=0.02)
    assert np.abs(channel(made, "time")).max() == pytest.approx(1.0, abs=0.01)
    assert context(made, "duration") == pytest.approx(0.8)
    assert context(made, "ln_axis_ratio") == pytest.approx(np.log(2.0), abs=1e-5)
    assert context(made, "airs_u1") == pytest.approx(1.4) and context(made, "fgs1_u1") == 0.0


def test_flags_are_counted_whatever_they_say():
    residual = np.zeros((N_TIME, len(WAVELENGTH)))
    assert context(visit(residual), "n_flag") == 0.0
    for details in (("", ""), ("2.0 times; 3.0 times", "at 8000, 9000 s")):
        flags = dict(zip((Flag.AIRS_NOISY, Flag.FLUX_JUMP), details))
        assert context(visit(residual, flags=flags), "n_flag") == pytest.approx(np.log(3.0))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_fault_of_a_kind_shows_in_its_projection(template):
    phase = (TIME - MID) / (DURATION / 2)
    shapes = {
        "curvature": np.where(np.abs(phase) < 0.85, phase**2 - 0.25, 0.0),
        "slope": np.where(np.abs(phase) < 1.0, phase, 0.0),
        "contacts": (np.abs(np.abs(phase) - 1.0) < 0.15).astype(float),
        "jump": np.where(np.abs(phase) > 1.0, np.sign(phase), 0.0),
    }
    made = visit(noise() + 3.0 * NOISE * shapes[template][:, None])
    clean = visit(noise())
    assert (node(made, template) - node(clean, template)).min() > 5.0
    assert context(made, f"airs_{template}") - context(clean, f"airs_{template}") > 10.0
    assert context(made, f"fgs1_{template}") - context(clean, f"fgs1_{template}") > 5.0


def test_noise_in_transit_alone_is_separated_from_noise_outside():
    made = visit(noise() * np.where(INSIDE, 3.0, 1.0)[:, None])
    assert node(made, "ln_scatter_in").mean() == pytest.approx(np.log(3.0), abs=0.1)
    assert abs(node(made, "ln_scatter_out").mean()) < 0.05


def test_red_noise_of_one_channel_shows_in_its_autocorrelation():
    rng = np.random.default_rng(3)
    wave = np.convolve(rng.standard_normal(N_TIME + 9), np.ones(10) / np.sqrt(10.0), "valid")
    red = np.zeros((N_TIME, len(WAVELENGTH)))
    red[:, 0] = 2.0 * NOISE * wave
    made = visit(noise() + red)
    assert context(made, "fgs1_lag_1") > 0.4 and context(made, "fgs1_lag_5") > 1.0
    assert abs(context(made, "airs_lag_5")) < 0.4


def test_points_that_were_not_used_have_no_effect():
    residual = noise()
    residual[40:50] = np.nan
    made = visit(residual)
    assert np.isfinite(made.sequence).all() and np.isfinite(made.node).all() and np.isfinite(made.context).all()
    assert (channel(made, "airs_residual")[40:50] == 0.0).all()


def test_one_wild_point_is_cut():
    residual = noise()
    residual[7] = 1.0
    assert np.abs(visit(residual).sequence).max() <= 8.0


def test_regressors_are_robustly_standardised_and_missing_ones_are_zero():
    series = np.random.default_rng(1).standard_normal((N_TIME, 2)) * [0.1, 3.0] + [15.0, 2.0]
    series[5] = 1e6
    made = visit(noise(), series)
    assert channel(made, REGRESSORS[0]).std() == pytest.approx(1.0, abs=0.5)
    assert (channel(made, REGRESSORS[4]) == 0.0).all()


def test_a_planet_without_a_table_row_has_features_too():
    made = visit(noise())
    bare = replace(PLANET, orbit=None, star=None)
    curves = LightCurves(
        1, 0, TIME, BIN, np.ones((N_TIME, 41)), np.full((N_TIME, 41), NOISE), WAVELENGTH, np.zeros((N_TIME, 0))
    )
    fit = TransitFit(
        *(1, 0, WAVELENGTH, np.full(41, DEPTH), np.eye(41) * 1e-8),
        {"mid_time": Estimate(MID, 10.0), "duration": Estimate(DURATION, 10.0)},
        *(TIME, np.ones((N_TIME, 41)), np.ones((N_TIME, 41)), np.ones(41)),
    )
    assert visit_features(curves, fit, bare).context.shape == made.context.shape
