"""Public sigmas: one constant, or that of a noisy planet wider within limits."""

import numpy as np

from spectramind_kit.public_baselines.sigma_rule import (
    AIRS_LIMITS,
    CONSTANT,
    FGS1_LIMITS,
    PER_PLANET,
    public_sigma,
)

TYPICAL = np.array([6e-4, 7e-5])


def test_the_constant_is_the_same_everywhere():
    sigma = public_sigma("constant", np.full((3, 2), np.nan), TYPICAL, 283)
    assert sigma.shape == (3, 283) and (sigma == CONSTANT).all()


def test_a_typical_planet_has_the_constant_of_the_rule():
    np.testing.assert_allclose(public_sigma("per_planet", TYPICAL[None], TYPICAL, 283), PER_PLANET)


def test_noise_widens_sigma_by_its_root_for_each_channel_alone():
    sigma = public_sigma("per_planet", TYPICAL[None] * [[1.44, 1.0]], TYPICAL, 283)
    np.testing.assert_allclose(sigma[0, 0], 1.2 * PER_PLANET)
    np.testing.assert_allclose(sigma[0, 1:], PER_PLANET)


def test_the_factor_is_clipped():
    sigma = public_sigma("per_planet", TYPICAL * np.array([[0.01], [100.0]]), TYPICAL, 283) / PER_PLANET
    np.testing.assert_allclose(sigma[:, 0], FGS1_LIMITS)
    np.testing.assert_allclose(sigma[:, 1], AIRS_LIMITS)


def test_noise_that_is_no_number_leaves_the_constant():
    noise = np.array([[np.nan, 0.0], [-1.0, np.inf]])
    np.testing.assert_allclose(public_sigma("per_planet", noise, TYPICAL, 283), PER_PLANET)
    np.testing.assert_allclose(public_sigma("per_planet", TYPICAL[None], np.full(2, np.nan), 283), PER_PLANET)
