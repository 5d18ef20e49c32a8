"""The factor on sigma: the likelihood's maximum with many planets, the assumption with none, never optimistic."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.uncertainty.recalibration import learn_recalibration, no_recalibration

N = 283
SPREAD = np.full(N, 0.01)


@pytest.fixture
def uncertainty(config):
    return dataclasses.replace(config.uncertainty, scale_sigma=True, minimum_scale=0.1)


def synthetic(n_planet, fgs1, airs, seed=2):
    """Standardised errors of sigmas that are too small by a factor (a number, or (n_planet,)), and the sigmas.

    The wavelengths of AIRS-CH0 err together, as levels do.
    """
    rng = np.random.default_rng(seed)
    z = np.repeat(rng.normal(size=(n_planet, 2)) * np.column_stack(np.broadcast_arrays(fgs1, airs)), [1, N - 1], axis=1)
    return z, 1e-4 * np.exp(0.5 * rng.normal(size=(n_planet, 1))) * np.ones(N)


def learn(z, sigma, config, flagged=None):
    flagged = np.zeros(len(z), dtype=bool) if flagged is None else flagged
    return learn_recalibration(z, sigma, SPREAD, flagged, config)


def usual_factor(recalibration, flagged=False):
    return recalibration.factor(SPREAD * np.exp(recalibration.centre[[0] + [1] * (N - 1)]), SPREAD, flagged)


@pytest.mark.parametrize("fgs1, airs", [(3.0, 1.5), (0.5, 0.8)])
def test_finds_how_far_sigmas_were_off(uncertainty, fgs1, airs):
    factor = usual_factor(learn(*synthetic(3000, np.full(3000, fgs1), np.full(3000, airs)), uncertainty))
    assert factor[0] == pytest.approx(fgs1, rel=0.06)
    np.testing.assert_allclose(factor[1:], airs, rtol=0.06)


def test_the_constant_maximises_the_likelihood(uncertainty):
    z, sigma = synthetic(500, np.full(500, 2.0), np.full(500, 1.4))
    learned = learn(z, sigma, dataclasses.replace(uncertainty, prior_planets=1e-9))
    factors = np.array([learned.factor(s, SPREAD, False) for s in sigma])

    def likelihood(more):
        return np.sum(-np.log(factors * more) - 0.5 * (z / (factors * more)) ** 2)

    assert likelihood(1.0) > max(likelihood(1.05), likelihood(0.95))


def test_without_planets_the_assumed_factor_stands(uncertainty):
    learned = learn(np.empty((0, N)), np.empty((0, N)), uncertainty)
    np.testing.assert_allclose(usual_factor(learned), uncertainty.prior_scale)


def test_a_few_planets_move_it_as_far_as_they_weigh(uncertainty):
    chosen = dataclasses.replace(uncertainty, prior_planets=3.0, prior_scale=1.0)
    learned = learn(np.full((1, N), 3.0), np.full((1, N), 1e-4), chosen)
    np.testing.assert_allclose(usual_factor(learned), np.sqrt((9 + 3 * 1) / 4), rtol=0.02)


def test_sigmas_too_small_where_they_are_small_are_widened_there(uncertainty):
    rng, n = np.random.default_rng(3), 600
    sigma = 1e-4 * np.exp(rng.uniform(-1, 1, (n, 1))) * np.ones(N)
    z = np.repeat(rng.normal(size=(n, 2)), [1, N - 1], axis=1) * (sigma / 1e-4) ** -0.4
    learned = learn(z, sigma, uncertainty)
    small, large = (learned.factor(np.full(N, s), SPREAD, False)[5] for s in (0.5e-4, 2e-4))
    assert small > 1.2 * large and small * 0.5 < large * 2.0


def test_the_new_sigma_grows_with_the_old_one(uncertainty):
    z, sigma = synthetic(40, np.full(40, 1.0), np.full(40, 1.0), seed=5)
    learned = learn(z * sigma**-0.9 * 1e-4**0.9, sigma, uncertainty)
    old = np.geomspace(1e-6, 1e-2, 60)
    new = [s * learned.factor(np.full(N, s), SPREAD, False) for s in old]
    assert (np.diff(new, axis=0) > 0).all()


def test_flagged_planets_are_widened_and_never_narrowed(uncertainty):
    flagged = np.arange(400) % 4 == 0
    worse = learn(*synthetic(400, np.where(flagged, 2.0, 1.0), np.where(flagged, 2.0, 1.0)), uncertainty, flagged)
    ratio = usual_factor(worse, flagged=True) / usual_factor(worse)
    np.testing.assert_allclose(ratio, 2.0, rtol=0.25)
    better = learn(*synthetic(400, np.where(flagged, 0.5, 1.0), np.where(flagged, 0.5, 1.0)), uncertainty, flagged)
    assert (usual_factor(better, flagged=True) >= usual_factor(better)).all()


def test_a_factor_below_one_needs_many_planets(uncertainty):
    free = dataclasses.replace(uncertainty, prior_scale=1.0)
    few = usual_factor(learn(np.full((8, N), 0.8), np.full((8, N), 1e-4), free))
    many = usual_factor(learn(np.full((800, N), 0.8), np.full((800, N), 1e-4), free))
    assert (few > 0.95).all()
    assert ((many > 0.8) & (many < 0.83)).all()


@pytest.mark.parametrize("n_planet", [10, 40, 150])
def test_fresh_planets_find_sigmas_that_are_not_optimistic(uncertainty, n_planet):
    """Mean z^2 of planets that were not learned from, over many training sets; flags mean twice the error."""
    power = []
    for seed in range(25):
        flagged = np.random.default_rng(seed).random(n_planet + 200) < 0.15
        off = np.where(flagged, 2.0, 0.9)
        z, sigma = synthetic(n_planet + 200, off, off, seed)
        learned = learn(z[:n_planet], sigma[:n_planet], uncertainty, flagged[:n_planet])
        factors = np.array([learned.factor(s, SPREAD, f) for s, f in zip(sigma[n_planet:], flagged[n_planet:])])
        power.append((z[n_planet:] / factors)[:, :2] ** 2)
    assert 0.75 < np.mean(power) < 1.15


def test_one_wild_planet_widens_as_the_likelihood_asks_and_no_further(uncertainty):
    z, sigma = synthetic(150, np.full(150, 1.5), np.full(150, 1.5))
    z[7] = 30.0
    factor = usual_factor(learn(z, sigma, uncertainty))
    likeliest = np.sqrt([np.mean(z[:, 0] ** 2), np.mean(z[:, 1] ** 2)])
    assert (factor[:2] < 1.05 * likeliest).all() and (factor[:2] > 0.8 * likeliest).all()


def test_never_below_the_minimum(uncertainty):
    z, sigma = synthetic(1000, np.full(1000, 0.3), np.full(1000, 0.3))
    bounded = learn(z, sigma, dataclasses.replace(uncertainty, minimum_scale=0.9))
    np.testing.assert_allclose(usual_factor(bounded), 0.9, rtol=0.2)
    assert bounded.coefficients[:, 0] == pytest.approx(np.log(0.9))


def test_can_be_switched_off(uncertainty):
    off = dataclasses.replace(uncertainty, scale_sigma=False)
    learned = learn(*synthetic(10, np.full(10, 3.0), np.full(10, 3.0)), off)
    np.testing.assert_array_equal(usual_factor(learned), 1.0)
    np.testing.assert_array_equal(usual_factor(no_recalibration(), flagged=True), 1.0)
