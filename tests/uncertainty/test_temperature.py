"""The factor on sigma: the likelihood's maximum with many planets, the assumption with none."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.uncertainty.temperature import learn_sigma_scale


@pytest.fixture
def uncertainty(config):
    return dataclasses.replace(config.uncertainty, scale_sigma=True, minimum_scale=0.1)


def synthetic(n_planet, fgs1, airs):
    """Standardised errors of sigmas that are too small by a factor, for FGS1 and for AIRS-CH0."""
    z = np.random.default_rng(2).normal(size=(n_planet, 283))
    z[:, 0] *= fgs1
    z[:, 1:] *= airs
    return z


@pytest.mark.parametrize("fgs1, airs", [(3.0, 1.5), (0.5, 0.8)])
def test_finds_how_far_sigmas_were_off(uncertainty, fgs1, airs):
    scale = learn_sigma_scale(synthetic(4000, fgs1, airs), uncertainty)
    assert scale[0] == pytest.approx(fgs1, rel=0.03)
    np.testing.assert_allclose(scale[1:], airs, rtol=0.01)


def test_the_factor_maximises_the_likelihood(uncertainty):
    z = synthetic(500, 2.0, 1.4)
    scale = learn_sigma_scale(z, dataclasses.replace(uncertainty, prior_planets=1e-9))

    def likelihood(factor):
        return np.sum(-np.log(factor) - 0.5 * (z[:, 1:] / factor) ** 2)

    assert likelihood(scale[1]) > max(likelihood(scale[1] * 1.01), likelihood(scale[1] * 0.99))


def test_without_planets_the_assumed_factor_stands(uncertainty):
    scale = learn_sigma_scale(np.empty((0, 283)), uncertainty)
    np.testing.assert_allclose(scale, uncertainty.prior_scale)


def test_a_few_planets_move_it_as_far_as_they_weigh(uncertainty):
    chosen = dataclasses.replace(uncertainty, prior_planets=3.0, prior_scale=1.0)
    scale = learn_sigma_scale(np.full((1, 283), 3.0), chosen)
    np.testing.assert_allclose(scale, np.sqrt((9 + 3 * 1) / 4))


def test_never_below_the_minimum(uncertainty):
    scale = learn_sigma_scale(synthetic(1000, 0.3, 0.3), dataclasses.replace(uncertainty, minimum_scale=1.0))
    np.testing.assert_array_equal(scale, 1.0)


def test_can_be_switched_off(uncertainty):
    off = dataclasses.replace(uncertainty, scale_sigma=False)
    np.testing.assert_array_equal(learn_sigma_scale(synthetic(10, 3, 3), off), 1.0)
