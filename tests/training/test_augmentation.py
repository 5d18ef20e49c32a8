"""Examples that the competition did not give: made once, and again when code or labels change."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import FitError
from spectramind_kit.prediction.measure import PlanetTask, VisitProducts
from spectramind_kit.prediction.trained_model import TrainedModel, load_model
from spectramind_kit.prediction.training_set import TrainingSet, store_training_set
from spectramind_kit.training import augmentation
from spectramind_kit.training.augmentation import InjectedPlanets, simulated_examples
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import no_recalibration
from spectramind_kit.work_folder import provenance
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
    training_set = TrainingSet(ids, EXAMPLES.truth, EXAMPLES.fold, EXAMPLES.wavelength)
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


class TestInjectedPlanets:
    @pytest.fixture
    def task(self, competition, trained_work, tmp_path):
        """The session's training planets, with two injections each, on a copy of their products."""
        for kind in ("fits", "light_curves"):
            shutil.copytree(trained_work / kind, tmp_path / kind)
        training = replace(competition.config.training, injections=2)
        return PlanetTask(competition.data, tmp_path, "train", replace(competition.config, training=training))

    @pytest.fixture
    def inject(self, task, competition, trained_work, monkeypatch):
        """Inject into a planet, and return the light curves that would be fitted and the spectra in them."""
        monkeypatch.setattr(augmentation, "_inferred", lambda planet, visits, config, population: visits)
        labels = load_model(trained_work / "model").training_set
        ids = tuple(int(planet) for planet in labels.planet_ids)

        def inject(planet):
            known = store_training_set(labels, task.work / "training")
            return InjectedPlanets(task, ids, labels.spectra, labels.spectra, known)(ids.index(planet))

        return inject

    @pytest.fixture
    def twice(self, competition):
        """A training planet with two visits."""
        return next(int(p.name) for p in (competition.data / "train").iterdir() if len(list(p.glob("*signal*"))) == 4)

    def test_a_planets_files_are_hashed_once_for_all_its_injections(self, inject, task, twice, monkeypatch):
        hashed = []
        original = provenance.fingerprint
        monkeypatch.setattr(provenance, "fingerprint", lambda path: hashed.append(path) or original(path))
        (first, spectrum), (second, other) = inject(twice)
        assert sorted(hashed) == sorted((task.data / "train" / str(twice)).rglob("*.parquet"))
        assert len(first) == len(second) == 2 and not np.array_equal(spectrum, other)
        assert not np.array_equal(first[0].flux, second[0].flux)

    def test_a_visit_without_a_fit_is_left_out(self, inject, twice, monkeypatch):
        def fitted(products):
            if products.observation.visit == 1:
                raise FitError("light curves", wanted="a transit", got="none")
            return original.func(products)

        original = VisitProducts.__dict__["fit"]
        monkeypatch.setattr(VisitProducts, "fit", property(fitted))
        assert [len(curves) for curves, _ in inject(twice)] == [1, 1]

    def test_a_planet_without_any_gives_no_example(self, inject, task, twice, monkeypatch):
        monkeypatch.setattr(PlanetTask, "fitted_visits", lambda task, planet: [])
        assert inject(twice) == []


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
