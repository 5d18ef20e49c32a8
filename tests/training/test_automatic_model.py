"""``model=auto``: what it becomes by device and number of planets, and that sizes which were set stay."""

import dataclasses
import logging

import pytest

from spectramind_kit.config import load_config
from spectramind_kit.training import automatic_model
from spectramind_kit.training.automatic_model import FEWEST_PLANETS_ON_A_CPU, with_chosen_model


@pytest.fixture
def chosen(monkeypatch):
    """The model for a device, a number of planets and overrides."""

    def choose(device, n_planet, *overrides):
        monkeypatch.setattr(automatic_model, "chosen_device", lambda training: device)
        return with_chosen_model(load_config(overrides), n_planet).model

    return choose


def test_the_shipped_model_is_chosen_by_device_and_planets(chosen):
    assert chosen("cuda", 2) == load_config(["model=v50"]).model
    assert chosen("cpu", FEWEST_PLANETS_ON_A_CPU) == load_config(["model=v50_small"]).model
    assert chosen("cpu", FEWEST_PLANETS_ON_A_CPU - 1) == load_config(["model=none"]).model


def test_the_choice_is_told_in_one_line(chosen, caplog):
    with caplog.at_level(logging.INFO):
        chosen("cpu", 40)
    (said,) = caplog.messages
    assert said.startswith("model=auto: the fit alone; 40 training planets are too few")


def test_sizes_that_were_set_stay(chosen):
    small = load_config(["model=v50_small"]).model
    assert chosen("cpu", 500, "model.d_model=8", "model.heads=2") == dataclasses.replace(small, d_model=8, heads=2)


@pytest.mark.parametrize("name", ["none", "v50", "v50_small", "thang_do_duc"])
def test_a_model_that_was_asked_for_stays(chosen, name):
    for device in ("cpu", "cuda"):
        assert chosen(device, 2, f"model={name}") == load_config([f"model={name}"]).model


def test_training_and_submission_go_by_the_choice(competition, tmp_path):
    from spectramind_kit import runs
    from spectramind_kit.prediction.trained_model import load_model

    config = dataclasses.replace(competition.config, model=load_config(["training.device=cpu"]).model)
    assert config.model.kind == "auto"
    runs.train(competition.data, tmp_path, config)
    assert load_model(tmp_path / "model").kind == "none"
    assert {spectrum.source for spectrum in runs.submit(competition.data, tmp_path, config).spectra} == {"fit"}
