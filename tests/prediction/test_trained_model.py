"""The model: populations that never saw the planet's label, and the way to files and back."""

import json

import numpy as np
import pytest

from spectramind_kit.errors import CompetitionDataError, ProductError
from spectramind_kit.prediction.trained_model import Model, load_model, save_model

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
PLANETS = np.array([4294967311, 7, 34983, 5, 6, 8])


def model(fold=(0, 0, 1, 1, 2, 2), score=0.5):
    level = np.arange(1, len(fold) + 1)[:, None] / 100
    spectra = np.repeat(level, 283, axis=1)
    table = np.zeros((2, 7))
    table[:, 0], table[:, 4] = np.log([1.5, 1.2]), -3.0
    star = np.random.default_rng(0).normal(0, 0.02, (len(fold), 6, 2))
    star[..., 1] = 0.1
    told = star, np.tile(1e-3 * np.eye(6), (len(fold), 1, 1))
    return Model(PLANETS[: len(fold)], spectra, np.array(fold), WAVELENGTH, table, 4, score, *told)


def test_a_training_planet_is_judged_by_the_other_folds():
    population = model().population_without(34983)
    np.testing.assert_allclose(population.mean, np.mean([0.01, 0.02, 0.05, 0.06]))


def test_a_star_says_nothing_of_its_own_limb_darkening():
    one = model()
    own, others = one.population_without(34983).darkening, one.population_without(99).darkening
    assert not np.allclose(own.mean, others.mean)
    assert model(fold=(0,)).population().darkening.scatter.shape == (6,)


def test_a_planet_without_label_is_judged_by_all():
    np.testing.assert_allclose(model().population_without(99).mean, 0.035)


def test_one_fold_cannot_be_held_out():
    np.testing.assert_allclose(model(fold=(0, 0, 0)).population_without(7).mean, 0.02)


@pytest.mark.parametrize("score", [0.5, float("nan")])
def test_files_and_back(tmp_path, score):
    original = model(score=score)
    folder = save_model(original, tmp_path / "model")
    back = load_model(folder)
    for name in ("planet_ids", "spectra", "fold", "wavelength", "recalibration", "darkening", "darkening_covariance"):
        np.testing.assert_array_equal(getattr(back, name), getattr(original, name))
    assert back.n_measured == 4 and (back.score == score or np.isnan(score))
    facts = json.loads((folder / "model.json").read_text())
    assert facts["out_of_fold_score"] == (None if np.isnan(score) else 0.5)
    assert facts["sigma_scale"] == {"FGS1": 1.5, "AIRS-CH0": 1.2}
    assert facts["n_planets"] == 6


def test_no_model_and_a_damaged_one_are_named(tmp_path):
    with pytest.raises(CompetitionDataError, match="run `spectramind train` first"):
        load_model(tmp_path)
    save_model(model(), tmp_path)
    path = tmp_path / "model.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CompetitionDataError, match="model.npz: wanted a trained model.*train` again"):
        load_model(tmp_path)


def test_labels_must_match_planets():
    with pytest.raises(ProductError, match="Model.spectra"):
        Model(PLANETS, np.ones((2, 283)), np.zeros(6), WAVELENGTH, np.zeros((2, 7)), 0, 0.0)
