"""A network learns from several folders, and a training starts from what it has learned."""

import json
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file

from spectramind_kit import runs
from spectramind_kit.errors import CompetitionDataError, ConfigurationError
from spectramind_kit.kaggle.remote.dataset_push import open_dataset
from spectramind_kit.ledger.recorded_runs import find_runs
from spectramind_kit.ledger.repetition import config_of
from spectramind_kit.training.start_weights import WEIGHTS
from spectramind_kit.training.task import START
from spectramind_kit.work_folder.model_record import read_model_record
from tests.conftest import SMALLEST_NETWORK


def trained_with(competition, **training):
    return replace(competition.config, training=replace(competition.config.training, **training))


@pytest.fixture(scope="module")
def pretrained(competition, tmp_path_factory):
    """Work folder and weights of a network that has learned from two planets of one folder, given twice."""
    work = tmp_path_factory.mktemp("pretrained")
    out, record = runs.pretrain([competition.data] * 2, work, trained_with(competition, max_planets=2))
    return work, out, record


def test_a_network_learns_from_all_folders(pretrained):
    work, out, record = pretrained
    assert out == work / "start" and [each["planets"] for each in record["learned_from"]] == [2, 2]
    assert load_file(out / WEIGHTS)
    (run,) = find_runs([work])
    assert run.manifest["generation"] == record["generation"] and run.manifest["command"] == "pretrain"


def test_a_training_starts_from_it_and_says_so(pretrained, competition, trained_work, tmp_path):
    _, out, record = pretrained
    work = shutil.copytree(trained_work, tmp_path / "work", ignore=shutil.ignore_patterns("runs"))
    weights = work / "model" / "networks" / "fold0_0.safetensors"
    without = weights.read_bytes()
    runs.train(competition.data, work, trained_with(competition, start_from=str(out)))
    assert weights.read_bytes() != without
    assert read_model_record(work / "model")["start_from"] == record["generation"]
    (run,) = find_runs([work])
    assert run.manifest["start_from"]["generation"] == record["generation"]
    assert config_of(run).training.start_from == str(out.resolve())


def test_weights_that_do_not_suit_are_refused_before_a_planet_is_fitted(pretrained, competition, tmp_path):
    config = trained_with(competition, start_from=str(pretrained[1]))
    config = replace(config, fit=replace(config.fit, drift_order=config.fit.drift_order + 1))
    with pytest.raises(ConfigurationError, match="weights of settings"):
        runs.train(competition.data, tmp_path, config)
    assert not (tmp_path / "fits").exists()


def test_folders_of_two_editions_are_refused(competition, write_competition, tmp_path):
    other = write_competition(edition="2024")
    with pytest.raises(CompetitionDataError, match="wanted edition 2025"):
        runs.pretrain([competition.data, other], tmp_path / "work", competition.config)


@pytest.mark.parametrize("kind", ["none", "thang_do_duc", "sklearn.linear_model:Ridge"])
def test_only_networks_have_weights_to_start_from(competition, tmp_path, kind):
    config = replace(competition.config, model=replace(competition.config.model, kind=kind))
    with pytest.raises(ConfigurationError, match="wanted a network, .*got"):
        runs.pretrain([competition.data], tmp_path, config)
    assert not (tmp_path / "pretraining").exists()


def test_the_command_leaves_a_dataset_that_can_be_pushed_and_the_same_again_trains_nothing(
    pretrained, competition, spectramind
):
    work, out, record = pretrained
    weights = work / "pretraining" / f"{START.name}.safetensors"
    before = weights.stat().st_mtime_ns
    words = ["pretrain", "--data", competition.data, "--data", competition.data, "--work", work, "--json"]
    settings = [*SMALLEST_NETWORK, "workers=1", "training.max_planets=2", "kaggle.owner=me"]
    status, shown, err = spectramind(*words, *settings)
    assert status == 0, err
    answered = json.loads(shown)
    assert answered["planets"] == 4 and answered["generation"] == record["generation"]
    assert weights.stat().st_mtime_ns == before
    plan = open_dataset(out).plan()
    assert plan["dataset"] == "me/spectramind-start" and set(plan["bytes before packing"]) == {WEIGHTS, "start.json"}
