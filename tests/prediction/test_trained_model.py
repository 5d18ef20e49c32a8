"""The model: populations that never saw the planet's label, and the way to files and back."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import CompetitionDataError, ProductError
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement
from spectramind_kit.prediction.trained_model import TrainedModel, load_model, save_model
from spectramind_kit.prediction.training_set import TrainingSet, store_training_set
from spectramind_kit.products import DepthEstimate
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import Recalibration

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
PLANETS = np.array([4294967311, 7, 34983, 5, 6, 8])


def training_set(fold=(0, 0, 1, 1, 2, 2)):
    level = np.arange(1, len(fold) + 1)[:, None] / 100
    priors = tuple(nuisance(mean) for mean in range(max(fold) + 2))
    return TrainingSet(PLANETS[: len(fold)], np.repeat(level, 283, axis=1), np.array(fold), WAVELENGTH, priors)


def nuisance(mean):
    return NuisancePrior(("airs_u1", "drift_fgs1/1"), np.array([mean, 0.0]), np.eye(2), {"drift": 0.3, "noise": 0.3})


def calibration(fgs1=1.5, airs=1.2):
    coefficients = np.zeros((2, 4))
    coefficients[:, 0] = np.log([fgs1, airs])
    return fit_calibration(Recalibration(coefficients, np.full(2, -3.0), np.zeros((2, 2))), 283)


def model(score=0.5):
    parts = tuple(calibration(fgs1) for fgs1 in (2.0, 3.0, 4.0))
    return TrainedModel(training_set(), calibration(), parts, 4, score)


@pytest.fixture
def stored(tmp_path):
    return store_training_set(training_set(), tmp_path)


def test_a_training_planet_is_judged_by_the_other_folds(stored):
    labels = stored.population_without(34983).labels
    np.testing.assert_allclose(labels.mean, np.mean([0.01, 0.02, 0.05, 0.06]))
    assert model().calibration_of(34983).recalibration.coefficients[0, 0] == np.log(3.0)


def test_a_star_says_nothing_of_its_own_limb_darkening(stored):
    assert stored.population_without(34983).nuisance.mean[0] == 1.0, "its own fold's"
    assert stored.population_without(99).nuisance.mean[0] == 3.0, "that of all"
    assert training_set(fold=(0, 0)).population(0).nuisance.mean[0] == 1.0, "a single fold cannot be held out"
    assert replace(training_set(), nuisance=()).population().nuisance is None


def test_priors_of_too_few_folds_are_refused():
    with pytest.raises(ProductError, match="none or 4"):
        replace(training_set(), nuisance=(nuisance(0.0),))


def test_a_planet_without_label_is_judged_by_all(stored):
    np.testing.assert_allclose(stored.population_without(99).labels.mean, 0.035)
    assert model().calibration_of(99).recalibration.coefficients[0, 0] == np.log(1.5)


def test_one_fold_cannot_be_held_out():
    np.testing.assert_allclose(training_set(fold=(0, 0, 0)).labels(0).mean, 0.02)


def test_a_population_is_learned_once_a_process_and_written_once(stored, tmp_path):
    assert stored.population(1) is stored.population(1)
    before = stored.path.stat().st_mtime_ns
    assert store_training_set(training_set(), tmp_path) == stored and stored.path.stat().st_mtime_ns == before
    other = replace(training_set(), spectra=training_set().spectra * 1.1)
    assert store_training_set(other, tmp_path).population(1) is not stored.population(1)


def test_an_inference_carries_no_covariance(stored):
    estimate = DepthEstimate(7, np.full(283, 0.02), np.eye(283) * 1e-8, 1)
    inference = infer(Measurement(7, estimate), stored.population_without(7))
    assert len(pickle.dumps(inference)) < 30_000


@pytest.mark.parametrize("score", [0.5, float("nan")])
def test_files_and_back(tmp_path, score):
    original = model(score=score)
    folder = save_model(original, tmp_path / "model")
    back = load_model(folder)
    for name in ("planet_ids", "spectra", "fold", "wavelength"):
        np.testing.assert_array_equal(getattr(back.training_set, name), getattr(original.training_set, name))
    for ours, theirs in zip(back.training_set.nuisance, original.training_set.nuisance, strict=True):
        assert ours.names == theirs.names and ours.spread == theirs.spread
        np.testing.assert_array_equal(ours.mean, theirs.mean)
        np.testing.assert_array_equal(ours.covariance, theirs.covariance)
    pairs = zip((back.calibration, *back.fold_calibrations), (original.calibration, *original.fold_calibrations))
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours.recalibration.coefficients, theirs.recalibration.coefficients)
        np.testing.assert_array_equal(ours.blending_weight, theirs.blending_weight)
    assert len(back.fold_calibrations) == 3
    assert back.n_measured == 4 and (back.score == score or np.isnan(score))
    facts = json.loads((folder / "model.json").read_text())
    assert facts["out_of_fold_score"] == (None if np.isnan(score) else 0.5)
    assert facts["sigma_scale"] == {"FGS1": 1.5, "AIRS-CH0": 1.2}
    assert facts["n_planets"] == 6 and facts["network_share"] == {"FGS1": 0.0, "AIRS-CH0": 0.0}


def test_a_model_of_an_older_version_is_refused_in_words(tmp_path):
    old = {"planet_ids": PLANETS, "spectra": np.ones((6, 283)), "recalibration": np.zeros((2, 7))}
    rest = json.dumps({"key": "", "fields": {"n_measured": 4, "score": 0.5, "kind": "none"}})
    np.savez(tmp_path / "model.npz", _rest=np.array(rest), **old)
    with pytest.raises(CompetitionDataError, match="older version wrote.*run `spectramind train` again"):
        load_model(tmp_path)


def test_no_model_and_a_damaged_one_are_named(tmp_path):
    with pytest.raises(CompetitionDataError, match="run `spectramind train` first"):
        load_model(tmp_path)
    save_model(model(), tmp_path)
    path = tmp_path / "model.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CompetitionDataError, match="model.npz: wanted a trained model.*train` again"):
        load_model(tmp_path)


def test_labels_must_match_planets():
    with pytest.raises(ProductError, match="TrainingSet.spectra"):
        TrainingSet(PLANETS, np.ones((2, 283)), np.zeros(6), WAVELENGTH)


def test_a_training_set_that_cannot_be_written_is_sent_with_every_planet(tmp_path):
    (tmp_path / "training").write_text("a file where the folder should be")
    stored = store_training_set(training_set(), tmp_path / "training")
    there = pickle.loads(pickle.dumps(stored))
    assert not stored.path.is_file() and there.training_set().content_hash() == stored.key
    assert there.population(1) is there.population(1)
