"""What predicts where the trained model cannot: each rung below it answers, and says why it had to."""

import json

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.prediction.stand_ins import COMPETITION_MEAN, population_spectra, usable_model
from spectramind_kit.prediction.trained_model import TrainedModel, save_model
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import no_recalibration


@pytest.fixture
def data(write_competition):
    return write_competition()


@pytest.fixture
def model(data, tmp_path):
    folder = open_competition(data)
    known = TrainingSet(np.arange(3), np.full((3, 283), 0.02), np.zeros(3), folder.wavelength)
    made = TrainedModel(known, fit_calibration(no_recalibration(), 283))
    return save_model(made, tmp_path / "model", edition="2025", settings="abc")


def usable(place, data, config, settings="abc"):
    return usable_model(place, open_competition(data), config.uncertainty, settings)


def test_the_trained_model_is_taken_where_it_fits(model, data, config):
    found = usable(model, data, config)
    assert found.losses == () and found.model.training_set.labels().mean[0] == 0.02


@pytest.mark.parametrize("damage", ["truncated", "other record", "edition", "settings", "wavelengths", "gone"])
def test_one_that_does_not_fit_is_stood_in_for_by_the_labels(model, data, config, damage):
    settings = "another" if damage == "settings" else "abc"
    if damage == "truncated":
        (model / "model.npz").write_bytes((model / "model.npz").read_bytes()[:900])
    elif damage == "gone":
        (model / "model.npz").unlink()
    elif damage == "wavelengths":
        text = (data / "wavelengths.csv").read_text().splitlines()
        (data / "wavelengths.csv").write_text("\n".join([text[0], ",".join(str(0.5 + i / 100) for i in range(283))]))
    else:
        record = json.loads((model / "model.json").read_text())
        record |= {"files": {"model.npz": "0"}} if damage == "other record" else {"edition": "2024"}
        if damage != "settings":
            (model / "model.json").write_text(json.dumps(record))
    found = usable(model, data, config, settings)
    assert len(found.losses) == 1 and found.losses[0].startswith("without the trained model: ")
    assert found.model.kind == "none" and found.model.training_set.labels().mean[0] == pytest.approx(0.0145)
    assert (found.model.sigma_scale > 1.0).all(), "sigmas that nobody checked are not trusted"


def test_without_labels_the_competition_s_numbers_answer(model, data, config):
    (data / "train.csv").write_text("no table")
    (model / "model.npz").unlink()
    found = usable(model, data, config)
    assert found.model is None and len(found.losses) == 2
    (spectrum,) = population_spectra([7], None, config.uncertainty, "no file")
    assert spectrum.planet_id == 7 and spectrum.mean[0] == COMPETITION_MEAN and spectrum.problems == ("no file",)
    assert (spectrum.sigma > 0.01).all()
