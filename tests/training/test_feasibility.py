"""What cannot come to its end does not begin: packages and devices that are wanted at the end are looked for first."""

import pytest

from spectramind_kit import runs
from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.training import feasibility
from spectramind_kit.training.feasibility import refuse_impossible


def test_what_can_be_done_is_not_refused():
    for overrides in (["model=none"], ["model=v50_small", "training.device=cpu", "training.devices=2"], []):
        refuse_impossible(load_config(overrides))


@pytest.mark.parametrize("model", ["v50", "thang_do_duc"])
def test_a_network_wants_its_packages(monkeypatch, model):
    monkeypatch.setattr(feasibility, "find_spec", lambda package: None)
    refuse_impossible(load_config(["model=none"]))
    with pytest.raises(ConfigurationError, match=f"model={model}: wanted the package torch, got none; pip install"):
        refuse_impossible(load_config([f"model={model}"]))


@pytest.mark.parametrize("model", ["none", "thang_do_duc", "sklearn.linear_model:Ridge"])
def test_weights_to_start_from_want_a_network(model):
    for network in ("auto", "v50_small"):
        refuse_impossible(load_config([f"model={network}", "training.start_from=weights"]))
    kind = f"model.kind={model}" if ":" in model else f"model={model}"
    with pytest.raises(ConfigurationError, match=f"training.start_from: wanted a network to start, got model={model}"):
        refuse_impossible(load_config([kind, "training.start_from=weights"]))


def test_an_encoder_is_not_learned_over_weights_to_start_from():
    overrides = ["model=v50_small", "training.start_from=weights", "training.pretraining_epochs=3"]
    with pytest.raises(ConfigurationError, match="pretraining_epochs=0.*got 3"):
        refuse_impossible(load_config(overrides))


def test_more_devices_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(feasibility, "chosen_device", lambda config: "cuda")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ConfigurationError, match="at most the 1 CUDA devices"):
        refuse_impossible(load_config(["model=v50", "training.devices=2"]))


def test_a_training_is_refused_before_a_planet_is_fitted(competition, tmp_path, monkeypatch):
    def refuse(config):
        raise ConfigurationError("training", wanted="a device", got="none")

    monkeypatch.setattr(runs, "refuse_impossible", refuse)
    with pytest.raises(ConfigurationError, match="a device"):
        runs.train(competition.data, tmp_path, competition.config)
    assert not list(tmp_path.iterdir())
