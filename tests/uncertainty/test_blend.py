"""The network's share: heard where it is better on held-out planets, silent where it is not."""

import numpy as np
import pytest

from spectramind_kit.metric import score
from spectramind_kit.uncertainty.blend import blended, learn_share

N_PLANET, N = 120, 41
NAIVE = (0.0146, 0.0107)


@pytest.fixture(scope="module")
def planets():
    rng = np.random.default_rng(0)
    truth = np.clip(rng.normal(*NAIVE, (N_PLANET, 1)), 3e-3, None) * np.ones((1, N))
    error = rng.standard_normal((N_PLANET, N))
    return truth, error


def answer(truth, error, size, said=None):
    return truth + size * error, np.full(truth.shape, size if said is None else said)


def test_a_better_network_is_heard_in_full(planets):
    truth, error = planets
    share = learn_share(truth, answer(truth, error, 3e-4), answer(truth, error, 1e-4), NAIVE)
    assert (share == 1.0).all()


def test_a_worse_network_is_not_heard(planets):
    truth, error = planets
    assert (learn_share(truth, answer(truth, error, 1e-4), answer(truth, error, 2e-4), NAIVE) == 0.0).all()


def test_an_equal_network_is_not_heard(planets):
    truth, error = planets
    fit = answer(truth, error, 1e-4)
    assert (learn_share(truth, fit, fit, NAIVE) == 0.0).all()


def test_channels_are_judged_apart(planets):
    truth, error = planets
    fit = answer(truth, error, 2e-4)
    network = answer(truth, error, 1e-4)
    network[0][:, 0] = truth[:, 0] + 8e-4 * error[:, 0]
    share = learn_share(truth, fit, network, NAIVE)
    assert share[0] == 0.0 and (share[1:] == 1.0).all()


def test_independent_errors_are_averaged(planets):
    truth, error = planets
    other = np.random.default_rng(1).standard_normal(error.shape)
    fit, network = answer(truth, error, 2e-4), answer(truth, other, 2e-4)
    fit, network = (fit[0], np.full(error.shape, 1.6e-4)), (network[0], np.full(error.shape, 1.6e-4))
    share = learn_share(truth, fit, network, NAIVE)
    assert (share == 0.5).all()
    assert score(truth, *blended(fit, network, share), NAIVE) > score(truth, *fit, NAIVE)


def test_few_planets_prove_nothing(planets):
    truth, error = planets
    few = slice(0, 7)
    share = learn_share(truth[few], answer(truth[few], error[few], 1.0), answer(truth[few], error[few], 1e-5), NAIVE)
    assert (share == 0.0).all()


def test_on_planets_alike_luck_is_rarely_heard():
    """Networks that differ from the fit by nothing but noise get no share in most draws."""
    heard = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = np.abs(rng.normal(*NAIVE, (60, 1))) * np.ones((1, N)) + 3e-3
        fit = answer(truth, rng.standard_normal(truth.shape), 1e-4)
        network = fit[0] + 3e-5 * rng.standard_normal(truth.shape), fit[1]
        heard += int(learn_share(truth, fit, network, NAIVE)[1:].any())
    assert heard <= 4


def test_half_of_each_is_between_both():
    mean, sigma = blended((np.full(3, 1.0), np.full(3, 1.0)), (np.full(3, 2.0), np.full(3, 4.0)), np.array([0, 0.5, 1]))
    np.testing.assert_allclose(mean, [1.0, 1.5, 2.0])
    np.testing.assert_allclose(sigma, [1.0, 2.0, 4.0])
