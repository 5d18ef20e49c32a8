"""Batches: padding without effect, standardised residuals, and changes that leave the truth as it is."""

import numpy as np
import pytest

from spectramind_kit.networks.batch import collate
from spectramind_kit.training.batches import PlanetDataset, augmented, collate_items
from tests.training.random_planets import WAVELENGTH, random_examples, random_planet


def test_shorter_visits_and_missing_ones_are_padded():
    rng = np.random.default_rng(0)
    batch = collate([random_planet(1, rng, n_visit=2, n_time=20), random_planet(2, rng, n_visit=1, n_time=12)])
    assert batch.sequence.shape[:3] == (2, 2, 20)
    assert batch.valid.sum(dim=2).tolist() == [[20, 20], [12, 0]]
    assert float(batch.sequence[1, 0, 12:].abs().sum()) == 0.0
    assert batch.standardised_residual is None


def test_the_standardised_residual_is_the_prediction_s_error_in_its_sigmas():
    planet = random_planet(1, np.random.default_rng(0))
    batch = collate([planet], (planet.mean + 3.0 * planet.sigma)[None])
    np.testing.assert_allclose(batch.standardised_residual.numpy(), 3.0, rtol=1e-5)
    assert batch.standardised_residual.shape == (1, len(WAVELENGTH))


@pytest.mark.parametrize("flip, dropped", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_changes_happen_as_often_as_asked_for(flip, dropped):
    planet = random_planet(1, np.random.default_rng(0), n_visit=2)
    changed = augmented(planet, flip, dropped, np.random.default_rng(1))
    assert len(changed.visits) == (1 if dropped else 2)
    forwards = [visit if not flip else planet.flipped().visits[i] for i, visit in enumerate(planet.visits)]
    assert any(np.array_equal(changed.visits[0], visit) for visit in forwards)
    np.testing.assert_array_equal(changed.mean, planet.mean)


def test_the_only_visit_is_never_left_out():
    planet = random_planet(1, np.random.default_rng(0), n_visit=1)
    assert len(augmented(planet, 0.0, 1.0, np.random.default_rng(1)).visits) == 1


def test_a_data_set_without_changes_gives_what_it_holds():
    examples = random_examples(4)
    dataset = PlanetDataset(examples)
    batch = collate_items([dataset[i] for i in range(len(dataset))])
    np.testing.assert_allclose(batch.truth().numpy(), examples.truth, rtol=0, atol=1e-8)
