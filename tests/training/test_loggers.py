"""Curves of a training: a CSV always, other loggers where wanted, nothing sent anywhere unasked."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pytorch_lightning import loggers as lightning_loggers

from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.training import feasibility, loggers
from spectramind_kit.training.feasibility import refuse_impossible
from spectramind_kit.training.loggers import ended_afterwards, training_loggers
from spectramind_kit.work_folder.learning_curves import read_learning_curves


def wanted(logger):
    return load_config([f"training.logger={logger}"]).training


def test_every_network_has_a_csv_of_its_own_and_a_resumed_one_a_further(tmp_path):
    for version in range(2):
        (csv,) = training_loggers(wanted("csv"), tmp_path, "fold0_0")
        csv.log_metrics({"loss": -1.0 - version, "epoch": version}, step=3 + 4 * version)
        csv.log_metrics({"score": 0.5 + 0.1 * version, "epoch": version}, step=3 + 4 * version)
        csv.save()
    curves = read_learning_curves(tmp_path / "logs")
    assert curves.rows() == [("fold0_0", 0, 3, -1.0, 0.5), ("fold0_0", 1, 7, -2.0, 0.6)]


def test_networks_without_held_back_planets_have_no_score_and_half_a_file_no_curve(tmp_path):
    (csv,) = training_loggers(wanted("csv"), tmp_path, "fold0_0")
    csv.log_metrics({"loss": -1.0, "epoch": 0}, step=3)
    csv.save()
    broken = tmp_path / "logs" / "fold1_0" / "version_0" / "metrics.csv"
    broken.parent.mkdir(parents=True)
    broken.write_text("")
    assert read_learning_curves(tmp_path / "logs").rows() == [("fold0_0", 0, 3, -1.0, None)]
    assert read_learning_curves(tmp_path / "none").columns == ["network", "epoch", "step", "loss", "score"]


class RecordedWandb:
    """Stands in for Lightning's logger: what it was asked for, and whether its run was ended."""

    made: ClassVar[list] = []

    def __init__(self, name, **options):
        self.name, self.options, self.ended = name, options, 0
        self.experiment = self
        self.made.append(self)

    def finish(self):
        self.ended += 1


@pytest.fixture
def wandb_runs(monkeypatch):
    """The loggers of Weights & Biases that are made."""
    monkeypatch.setattr(loggers, "WandbLogger", RecordedWandb)
    monkeypatch.setattr(RecordedWandb, "made", [])
    return RecordedWandb.made


@pytest.mark.parametrize(
    "asked, mode", [(None, "offline"), ("offline", "offline"), ("disabled", "disabled"), ("online", "online")]
)
def test_weights_and_biases_stays_offline_unless_it_is_told_otherwise(monkeypatch, tmp_path, wandb_runs, asked, mode):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if asked is not None:
        monkeypatch.setenv("WANDB_MODE", asked)
    training_loggers(wanted("wandb"), tmp_path, "fold0_0")
    (made,) = wandb_runs
    assert made.name == "fold0_0" and made.options["mode"] == mode and made.options["save_dir"] == tmp_path / "logs"


def test_a_run_elsewhere_ends_with_its_network_however_that_ends(tmp_path, wandb_runs):
    with ended_afterwards(training_loggers(wanted("wandb"), tmp_path, "fold0_0")):
        pass
    with pytest.raises(KeyboardInterrupt), ended_afterwards(training_loggers(wanted("wandb"), tmp_path, "fold1_0")):
        raise KeyboardInterrupt
    assert [(each.name, each.ended) for each in wandb_runs] == [("fold0_0", 1), ("fold1_0", 1)]


def test_a_run_that_the_caller_began_is_left_open(monkeypatch, tmp_path, wandb_runs):
    logger = training_loggers(wanted("wandb"), tmp_path, "fold0_0")[1]
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=logger))
    with ended_afterwards([logger]):
        pass
    assert wandb_runs[0].ended == 0


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed: pip install 'spectramind-kit[loggers]'")
def test_every_network_has_a_run_of_its_own_in_weights_and_biases(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    for network in ("fold0_0", "fold1_0"):
        written = training_loggers(wanted("wandb"), tmp_path, network)
        with ended_afterwards(written):
            written[1].log_metrics({"loss": -1.0, "epoch": 0}, step=3)
    assert len(list((tmp_path / "logs" / "wandb").glob("offline-run-*/*.wandb"))) == 2
    assert "WANDB_MODE" not in os.environ


@pytest.mark.skipif(
    find_spec("tensorboard") is None, reason="tensorboard is not installed: pip install 'spectramind-kit[loggers]'"
)
def test_tensorboard_has_the_curves_beside_the_csv(tmp_path):
    _, board = training_loggers(wanted("tensorboard"), tmp_path, "fold0_0")
    board.log_metrics({"loss": -1.0, "epoch": 0}, step=3)
    board.save()
    board.finalize("success")
    read = import_module("tensorboard.backend.event_processing.event_accumulator").EventAccumulator(board.log_dir)
    assert [(event.step, event.value) for event in read.Reload().Scalars("loss")] == [(3, -1.0)]


def test_tensorboard_is_asked_for_by_its_name(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(lightning_loggers, "TensorBoardLogger", lambda *place, **options: made.append((place, options)))
    assert len(training_loggers(wanted("tensorboard"), tmp_path, "fold0_0")) == 2
    assert made == [((tmp_path / "logs",), {"name": "fold0_0", "version": 0})]


@pytest.mark.parametrize("logger", ["tensorboard", "wandb"])
def test_a_logger_that_is_not_installed_is_refused_before_the_work(monkeypatch, logger):
    there = feasibility.find_spec
    monkeypatch.setattr(feasibility, "find_spec", lambda package: None if package == logger else there(package))
    with pytest.raises(ConfigurationError, match=f"training.logger={logger}: wanted the package {logger}"):
        refuse_impossible(load_config(["model=v50_small", f"training.logger={logger}"]))
