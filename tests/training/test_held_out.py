"""Learning from held-out planets: a network is heard where it knows better, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.metric import score, unclipped_score
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import predict_planets
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.products import DepthEstimate, Planet
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.held_out import held_out_planets, learn_model
from spectramind_kit.uncertainty.blending import WEIGHTS
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])
N_PLANET, SIGMA = 36, 2e-4
TINY = ("model=v50_small", "model.d_model=8", "model.heads=2", "model.d_state=2", "model.time_layers=1")
TINY += ("model.graph_layers=1", "model.patch=10", "model.dropout=0", "loss=gll", "training.device=cpu", "workers=1")
TINY += ("training.epochs=40", "training.batch_size=8", "training.learning_rate=1e-2", "training.average_decay=0.8")
TINY += ("training.folds=3", "training.time_flip=0", "training.validation_share=0")


def planets(told: bool, n=N_PLANET, first=0, seed=0):
    """Measurements whose level is off by two sigmas, which the features tell or do not; and the truths."""
    rng = np.random.default_rng(seed)
    measured, spectra = {}, []
    for planet in range(first, first + n):
        level = rng.uniform(0.008, 0.02)
        truth = level * (1.0 + 0.01 * np.sin(WAVELENGTH * rng.uniform(1.0, 3.0)))
        error, hint = rng.standard_normal(), rng.standard_normal()
        depth = truth + SIGMA * (2.0 * error + 0.3 * rng.standard_normal(len(truth)))
        covariance = SIGMA**2 * (0.09 * np.eye(len(truth)) + 1.0)
        context = (error if told else hint) + 0.3 * rng.standard_normal(len(VISIT_CONTEXT))
        visit = VisitFeatures(
            rng.standard_normal((20, len(SEQUENCE))).astype(np.float32),
            rng.standard_normal((len(truth), len(VISIT_NODE))).astype(np.float32),
            context.astype(np.float32),
            np.zeros((2, 2)),
        )
        estimate = DepthEstimate(planet, depth, covariance, 1)
        measured[planet] = Measurement(planet, estimate, (), Planet(planet), (visit,))
        spectra.append(truth)
    return measured, np.array(spectra)


def labels_of(measured, spectra, folds=3):
    ids = np.array(list(measured))
    fold = assign_folds(ids.tolist(), folds, 0)
    return TrainingSet(ids, spectra, fold, WAVELENGTH)


def inferred_by(labels, measured):
    """Inferences of planets, each with the population of the folds that do not hold it."""
    populations = {fold: labels.population(fold) for fold in {labels.fold_of(planet) for planet in measured}}
    return [infer(one, populations[labels.fold_of(planet)]) for planet, one in measured.items()]


def held_out_of(labels, measured):
    return held_out_planets(labels, inferred_by(labels, measured))


def learned(labels, measured, work, config, edition="2025"):
    return learn_model(labels, held_out_of(labels, measured), PlanetTask(work, work, "train", config), edition)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A model of planets whose features tell the error of their fit."""
    work = tmp_path_factory.mktemp("told")
    config = load_config(TINY)
    measured, spectra = planets(told=True)
    labels = labels_of(measured, spectra)
    model, _ = learned(labels, measured, work, config)
    return model, work, config


def test_a_network_that_knows_better_counts_and_scores_higher(told):
    model, _, _ = told
    assert model.kind == "v50" and (model.calibration.blending_weight > 0).all()
    assert model.score > model.fit_score + 0.02


def test_what_the_fit_alone_predicts_is_kept_beside_a_network_and_nowhere_else(told, tmp_path):
    model, work, _ = told
    ids, mean, sigma = submission_arrays(read_submission(WorkFolder(work).predictions_of_the_fit))
    rows = [model.training_set.planet_ids.tolist().index(planet) for planet in ids]
    arrays = model.training_set.spectra[rows], mean, sigma
    assert score(*arrays, model.training_set.labels().naive) == pytest.approx(model.fit_score, abs=1e-6)
    left = WorkFolder(tmp_path).predictions_of_the_fit
    left.parent.mkdir()
    left.write_text("of another training")
    measured, spectra = planets(told=True, n=9)
    learned(labels_of(measured, spectra), measured, tmp_path, load_config([*TINY, "model.kind=none"]))
    assert not left.exists()


def test_it_helps_on_new_planets_too(told):
    model, work, config = told
    measured, truth = planets(told=True, n=12, first=1000, seed=5)
    inferred = inferred_by(model.training_set, measured)
    spectra = predict_planets(model, work / "model", inferred, config)
    alone = predict_planets(replace(model, kind="none"), work / "model", inferred, config)
    assert {s.source for s in spectra} == {"network"} and {s.source for s in alone} == {"fit"}
    error, before = (np.mean([(s.mean - y) ** 2 for s, y in zip(each, truth)]) for each in (spectra, alone))
    assert error < 0.7 * before


