"""Limits of a network beside the fit: never farther out nor surer than held-out planets were."""

import numpy as np
import pytest

from spectramind_kit.uncertainty.network_limits import NetworkLimits, learn_network_limits

FIT = np.full(5, 0.02), np.full(5, 1e-4)


def held_out(n_planet):
    rng = np.random.default_rng(3)
    fit = np.full((n_planet, 5), 0.02), np.full((n_planet, 5), 1e-4)
    factor = rng.uniform(0.5, 1.2, fit[0].shape)
    return (fit[0] + rng.uniform(-1.5, 2.0, fit[0].shape) * 1e-4, factor * 1e-4), fit


def test_what_held_out_planets_do_is_not_touched():
    network, fit = held_out(30)
    limits = learn_network_limits(network, fit)
    for planet in range(30):
        one = network[0][planet], network[1][planet]
        for ours, theirs in zip(limits.held(one, (fit[0][planet], fit[1][planet])), one):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n_planet", [0, 30])
def test_wild_answers_are_held(n_planet):
    limits = learn_network_limits(*held_out(n_planet))
    mean, sigma = limits.held((FIT[0] + 50e-4, np.full(5, 1e-6)), FIT)
    assert (np.abs(mean - FIT[0]) <= 5.01 * FIT[1]).all() and (sigma >= 0.3 * FIT[1]).all()
    assert (limits.held((FIT[0], np.full(5, 1.0)), FIT)[1] <= 3.0 * FIT[1]).all()


def test_a_network_that_changes_nothing_is_held_at_one_sigma():
    fit = np.full((20, 5), 0.02), np.full((20, 5), 1e-4)
    assert learn_network_limits(fit, fit) == NetworkLimits(1.0, 0.8, 1.25)
