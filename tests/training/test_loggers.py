"""Curves of a training: a CSV always, other loggers where wanted, nothing sent anywhere unasked."""

import pytest
from pytorch_lightning import loggers as lightning_loggers

from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.training import feasibility
from spectramind_kit.training.feasibility import refuse_impossible
from spectramind_kit.training.loggers import training_loggers
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


@pytest.mark.parametrize("mode, offline", [(None, True), ("offline", True), ("disabled", True), ("online", False)])
def test_weights_and_biases_stays_offline_unless_it_is_told_otherwise(monkeypatch, tmp_path, mode, offline):
    made = []
    monkeypatch.setattr(lightning_loggers, "WandbLogger", lambda name, **options: made.append((name, options)))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if mode is not None:
        monkeypatch.setenv("WANDB_MODE", mode)
    training_loggers(wanted("wandb"), tmp_path, "fold0_0")
    ((name, options),) = made
    assert name == "fold0_0" and options["offline"] is offline and options["save_dir"] == tmp_path / "logs"


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
