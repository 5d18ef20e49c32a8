"""The population of labels: honest when there are many, cautious when there are few."""

import numpy as np
import pytest

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.prediction.population import COMPETITION_SPREAD, learn_population

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])


def labels(n_planet):
    rng = np.random.default_rng(1)
    return rng.uniform(0.004, 0.03, (n_planet, 1)) * rng.normal(1, 0.01, (n_planet, 283))


def test_many_planets_give_their_own_mean_and_spread():
    spectra = labels(50)
    population = learn_population(spectra, WAVELENGTH)
    np.testing.assert_allclose(population.labels.mean, spectra.mean(axis=0))
    np.testing.assert_allclose(population.labels.spread, spectra.std(axis=0))
    assert population.labels.naive == (pytest.approx(spectra.mean()), pytest.approx(spectra.std(ddof=0)))


@pytest.mark.parametrize("n_planet", [1, 2, 7])
def test_few_planets_are_not_taken_for_the_whole_range(n_planet):
    population = learn_population(labels(n_planet), WAVELENGTH)
    assert (population.labels.spread >= COMPETITION_SPREAD).all()


def test_without_labels_there_is_no_population():
    with pytest.raises(CompetitionDataError, match="at least one planet, got none"):
        learn_population(np.empty((0, 283)), WAVELENGTH)
