"""The prior of star and instrument by fold: what a fold is judged with, its own planets have not taught."""

import numpy as np
import pytest

from spectramind_kit.fitting.nuisance_learning import VisitStatistics
from spectramind_kit.training.nuisance_priors import MOST_TEACHING, learn_nuisance_priors, teaching_planets

NAMES = ("fgs1_u1", "airs_u1", "pointing_fgs1/fgs1_row_centroid")
FOLD = {planet: planet % 3 for planet in range(100, 112)}


def statistics(seed, mean=0.0):
    rng = np.random.default_rng(seed)
    return VisitStatistics(NAMES, np.eye(3) * 1e4, 1e4 * (mean + 0.05 * rng.standard_normal(3)), np.full(3, 0.1), 27e3)


def visits():
    """One or two visits of every planet."""
    return {planet: [statistics(planet + 1000 * i) for i in range(1 + planet % 2)] for planet in FOLD}


def same(one, other):
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.covariance, other.covariance)


@pytest.mark.parametrize("held_out", range(3))
def test_a_folds_prior_does_not_know_its_own_visits(held_out):
    before = learn_nuisance_priors(visits(), FOLD, workers=1)
    changed = {p: [statistics(p, mean=0.3)] if FOLD[p] == held_out else each for p, each in visits().items()}
    after = learn_nuisance_priors(changed, FOLD, workers=1)
    assert [same(*pair) for pair in zip(before, after)] == [fold == held_out for fold in range(3)] + [False]


def test_the_last_prior_is_learned_from_all():
    priors = learn_nuisance_priors(visits(), FOLD, workers=2)
    assert len(priors) == 4
    alone = learn_nuisance_priors(visits(), dict.fromkeys(FOLD, 0), workers=1)
    assert alone[0] is None and same(alone[-1], priors[-1])


def test_without_visits_there_is_no_prior():
    assert learn_nuisance_priors({}, FOLD, workers=1) == (None,) * 4
    assert learn_nuisance_priors({}, {}, workers=1) == (None,)


def test_few_planets_all_teach_and_of_many_an_even_choice_does():
    assert teaching_planets([]) == frozenset()
    assert teaching_planets([7, 3, 9]) == {7, 3, 9}
    many = list(range(1100))
    teaching = sorted(teaching_planets(many))
    assert len(teaching) == MOST_TEACHING and teaching[0] == 0 and teaching[-1] == 1099
    assert np.diff(teaching).max() <= 6 and np.diff(teaching).min() >= 5
