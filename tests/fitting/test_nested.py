"""Nested sampling of the white light: the density is that of the model, and agrees with Laplace where that holds."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.curve_model import linearise
from spectramind_kit.fitting.nested import _gaussian, _marginal, sample_white_light
from spectramind_kit.fitting.posterior import white_light
from tests.fitting.transit_light_curves import light_curves


def coarse(curves, every=3):
    """The same light curves in longer bins and at fewer wavelengths."""
    n = len(curves.time) // every * every
    some = np.r_[0, 1:283:40]
    flux = curves.flux[:n, some].reshape(-1, every, len(some)).mean(axis=1)
    return replace(
        curves,
        time=curves.time[:n].reshape(-1, every).mean(axis=1),
        bin_seconds=every * curves.bin_seconds,
        flux=flux,
        flux_err=curves.flux_err[: len(flux), some] / np.sqrt(every),
        wavelength=curves.wavelength[some],
        regressors=np.zeros((len(flux), 0)),
    )


@pytest.fixture(scope="module")
def visit():
    curves, planet, true = light_curves(seed=3)
    return coarse(curves), planet, true


@pytest.fixture(scope="module")
def marginal(visit, config):
    curves, planet, _ = visit
    white, *_ = white_light(curves, planet, replace(config.fit, supersample=1))
    gaussian = _gaussian(white.solution)
    return _marginal(white.model, white.solution.state, gaussian), white, gaussian


@pytest.mark.parametrize("place", range(5))
def test_what_is_marginalised_is_linear(marginal, place):
    """Two sigmas away, one step in levels, drift, limb darkening and lag ends at the cost that it promised."""
    density, white, _ = marginal
    theta = density.centre + 0.25 * density.axes[:, place]
    cost, slope, curvature = density.expanded(theta)
    step = np.linalg.solve(curvature, slope)
    there = linearise(white.model, density.state(theta, step)).cost
    assert cost - there > 0.0
    assert there == pytest.approx(cost - 0.5 * slope @ step, abs=0.02)
    assert density.ln_density(theta) < density.ln_density(density.centre) + 0.05


def test_outside_of_what_can_be_there_is_no_density(marginal):
    density, *_ = marginal
    for place, value in ((2, -1e-3), (3, -1e-4)):
        theta = density.centre.copy()
        theta[place] = value
        assert density.ln_density(theta) < -1e200


def test_the_evidence_is_laplaces_where_the_posterior_is_a_gaussian(marginal, visit, config):
    pytest.importorskip("dynesty")
    density, *_ = marginal
    found = sample_white_light(visit[0], visit[1], config.fit, live_points=60, seed=1)
    peak = density.ln_density(density.centre)
    laplace = peak + 2.5 * np.log(2 * np.pi) - 5 * np.log(2.0) - 5 * np.log(8.0)
    assert found.ln_evidence.value == pytest.approx(laplace, abs=4 * found.ln_evidence.error + 0.3)
    assert found.effective_samples > 100 and not found.confined and found.likelihoods > 500
    for name in found.names:
        low, median, high = found.quantiles(name)
        assert abs(median - found.laplace[name].value) < 0.6 * found.laplace[name].error, name
        assert (high - low) / 2 == pytest.approx(found.laplace[name].error, rel=0.4), name
    true = visit[2]
    assert abs(found.quantiles("fgs1_depth")[1] - true[0]) < 4 * found.laplace["fgs1_depth"].error


def test_too_few_live_points_are_refused(visit, config):
    pytest.importorskip("dynesty")
    with pytest.raises(FitError, match="25 live points or more, got 10"):
        sample_white_light(visit[0], visit[1], config.fit, live_points=10)
