"""The network's blending weight: above zero where it is better on held-out planets, zero where it is not."""

import numpy as np
import pytest

from spectramind_kit.metric import element_scores, planet_scores, score
from spectramind_kit.uncertainty.blending import blended, learn_blending_weight

N_PLANET, N = 120, 41
NAIVE = (0.0146, 0.0107)


@pytest.fixture(scope="module")
def planets():
    rng = np.random.default_rng(0)
    truth = np.clip(rng.normal(*NAIVE, (N_PLANET, 1)), 3e-3, None) * np.ones((1, N))
    error = rng.standard_normal((N_PLANET, N))
    return truth, error


def prediction(truth, error, size, stated=None):
    return truth + size * error, np.full(truth.shape, size if stated is None else stated)


def test_a_better_network_counts_in_full(planets):
    truth, error = planets
    weight = learn_blending_weight(truth, prediction(truth, error, 3e-4), prediction(truth, error, 1e-4), NAIVE)
    assert (weight == 1.0).all()


def test_a_worse_network_does_not_count(planets):
    truth, error = planets
    assert (
        learn_blending_weight(truth, prediction(truth, error, 1e-4), prediction(truth, error, 2e-4), NAIVE) == 0.0
    ).all()


def test_an_equal_network_does_not_count(planets):
    truth, error = planets
    fit = prediction(truth, error, 1e-4)
    assert (learn_blending_weight(truth, fit, fit, NAIVE) == 0.0).all()


def test_channels_are_judged_apart(planets):
    truth, error = planets
    fit = prediction(truth, error, 2e-4)
    network = prediction(truth, error, 1e-4)
    network[0][:, 0] = truth[:, 0] + 8e-4 * error[:, 0]
    weight = learn_blending_weight(truth, fit, network, NAIVE)
    assert weight[0] == 0.0 and (weight[1:] == 1.0).all()


def test_independent_errors_are_averaged(planets):
    truth, error = planets
    other = np.random.default_rng(1).standard_normal(error.shape)
    fit, network = prediction(truth, error, 2e-4), prediction(truth, other, 2e-4)
    fit, network = (fit[0], np.full(error.shape, 1.6e-4)), (network[0], np.full(error.shape, 1.6e-4))
    weight = learn_blending_weight(truth, fit, network, NAIVE)
    assert (weight == 0.5).all()
    assert score(truth, *blended(fit, network, weight), NAIVE) > score(truth, *fit, NAIVE)


def test_few_planets_prove_nothing(planets):
    truth, error = planets
    few = slice(0, 7)
    weight = learn_blending_weight(
        truth[few], prediction(truth[few], error[few], 1.0), prediction(truth[few], error[few], 1e-5), NAIVE
    )
    assert (weight == 0.0).all()


def test_on_planets_alike_luck_rarely_counts():
    """Networks that differ from the fit by nothing but noise get no weight in most draws."""
    counted = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = np.abs(rng.normal(*NAIVE, (60, 1))) * np.ones((1, N)) + 3e-3
        fit = prediction(truth, rng.standard_normal(truth.shape), 1e-4)
        network = fit[0] + 3e-5 * rng.standard_normal(truth.shape), fit[1]
        counted += int(learn_blending_weight(truth, fit, network, NAIVE)[1:].any())
    assert counted <= 4


def test_half_of_each_is_between_both():
    mean, sigma = blended((np.full(3, 1.0), np.full(3, 1.0)), (np.full(3, 2.0), np.full(3, 4.0)), np.array([0, 0.5, 1]))
    np.testing.assert_allclose(mean, [1.0, 1.5, 2.0])
    np.testing.assert_allclose(sigma, [1.0, 2.0, 4.0])


@pytest.mark.parametrize("edition", ["2025", "2024"])
def test_gains_are_those_of_the_editions_score(planets, edition, monkeypatch):
    truth, error = planets
    fit, network = prediction(truth, error, 2e-4), prediction(truth, error, 1e-4)
    assert element_scores(truth, *fit, NAIVE, "2024").mean() == pytest.approx(score(truth, *fit, NAIVE, "2024"))
    assert planet_scores(truth, *fit, NAIVE, edition).mean() == pytest.approx(score(truth, *fit, NAIVE, edition))
    asked = []

    def watched(*arguments):
        asked.append(arguments[-1])
        return element_scores(*arguments)

    monkeypatch.setattr("spectramind_kit.uncertainty.blending.element_scores", watched)
    assert learn_blending_weight(truth, fit, network, NAIVE, edition).all() and set(asked) == {edition}
