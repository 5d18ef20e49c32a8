"""Examples: split by fold, concatenated, and stored as a file."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.training.examples import Examples, concatenated, load_examples, save_examples
from tests.training.random_planets import random_examples


def test_a_held_out_fold_is_not_learned_from():
    examples = random_examples(9)
    left = examples.without(1)
    assert [each.planet_id for each in left.features] == [100, 102, 103, 105, 106, 108]
    np.testing.assert_array_equal(left.truth[1], examples.truth[2])


def test_what_belongs_to_no_fold_is_always_learned_from():
    real, simulated = random_examples(6), random_examples(3, seed=1)
    simulated = Examples(simulated.features, simulated.truth, np.full(3, -1), simulated.wavelength)
    both = concatenated([real, simulated])
    assert all(len(both.without(fold)) == 4 + 3 for fold in range(3))


def test_files_and_back(tmp_path):
    examples = random_examples(5)
    save_examples(tmp_path / "deep" / "examples.npz", examples)
    back = load_examples(tmp_path / "deep" / "examples.npz")
    assert back.content_hash() == examples.content_hash()
    assert [len(each.visits) for each in back.features] == [1, 2, 1, 2, 1]
    np.testing.assert_array_equal(back.features[3].visits[1], examples.features[3].visits[1])


def test_the_hash_changes_with_any_number():
    examples = random_examples(5)
    truth = examples.truth.copy()
    truth[2, 7] += 1e-9
    assert Examples(examples.features, truth, examples.fold, examples.wavelength).content_hash() != (
        examples.content_hash()
    )


def test_a_truth_for_every_planet_is_wanted():
    examples = random_examples(5)
    with pytest.raises(ProductError, match="Examples.truth"):
        Examples(examples.features, examples.truth[:4], examples.fold, examples.wavelength)