def test_networks_that_are_lost_leave_the_fit(told, tmp_path, caplog):
    model, _, config = told
    measured, _ = planets(told=True, n=2, first=1000)
    spectra = predict_planets(model, tmp_path, inferred_by(model.training_set, measured), config)
    assert {s.source for s in spectra} == {"fit"} and "the fit predicts alone" in caplog.text


def test_a_planet_that_was_not_measured_is_the_populations(told):
    model, work, config = told
    measured, _ = planets(told=True, n=2, first=1000)
    measured[1001] = Measurement(1001, None, ("no light",))
    spectra = predict_planets(model, work / "model", inferred_by(model.training_set, measured), config)
    assert [s.source for s in spectra] == ["network", "population"]


def test_a_network_that_knows_nothing_does_not_count(tmp_path):
    config = load_config([*TINY, "training.epochs=8"])
    measured, spectra = planets(told=False)
    labels = labels_of(measured, spectra)
    model, _ = learned(labels, measured, tmp_path, config)
    weight = model.calibration.blending_weight
    # One standard error is what a weight must prove, so the smallest may pass by chance; planets that had no part in
    # the proof must lose nothing by it.
    assert weight.max() <= min(WEIGHTS)
    assert model.score >= model.fit_score - 1e-9


def test_without_a_network_the_fit_is_all_there_is(tmp_path):
    measured, spectra = planets(told=True, n=9)
    labels = labels_of(measured, spectra)
    model, _ = learned(labels, measured, tmp_path, load_config([*TINY, "model.kind=none"]))
    assert model.kind == "none" and model.score == model.fit_score and not model.calibration.blending_weight.any()
    assert not (tmp_path / "model").exists()


def test_one_label_teaches_nothing(tmp_path):
    measured, spectra = planets(told=True, n=1)
    labels = labels_of(measured, spectra, folds=1)
    assert len(held_out_of(labels, measured)) == 0


@pytest.mark.parametrize("kind", ["fawad_awan_spectrum_regressor"])
def test_a_public_baseline_answers_by_itself(tmp_path, kind):
    from spectramind_kit.public_baselines.front_end import FEATURE_NAMES

    measured, spectra = planets(told=True, n=24)
    for place, (planet, one) in enumerate(measured.items()):
        level = 1e4 * spectra[place].mean()
        public = {name: 1.0 for name in FEATURE_NAMES} | {FEATURE_NAMES[0]: level}
        measured[planet] = replace(one, public=np.array(list(public.values())))
    labels = labels_of(measured, spectra)
    config = load_config([f"model={kind}", "workers=1"])
    held_out = held_out_of(labels, measured)
    model, spectra = learn_model(labels, held_out, PlanetTask(tmp_path, tmp_path, "train", config), "2025")
    assert model.kind == kind and (model.calibration.blending_weight == 1).all()
    assert not model.calibration.network_recalibration.coefficients.any()
    again = predict_planets(model, tmp_path / "model", held_out.inferred, config)
    assert {s.source for s in again} == {"network"}
    assert len({round(float(s.sigma[5]), 9) for s in again}) <= 2
    np.testing.assert_array_equal([s.mean for s in again], [s.mean for s in spectra])


def test_conformal_factors_cover_new_planets_as_asked(tmp_path):
    config = load_config(["model=none", "uncertainty.scale_sigma=false", "uncertainty.conformal=0.8"])
    measured, spectra = planets(told=True, n=90)
    labels = labels_of(measured, spectra)
    model, _ = learned(labels, measured, tmp_path, config)
    new, truth = planets(told=True, n=60, first=1000, seed=5)
    scaled, plain = (
        predict_planets(each, tmp_path, inferred_by(labels, new), config)
        for each in (
            model,
            replace(model, calibration=replace(model.calibration, conformal=np.ones(len(WAVELENGTH)))),
        )
    )
    covered, before = (
        np.mean([np.abs(s.mean - y) <= 1.2816 * s.sigma for s, y in zip(each, truth)]) for each in (scaled, plain)
    )
    assert abs(covered - 0.8) < 0.08 < abs(before - 0.8)  # sigmas say 1 where errors are 2, and planets err as one
    assert model.score > model.fit_score


