"""Models of one's own go the whole way: from a template to a network's weight in held-out scores."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from spectramind_kit import runs
from spectramind_kit.config import load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.metric import unclipped_score
from spectramind_kit.model_templates.template import write_template
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.prediction.predict import predict_planets
from spectramind_kit.prediction.trained_model import TrainedModel, load_model, save_model
from spectramind_kit.training.held_out import held_out_planets, learn_model
from spectramind_kit.uncertainty.posthoc import PosthocCalibration
from spectramind_kit.work_folder.model_record import read_model_record
from spectramind_kit.work_folder.submission import read_submission, validate_submission
from tests.conftest import SMALLEST_NETWORK
from tests.test_kernels import attach, run_notebook
from tests.training.test_held_out import TINY, inferred_by, labels_of, planets

EXAMPLES = {
    "regressor": "spectramind_kit.model_templates.ridge:Ridge",
    "network": "spectramind_kit.model_templates.perceptron:Perceptron",
}


def learned(kind, tmp_path, *more, told=True):
    measured, spectra = planets(told, n=60)
    labels = labels_of(measured, spectra)
    # A perceptron of so few planets soon learns them by heart.
    config = load_config([*TINY, "training.epochs=12", "training.learning_rate=3e-3", f"model.kind={kind}", *more])
    task = PlanetTask(tmp_path, tmp_path / "work", "train", config)
    held_out = held_out_planets(labels, inferred_by(labels, measured))
    model, _ = learn_model(labels, held_out, task, "2025")
    return model, config, tmp_path / "work" / "model"


@pytest.mark.parametrize("sort", EXAMPLES)
def test_one_that_knows_better_is_heard_and_predicts_new_planets_better(sort, tmp_path):
    model, config, folder = learned(EXAMPLES[sort], tmp_path)
    assert model.score > model.fit_score + 0.05
    assert model.calibration.blending_weight.min() > 0.3
    save_model(model, folder)
    new, truth = planets(told=True, n=8, first=1000, seed=5)
    inferred, naive = inferred_by(model.training_set, new), model.training_set.labels().naive
    heard = predict_planets(model, folder, inferred, config)
    unheard = predict_planets(replace(model, kind="none"), folder, inferred, config)
    assert {spectrum.source for spectrum in heard} == {"network"}
    scores = [
        unclipped_score(truth, np.array([s.mean for s in spectra]), np.array([s.sigma for s in spectra]), naive)
        for spectra in (heard, unheard)
    ]
    assert scores[0] > scores[1]


@pytest.mark.parametrize("sort", EXAMPLES)
def test_one_that_knows_nothing_costs_nothing(sort, tmp_path):
    model, *_ = learned(EXAMPLES[sort], tmp_path, told=False)
    assert model.score > model.fit_score - 0.02


def test_a_model_whose_files_were_exchanged_is_not_asked(tmp_path):
    """They are pickles: what is not the model's own is not even read."""
    model, config, folder = learned(EXAMPLES["regressor"], tmp_path)
    save_model(model, folder)
    (folder / "networks" / "fold0.pkl").write_bytes(b"cos\nsystem\n(S'touch " + bytes(tmp_path / "ran") + b"'\ntR.")
    new, _ = planets(told=True, n=2, first=1000)
    heard = predict_planets(model, folder, inferred_by(model.training_set, new), config)
    assert [spectrum.source for spectrum in heard] == ["fit", "fit"]
    assert all("without the network" in " ".join(spectrum.problems) for spectrum in heard)
    assert not (tmp_path / "ran").exists()


def test_options_reach_the_class_and_unknown_ones_are_refused(tmp_path):
    learned(EXAMPLES["regressor"], tmp_path / "good", "model.options={penalties: [10.0]}")
    with pytest.raises(TypeError, match="no_such_option"):
        learned(EXAMPLES["regressor"], tmp_path / "bad", "model.options={no_such_option: 1}")


@pytest.mark.parametrize("name", ["My-Ridge", "1st", "a.b", "Ridge", ""])
def test_a_template_needs_a_name_that_a_module_can_have(name, tmp_path):
    with pytest.raises(SpectraMindError, match="name of a model"):
        write_template(name, "regressor", tmp_path)


