"""Folds: deterministic, balanced, ruled by the seed, no business of the order of planets."""

import numpy as np

from spectramind_kit.training.folds import assign_folds

PLANETS = list(range(1000, 1043))


def test_sizes_differ_by_one_at_most():
    sizes = np.bincount(assign_folds(PLANETS, 5, seed=1), minlength=5)
    assert sizes.sum() == 43 and sizes.max() - sizes.min() == 1


def test_a_planet_keeps_its_fold_when_the_table_is_shuffled():
    order = np.random.default_rng(0).permutation(len(PLANETS))
    fold = assign_folds(PLANETS, 5, seed=1)
    shuffled = assign_folds([PLANETS[i] for i in order], 5, seed=1)
    np.testing.assert_array_equal(shuffled, fold[order])


def test_python_and_numpy_ids_fall_alike():
    np.testing.assert_array_equal(assign_folds(np.array(PLANETS), 5, 1), assign_folds(PLANETS, 5, 1))


def test_another_seed_deals_otherwise():
    assert (assign_folds(PLANETS, 5, seed=1) != assign_folds(PLANETS, 5, seed=2)).any()


def test_fewer_planets_than_folds():
    assert sorted(assign_folds([7, 8], 5, seed=1)) == [0, 1]
    assert len(assign_folds([], 5, seed=1)) == 0