class TestHeldOutIsHeldOut:
    """No planet's own label reaches its own held-out spectrum through what calibrates it."""

    CONFIGS = (["model=none"], ["model=none", "uncertainty.conformal=0.7"])

    @pytest.mark.parametrize("overrides", CONFIGS)
    def test_a_label_that_changes_leaves_its_own_row_as_it_was(self, tmp_path, overrides):
        measured, spectra = planets(told=False, n=24)
        labels = labels_of(measured, spectra)
        held_out = held_out_of(labels, measured)
        task = PlanetTask(tmp_path, tmp_path, "train", load_config(overrides))
        other = held_out.truth.copy()
        other[5] *= 1.2
        rows = {}
        for name, truth in (("before", held_out.truth), ("after", other)):
            _, found = learn_model(replace(labels, spectra=truth), replace(held_out, truth=truth), task, "2025")
            rows[name] = np.array([np.concatenate([s.mean, s.sigma]) for s in found])
        same = (rows["before"] == rows["after"]).all(axis=1)
        own = held_out.fold == held_out.fold[5]
        assert same[own].all() and not same[~own].any()

    def test_new_planets_are_calibrated_by_all_labels(self, tmp_path):
        measured, spectra = planets(told=False, n=24)
        labels = labels_of(measured, spectra)
        model, _ = learned(labels, measured, tmp_path, load_config(["model=none"]))
        ours = model.calibration.recalibration.coefficients
        parts = [each.recalibration.coefficients for each in model.fold_calibrations]
        assert len(parts) == 3 and all(not np.array_equal(ours, part) for part in parts)
        assert model.calibration_of(999) is model.calibration
        assert model.calibration_of(3) is model.fold_calibrations[labels.fold_of(3)]

    def test_a_recalibration_that_fits_noise_does_not_raise_the_score(self, tmp_path):
        """Permuted truths, and sigmas as large as the errors: there is nothing to learn, only labels to peep at."""
        free = ["model=none", "uncertainty.prior_planets=1e-3", "uncertainty.minimum_scale=0.05"]
        gains = {"held out": [], "by its own label": []}
        for seed in range(12):
            measured, spectra = planets(told=False, n=9, seed=seed)
            labels = labels_of(measured, spectra)
            held_out = held_out_of(labels, measured)
            truth = np.random.default_rng(seed).permutation(spectra)
            sigma = np.full(len(WAVELENGTH), np.sqrt(np.mean((truth - spectra) ** 2)))
            inferred = tuple(
                replace(
                    one, posterior=replace(one.posterior, sigma=sigma), labels=replace(one.labels, spread=9.0 * sigma)
                )
                for one in held_out.inferred
            )
            held_out = replace(held_out, inferred=inferred, truth=truth)
            task = PlanetTask(tmp_path, tmp_path, "train", load_config(free))
            model, _ = learn_model(labels, held_out, task, "2025")
            means = {
                "untouched": np.tile(sigma, (9, 1)),
                "held out": sigmas(predict_planets(model, tmp_path, inferred, task.config)),
                "by its own label": sigmas(
                    predict_planets(replace(model, fold_calibrations=()), tmp_path, inferred, task.config)
                ),
            }
            mean = np.array([one.posterior.mean for one in inferred])
            reached = {name: unclipped_score(truth, mean, each, labels.labels().naive) for name, each in means.items()}
            for name, gained in gains.items():
                gained.append(reached[name] - reached["untouched"])
        assert np.mean(gains["held out"]) < 0.0 < np.mean(gains["by its own label"])

    def test_the_score_is_that_of_the_spectra_that_are_written(self, tmp_path):
        measured, spectra = planets(told=False, n=24)
        labels = labels_of(measured, spectra)
        for edition in ("2025", "2024"):
            model, found = learned(labels, measured, tmp_path, load_config(["model=none"]), edition)
            mean = np.array([s.mean for s in found])
            assert model.score == score(spectra, mean, sigmas(found), labels.labels().naive, edition)


def sigmas(spectra):
    return np.array([each.sigma for each in spectra])


def test_an_interrupted_training_of_networks_leaves_the_model_of_the_fit(tmp_path, monkeypatch):
    config, kept = load_config(TINY), []

    def interrupted(*_):
        assert [model.kind for model in kept] == ["none"], "it is kept before the networks train"
        raise KeyboardInterrupt

    monkeypatch.setattr("spectramind_kit.training.held_out._train_networks", interrupted)
    measured, spectra = planets(told=True, n=6)
    labels = labels_of(measured, spectra)
    task = PlanetTask(tmp_path, tmp_path, "train", config)
    with pytest.raises(KeyboardInterrupt):
        learn_model(labels, held_out_of(labels, measured), task, "2025", keep=kept.append)
    assert kept[0].n_measured == 6 and np.isfinite(kept[0].score)
