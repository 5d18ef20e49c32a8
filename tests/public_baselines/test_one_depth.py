"""One depth for all wavelengths: found in made-up light curves, answered as public notebooks do."""

import numpy as np
import pytest

from spectramind_kit.products import LightCurves
from spectramind_kit.public_baselines.one_depth import SCALE, SIGMA, one_depth, one_depth_answer, one_depth_of_visits


def visit(depth, n_time=187):
    """Return light curves of five wavelengths with a box dip in their middle, and a slow drift."""
    rng, place = np.random.default_rng(3), np.linspace(-1.0, 1.0, n_time)
    light = (1.0 + 1e-3 * place) * np.where(np.abs(place) < 0.3, 1.0 - depth, 1.0)
    flux = light[:, None] * np.array([1e3, 2e3, 5e3, 4e3, 1e3]) * (1.0 + 1e-5 * rng.standard_normal((n_time, 5)))
    return LightCurves(
        planet_id=1,
        visit=0,
        time=144.0 * np.arange(n_time),
        bin_seconds=144.0,
        flux=flux,
        flux_err=1e-5 * flux,
        wavelength=np.array([0.7, 2.0, 2.5, 3.0, 3.5]),
        regressors=np.empty((n_time, 0)),
    )


def test_a_dip_is_measured_and_visits_are_averaged():
    assert one_depth(visit(0.01)) == pytest.approx(0.01, rel=0.03)
    assert one_depth_of_visits([visit(0.01), visit(0.02)]) == pytest.approx(0.015, rel=0.03)
    assert np.isnan(one_depth(visit(0.01, n_time=20)))


def test_every_wavelength_gets_the_depth_and_the_constants():
    mean, sigma = one_depth_answer(np.array([0.01, np.nan, 0.03, -0.5]), 283)
    assert mean.shape == sigma.shape == (4, 283)
    assert (mean[0] == SCALE * 0.01).all() and (mean[1] == SCALE * 0.01).all()  # the median of three
    assert (mean > 0).all() and (sigma == SIGMA).all()
