"""Examples that the competition did not give: made once, and again when code or labels change."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import TrainingSet, no_darkening
from spectramind_kit.training import augmentation
from spectramind_kit.training.augmentation import simulated_examples
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import no_recalibration
from spectramind_kit.work_folder.provenance import PACKAGE, code_hash
from tests.training.random_planets import random_examples

EXAMPLES = random_examples(6)


@pytest.fixture
def made(monkeypatch):
    """Calls that made examples."""
    calls = []

    def make(*arguments):
        calls.append(arguments)
        return EXAMPLES

    monkeypatch.setattr(augmentation, "_examples", make)
    return calls


@pytest.fixture
def labels():
    ids = np.arange(6)
    training_set = TrainingSet(ids, EXAMPLES.truth, EXAMPLES.fold, EXAMPLES.wavelength, *no_darkening(6))
    return TrainedModel(training_set, fit_calibration(no_recalibration(), len(EXAMPLES.wavelength)))


def test_examples_are_made_once(made, labels, tmp_path):
    config = load_config(["training.simulated_planets=6"])
    first, second = (simulated_examples(labels, tmp_path, config) for _ in range(2))
    assert len(made) == 1 and first.content_hash() == second.content_hash()


def test_edited_code_makes_examples_again_and_removes_the_old_ones(made, labels, tmp_path, monkeypatch):
    config = load_config(["training.simulated_planets=6"])
    simulated_examples(labels, tmp_path, config)
    monkeypatch.setattr(augmentation, "code_hash", lambda *modules: "edited")
    simulated_examples(labels, tmp_path, config)
    assert len(made) == 2 and len(list((tmp_path / "training").glob("simulated-*.npz"))) == 1


def test_other_labels_make_examples_again(made, labels, tmp_path):
    config = load_config(["training.simulated_planets=6"])
    simulated_examples(labels, tmp_path, config)
    other = replace(labels.training_set, spectra=1.01 * labels.training_set.spectra)
    simulated_examples(replace(labels, training_set=other), tmp_path, config)
    assert len(made) == 2


@pytest.mark.parametrize(
    "edited", ["training/injection.py", "simulation/light_curves.py", "fitting/posterior.py", "features/planet.py"]
)
def test_the_code_of_examples_is_all_that_makes_them(edited, tmp_path):
    copy = shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    module = "spectramind_kit.training.augmentation"
    assert code_hash(module, package=copy) == code_hash(module)
    other = shutil.copytree(copy, tmp_path / "other" / PACKAGE.name)
    with open(other / edited, "a") as file:
        file.write("# edited\n")
    assert code_hash(module, package=other) != code_hash(module)
