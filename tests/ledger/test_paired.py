"""Differences paired over planets: as sure as the planets make them, and never surer."""

import numpy as np
import pytest

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.ledger.paired import bootstrap_interval, paired_difference
from tests.ledger.recorded import planet_scores


def test_what_planets_share_cancels():
    first, second = planet_scores(gain=0.01, seed=1), planet_scores(seed=2)
    found = paired_difference(first, second)
    difference = np.array(list(first.values())) - np.array(list(second.values()))
    assert (found.n, found.mean) == (40, pytest.approx(difference.mean()))
    assert found.error == pytest.approx(difference.std(ddof=1) / np.sqrt(40)) and found.error < 0.003
    assert not found.within_noise and found.chance > 0.99
    back = paired_difference(second, first)
    assert back.mean == -found.mean and back.chance == pytest.approx(1 - found.chance, abs=1e-9)


def test_the_chance_is_right_as_often_as_it_says():
    """Of runs that differ by luck alone, the chance is uniform: it is above 0.9 in a tenth of the cases."""
    chance = [
        paired_difference(planet_scores(30, seed=2 * i), planet_scores(30, seed=2 * i + 1)).chance for i in range(60)
    ]
    assert 0.3 < np.mean(chance) < 0.7 and np.mean(np.array(chance) > 0.9) < 0.25


def test_planets_that_only_one_run_scored_do_not_count():
    found = paired_difference({1: 0.5, 2: 0.7, 3: 9.0}, {1: 0.4, 2: 0.7, 4: 9.0})
    assert (found.n, found.mean, found.best, found.worst) == (2, pytest.approx(0.05), ((1, pytest.approx(0.1)),), ())
    with pytest.raises(SpectraMindError, match="planets that both scored"):
        paired_difference({1: 0.5}, {2: 0.5})


def test_one_planet_says_nothing_sure():
    found = paired_difference({1: 0.5}, {1: 0.4})
    assert np.isnan(found.error) and found.within_noise


def test_the_interval_covers_the_score_of_other_planets():
    low, high = bootstrap_interval(planet_scores(400))
    assert low < np.mean(list(planet_scores(400).values())) < high
    assert high - low == pytest.approx(2 * 0.1 / np.sqrt(400), rel=0.15)