def test_a_template_passes_its_own_test_from_another_folder(tmp_path):
    pytest.importorskip("torch")  # the self-test tries the scan, too
    command = [sys.executable, "-m", "spectramind_kit", "new", "my_model"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(SpectraMindError, match="wanted a new file"):
        write_template("my_model", "regressor", tmp_path)
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_model.py"]
    run = subprocess.run(test, cwd=tmp_path, check=False, capture_output=True, text=True, env=os.environ)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


def test_a_kernel_needs_nothing_but_the_model_folder(tmp_path, monkeypatch, competition, trained_work):
    """Trained where the code lies, submitted where it does not, as on Kaggle."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    write_template("brought_ridge", "regressor", here)
    work = tmp_path / "work"
    shutil.copytree(trained_work, work, ignore=shutil.ignore_patterns("model", "submission.csv"))
    config = replace(competition.config.model, kind="brought_ridge:BroughtRidge")
    config = replace(competition.config, model=config)
    monkeypatch.chdir(here)
    model = runs.train(competition.data, work, config)
    assert model.kind == "brought_ridge:BroughtRidge"

    command = [sys.executable, "-m", "spectramind_kit", "submit", "--data", str(competition.data)]
    command += ["--work", str(tmp_path / "session"), "--model", str(work / "model"), *SMALLEST_NETWORK, "workers=1"]
    run = subprocess.run(command, cwd=elsewhere, check=True, capture_output=True, text=True)
    assert "without the network" not in run.stdout + run.stderr
    manifest = json.loads((tmp_path / "session" / "manifest.json").read_text())
    assert not manifest["losses"] and not manifest["fallbacks"]
    # Without the source it is told, and the fit answers alone.
    shutil.rmtree(work / "model" / "networks" / "source")
    run = subprocess.run(command, cwd=elsewhere, check=True, capture_output=True, text=True)
    assert "without the network" in run.stdout + run.stderr


def counted_in_full(folder):
    """Give the model in a folder all the weight: four planets prove nothing, and what it says should be seen."""
    model, record = load_model(folder), read_model_record(folder)

    def full(calibration: PosthocCalibration) -> PosthocCalibration:
        return replace(calibration, blending_weight=np.ones_like(calibration.blending_weight))

    folds = tuple(map(full, model.fold_calibrations))
    model: TrainedModel = replace(model, calibration=full(model.calibration), fold_calibrations=folds)
    save_model(model, folder, edition=record["edition"], settings=record["settings"])


@pytest.mark.parametrize("sort, cls", [("regressor", "CarriedRegressor"), ("network", "CarriedNetwork")])
def test_a_template_goes_the_whole_way_to_a_rehearsed_submission(
    sort, cls, tmp_path, monkeypatch, competition, trained_work, spectramind
):
    """Written, trained, attached, and submitted by the kernel's notebook, where its code does not lie."""
    if sort == "network":
        pytest.importorskip("torch")
    here, elsewhere, work, name = tmp_path / "here", tmp_path / "elsewhere", tmp_path / "work", f"carried_{sort}"
    here.mkdir()
    elsewhere.mkdir()
    status, out, err = spectramind("new", "model", name, "--sort", sort, "--out", here)
    assert status == 0 and f"model.kind={name}:{cls}" in out, err
    shutil.copytree(trained_work, work, ignore=shutil.ignore_patterns("model", "submission.csv", "training"))
    config = replace(competition.config, model=replace(competition.config.model, kind=f"{name}:{cls}"))
    monkeypatch.chdir(here)
    runs.train(competition.data, work, config)
    counted_in_full(work / "model")

    monkeypatch.chdir(elsewhere)
    monkeypatch.delitem(sys.modules, name, raising=False)
    working = attach(tmp_path, monkeypatch, competition.data, work)
    run_notebook("submit")
    manifest = json.loads((working / "manifest.json").read_text())
    assert not manifest["losses"] and not manifest["fallbacks"] and set(manifest["rungs"]) == {"network"}
    sample = pl.read_csv(competition.data / "sample_submission.csv")
    validate_submission(read_submission(working / "submission.csv"), sample)
