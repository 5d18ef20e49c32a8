"""Learning from held-out planets: a network is heard where it knows better, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import infer_planets, predict_planets
from spectramind_kit.prediction.trained_model import Model
from spectramind_kit.products import DepthEstimate, Planet
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.held_out import infer_held_out, learn_model
from spectramind_kit.uncertainty.recalibration import no_recalibration

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
    return Model(ids, spectra, fold, WAVELENGTH, no_recalibration().table(), 0)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A model of planets whose features tell the error of their fit."""
    work = tmp_path_factory.mktemp("told")
    config = load_config(TINY)
    measured, spectra = planets(told=True)
    labels = labels_of(measured, spectra)
    model = learn_model(labels, infer_held_out(labels, measured), PlanetTask(work, work, "train", config), "2025")
    return model, work, config


def test_a_network_that_knows_better_is_heard_and_scores_higher(told):
    model, _, _ = told
    assert model.kind == "v50" and (model.share > 0).all()
    assert model.score > model.fit_score + 0.02


def test_it_helps_on_new_planets_too(told):
    model, work, config = told
    measured, truth = planets(told=True, n=12, first=1000, seed=5)
    inferred = infer_planets(model, measured)
    spectra = predict_planets(model, work / "model", inferred, config)
    alone = predict_planets(replace(model, kind="none"), work / "model", inferred, config)
    assert {s.source for s in spectra} == {"network"} and {s.source for s in alone} == {"fit"}
    error, before = (np.mean([(s.mean - y) ** 2 for s, y in zip(each, truth)]) for each in (spectra, alone))
    assert error < 0.7 * before


def test_networks_that_are_lost_leave_the_fit(told, tmp_path, caplog):
    model, _, config = told
    measured, _ = planets(told=True, n=2, first=1000)
    spectra = predict_planets(model, tmp_path, infer_planets(model, measured), config)
    assert {s.source for s in spectra} == {"fit"} and "the fit answers alone" in caplog.text


def test_a_planet_that_was_not_measured_is_the_populations(told):
    model, work, config = told
    measured, _ = planets(told=True, n=2, first=1000)
    measured[1001] = Measurement(1001, None, ("no light",))
    spectra = predict_planets(model, work / "model", infer_planets(model, measured), config)
    assert [s.source for s in spectra] == ["network", "population"]


def test_a_network_that_knows_nothing_is_not_heard(tmp_path):
    config = load_config([*TINY, "training.epochs=8"])
    measured, spectra = planets(told=False)
    labels = labels_of(measured, spectra)
    task = PlanetTask(tmp_path, tmp_path, "train", config)
    model = learn_model(labels, infer_held_out(labels, measured), task, "2025")
    assert model.score >= model.fit_score - 1e-9
    assert (model.share == 0).all() or model.score > model.fit_score + 1e-3


def test_without_a_network_the_fit_is_all_there_is(tmp_path):
    measured, spectra = planets(told=True, n=9)
    labels = labels_of(measured, spectra)
    task = PlanetTask(tmp_path, tmp_path, "train", load_config([*TINY, "model.kind=none"]))
    model = learn_model(labels, infer_held_out(labels, measured), task, "2025")
    assert model.kind == "none" and model.score == model.fit_score and not model.share.any()
    assert not (tmp_path / "model").exists()


def test_one_label_teaches_nothing(tmp_path):
    measured, spectra = planets(told=True, n=1)
    labels = labels_of(measured, spectra, folds=1)
    assert infer_held_out(labels, measured).inferred == ()


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
    held_out = infer_held_out(labels, measured)
    model = learn_model(labels, held_out, PlanetTask(tmp_path, tmp_path, "train", config), "2025")
    assert model.kind == kind and (model.share == 1).all() and not model.network_recalibration.any()
    answered = predict_planets(model, tmp_path / "model", held_out.inferred, config)
    assert {s.source for s in answered} == {"network"}
    assert len({round(float(s.sigma[5]), 9) for s in answered}) <= 2


def test_conformal_factors_cover_new_planets_as_asked(tmp_path):
    config = load_config(["model=none", "uncertainty.scale_sigma=false", "uncertainty.conformal=0.8"])
    measured, spectra = planets(told=True, n=90)
    labels = labels_of(measured, spectra)
    task = PlanetTask(tmp_path, tmp_path, "train", config)
    model = learn_model(labels, infer_held_out(labels, measured), task, "2025")
    new, truth = planets(told=True, n=60, first=1000, seed=5)
    scaled, plain = (
        predict_planets(each, tmp_path, infer_planets(each, new), config)
        for each in (model, replace(model, conformal=np.ones(len(WAVELENGTH))))
    )
    covered, before = (
        np.mean([np.abs(s.mean - y) <= 1.2816 * s.sigma for s, y in zip(each, truth)]) for each in (scaled, plain)
    )
    assert abs(covered - 0.8) < 0.08 < abs(before - 0.8)  # sigmas say 1 where errors are 2, and planets err as one
    assert model.score > model.fit_score
