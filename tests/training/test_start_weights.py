"""Weights to start from suit the training that starts from them, or are refused in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.training import start_weights
from spectramind_kit.training.start_weights import RECORD, WEIGHTS, require_start, suited, write_record
from tests.training.random_planets import WAVELENGTH

MODEL = load_config(["model=v50_small"]).model


def suits(model=MODEL, wavelength=WAVELENGTH, edition="2025", settings="abc"):
    return suited(model, wavelength, edition, settings)


@pytest.fixture
def folder(tmp_path):
    """A folder of weights."""
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    write_record(tmp_path, suits(), {"learned_from": [{"folder": "world", "planets": 3}]})
    return tmp_path


def test_weights_suit_their_own_settings_and_whatever_changes_no_weight(folder):
    generation = require_start(folder, suits())
    assert json.loads((folder / RECORD).read_text())["generation"] == generation
    assert require_start(folder, suits(replace(MODEL, members=5, dropout=0.0))) == generation


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"edition": "2024"}, "edition 2024, got 2025"),
        ({"settings": "other"}, "settings other, got abc"),
        ({"wavelength": WAVELENGTH[:-1]}, "wavelengths .*282.*283"),
        ({"wavelength": WAVELENGTH + np.linspace(0.0, 0.1, 283)}, "wavelengths .*4.0"),
        ({"model": replace(MODEL, d_model=64)}, "model {'d_model': 64}, got {'d_model': 32}"),
        ({"model": replace(MODEL, kind="spectramind_kit.model_templates.perceptron:Perceptron")}, "model .*Perceptron"),
    ],
)
def test_what_does_not_suit_is_refused_with_what_is_wanted_and_what_is_there(folder, changed, words):
    with pytest.raises(ConfigurationError, match=f"training.start_from=.*weights of {words}.*pretrain with"):
        require_start(folder, suits(**changed))


def test_inputs_that_the_network_does_not_know_are_refused(folder, monkeypatch):
    monkeypatch.setattr(start_weights, "NODE", ("another",))
    with pytest.raises(ConfigurationError, match="weights of inputs"):
        require_start(folder, suits())


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"sha256": "x"}'])
def test_a_folder_without_a_record_is_refused(folder, content):
    (folder / RECORD).unlink() if content is None else (folder / RECORD).write_text(content)
    with pytest.raises(ConfigurationError, match="spectramind pretrain writes one"):
        require_start(folder, suits())


def test_other_weights_than_the_recorded_ones_are_refused(folder):
    (folder / WEIGHTS).write_bytes(b"others")
    with pytest.raises(ConfigurationError, match="damaged ones, or others"):
        require_start(folder, suits())
    (folder / WEIGHTS).unlink()
    with pytest.raises(ConfigurationError, match="spectramind pretrain writes one"):
        require_start(folder, suits())
