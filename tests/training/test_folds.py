"""Folds: deterministic, balanced, ruled by the seed, no business of the order of planets."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.training.folds import assign_folds, training_folds
from spectramind_kit.work_folder.planet_scores import write_planet_scores

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


def test_frozen_folds_are_those_of_the_file_for_the_planets_that_are_there(tmp_path):
    path = tmp_path / "folds.csv"
    write_planet_scores(path, {}, {7: 0, 8: 1, 9: 2, 4294967311: 1})
    training = replace(load_config().training, folds_file=str(path))
    assert training_folds([8, 7, 4294967311], training, seed=1).tolist() == [1, 0, 1]
    assert training_folds([9, 8], training, seed=2).tolist() == [1, 0], "folds without planets are left out"
    with pytest.raises(CompetitionDataError, match="wanted every planet, got none of .5.; freeze"):
        training_folds([7, 5], training, seed=1)
    with pytest.raises(CompetitionDataError, match="two at least"):
        training_folds([8, 4294967311], training, seed=1)


def test_without_a_file_folds_are_dealt():
    training = load_config().training
    assert (training_folds(list(range(20)), training, 3) == assign_folds(list(range(20)), 5, 3)).all()
    assert training_folds([1, 2], training, 3).max() == 1


def test_the_command_freezes_what_a_training_takes(competition, tmp_path, spectramind):
    out = tmp_path / "new" / "folds.csv"
    status, told, _ = spectramind("folds", "--data", competition.data, "--out", out, "training.folds=2")
    assert status == 0 and "4 planets in 2 folds" in told
    planets = open_competition(competition.data).labels()[0].tolist()
    frozen = load_config([f"training.folds_file={out}"])
    dealt = load_config(["training.folds=2"])
    found, wanted = (training_folds(planets, each.training, dealt.seed) for each in (frozen, dealt))
    assert found.tolist() == wanted.tolist()
