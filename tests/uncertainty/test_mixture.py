"""Mixtures of predictions: moments as drawn, weights that held-out planets bear out, no label in its own weight."""

import numpy as np
import pytest

from spectramind_kit.metric import score
from spectramind_kit.uncertainty.mixture import alone, cross_fitted, equal, learn_mixture, mixed

N_PLANET, N = 60, 21
NAIVE = (0.0146, 0.0107)


def members_of(truth, *sizes, seed=0, shared=0.0):
    """Members with errors of some sizes, a part of which all share; sigmas are honest."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(truth.shape)
    errors = [np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(truth.shape) for _ in sizes]
    means = np.stack([truth + size * error for size, error in zip(sizes, errors)])
    return means, np.stack([np.full(truth.shape, size) for size in sizes])


@pytest.fixture(scope="module")
def truth():
    return np.clip(np.random.default_rng(9).normal(*NAIVE, (N_PLANET, 1)), 3e-3, None) * np.ones((1, N))


def test_the_moments_are_those_of_draws_from_the_mixture():
    rng = np.random.default_rng(2)
    means, sigmas = np.array([0.010, 0.0104, 0.0099]), np.array([1e-4, 2e-4, 5e-5])
    w = np.array([0.2, 0.5, 0.3])
    which = rng.choice(3, size=400_000, p=w)
    drawn = rng.normal(means[which], sigmas[which])
    shape = np.ones((3, 1, 4))
    mean, sigma = mixed((means[:, None, None] * shape, sigmas[:, None, None] * shape), np.stack([w, w], axis=1))
    assert mean == pytest.approx(np.full((1, 4), drawn.mean()), abs=2e-6)
    assert sigma == pytest.approx(np.full((1, 4), drawn.std()), rel=5e-3)


@pytest.mark.parametrize("place", [0, 1])
def test_a_member_alone_is_itself(truth, place):
    members = members_of(truth, 1e-4, 2e-4)
    mean, sigma = mixed(members, alone(place, 2))
    assert mean == pytest.approx(members[0][place], rel=1e-12) and sigma == pytest.approx(members[1][place], rel=1e-9)


def test_weights_are_shares_and_go_to_who_knows(truth):
    weight = learn_mixture(truth, members_of(truth, 1e-4, 1e-3, 4e-3), NAIVE)
    assert weight.sum(axis=0) == pytest.approx(1.0) and (weight >= 0).all()
    assert (weight[0] > 0.9).all()


def test_channels_are_weighed_apart(truth):
    means, sigmas = members_of(truth, 1e-4, 1e-3)
    means[:, :, 0], sigmas[:, :, 0] = means[::-1, :, 0], sigmas[::-1, :, 0]
    weight = learn_mixture(truth, (means, sigmas), NAIVE)
    assert weight[1, 0] > 0.9 and weight[0, 1] > 0.9


def test_independent_errors_are_averaged_and_score_better_than_each(truth):
    members = members_of(truth, 2e-4, 2e-4, 2e-4)
    weight = learn_mixture(truth, members, NAIVE)
    assert weight == pytest.approx(equal(3), abs=0.2)
    best = max(score(truth, members[0][k], members[1][k], NAIVE) for k in range(3))
    assert score(truth, *mixed(members, weight), NAIVE) > best + 0.005


def test_no_planets_own_label_is_in_its_weight(truth):
    """Other labels for one fold change the predictions of the other folds, and not its own."""
    members, fold = members_of(truth, 2e-4, 3e-4, shared=0.5), np.arange(N_PLANET) % 3
    before = cross_fitted(truth, members, fold, NAIVE)
    changed = np.where((fold == 0)[:, None], members[0][1], truth)
    after = cross_fitted(changed, members, fold, NAIVE)
    assert np.array_equal(before[0][fold == 0], after[0][fold == 0])
    assert not np.array_equal(before[0][fold == 1], after[0][fold == 1])
