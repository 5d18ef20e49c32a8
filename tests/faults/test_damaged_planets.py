"""Planets damaged in their files: every one has an answer, wide or flagged where it is wrong.

``benchmarks/faults.py`` measures all kinds.
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.prediction.inference import infer
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.prediction.predict import predict_planets
from spectramind_kit.prediction.spectrum import rung_of
from spectramind_kit.prediction.trained_model import load_model

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TRIED = {
    "AIRS-CH0 signal missing": "one channel",
    "FGS1 signal: half": "one channel",
    "AIRS-CH0 flat missing": "one channel",
    "AIRS-CH0 signal of another planet": None,
    "channels swapped": "population",
    "AIRS-CH0 dark: one number -1e4": "fit",
    "FGS1 read: all NaN": None,
    "AIRS-CH0 signal: a third of the pixels zero": None,
    "FGS1 dead: everywhere": None,
    "AIRS-CH0 linear_corr: times a thousand": None,
}
"""Kinds of damage, and the rung that must answer where that is certain."""


@pytest.fixture(scope="module")
def faults():
    """All kinds of damage by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import damaged_files

        yield {fault.name: fault for fault in damaged_files.FAULTS}
    sys.modules.pop("damaged_files", None)


def test_there_are_at_least_eighty_kinds(faults):
    assert len(faults) >= 80


@pytest.mark.parametrize("name", TRIED)
def test_a_damaged_planet_is_answered_and_not_confidently_wrong(name, faults, competition, trained_work, tmp_path):
    data = tmp_path / "data"
    skip = shutil.ignore_patterns("train")
    shutil.copytree(competition.data, data, ignore=skip, copy_function=os.link)
    other, own = sorted((data / "test").iterdir(), key=lambda p: -len(list(p.glob("*signal*"))))
    faults[name].damage(own, other, np.random.default_rng(3))
    model = load_model(trained_work / "model")
    task = PlanetTask(data, tmp_path / "work", "test", competition.config)
    inferred = infer(task.measure(int(own.name)), model.training_set.population())
    (spectrum,) = predict_planets(model, trained_work / "model", [inferred], competition.config)
    assert TRIED[name] in (None, rung_of(spectrum)), spectrum.problems
    ids, truth = read_spectra(data / "truth" / "test.csv")
    z = np.abs(spectrum.mean - truth[ids.tolist().index(int(own.name))]) / spectrum.sigma
    assert z.max() < 6.0 or spectrum.flags or spectrum.problems
    assert z.max() < 15.0, "flags and all"
