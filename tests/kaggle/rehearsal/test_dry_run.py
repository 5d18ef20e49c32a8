"""A dry run of a tiny kernel: what the session can read and do, and its verdict."""

import dataclasses
import json
import shutil
from types import SimpleNamespace
from typing import Any

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rehearsal import dry_run, isolation
from spectramind_kit.kaggle.rehearsal.dry_run import SOCKETS, _export_notebook, dry_run_kernel
from spectramind_kit.kaggle.rehearsal.image_environment import make_environment
from spectramind_kit.kaggle.rehearsal.notebook_run import EXECUTED
from spectramind_kit.kaggle.wheels.dataset import write_dataset
from spectramind_kit.kaggle.wheels.targets import load_target
from spectramind_kit.kaggle.wheels.wheelhouse import read_built
from tests.kaggle.tiny_packages import KERNEL, write_kernel

OFFICIAL = ["adc_info.csv", "sample_submission.csv", "test"]


@pytest.fixture
def dataset(tmp_path, target, config):
    """The tiny dataset, built."""
    out = tmp_path / "dataset"
    write_dataset({target.name: read_built(target)}, [target], out, config)
    return out


@pytest.fixture(scope="session")
def image(tmp_path_factory, built):
    """The image's environment of the tiny target, made once."""
    folder, _ = built
    return make_environment(load_target(folder.parent, folder.name), tmp_path_factory.mktemp("image") / "venv")


@pytest.fixture
def copied_image(image, monkeypatch):
    """Copy the environment instead of making it: the same links, in a tenth of the time."""

    def copy(target, folder, exact):
        return dataclasses.replace(image, folder=shutil.copytree(image.folder, folder, symlinks=True))

    monkeypatch.setattr(dry_run, "make_environment", copy)


@pytest.fixture
def stage(kernel, competition, dataset, target, tmp_path, config):
    """Arguments of a rehearsal."""
    arguments = {"kernel": kernel, "data": competition, "datasets": [dataset], "work": tmp_path / "work"}
    return {**arguments, "config": config, "wheels": target.folder.parent}


def test_rehearsal_in_namespaces(stage, tmp_path):
    if isolation.offline_means() is None:
        pytest.skip("this system allows no mount and network namespaces")
    verdict = dry_run_kernel(**stage, parameters={"value": 0.25})
    work, observed = tmp_path / "work", json.loads((tmp_path / "work/rehearsal/working/observed.json").read_text())

    assert verdict.passed, verdict.table()
    assert verdict.submission == work / "submission.csv"
    assert (work / "submission.csv").read_text().splitlines()[1] == "1,0.25,0.25"
    assert (work / "tiny.ipynb").is_file() and "0.25" in (work / "tiny.html").read_text()
    assert (work / "tiny.verdict.txt").read_text() == verdict.table() + "\n"
    assert 10e6 < verdict.memory < 2e9
    assert {row.name: row.state for row in verdict.rows}["fallbacks"] == "note", "no CUDA wheel in the tiny dataset"
    assert (work / "observed.json").is_file() and not (work / "__notebook__.ipynb").exists()
    assert verdict.offline in isolation.NAMESPACES
    assert set(verdict.seconds) == {"venv", "install", "run", "total"} and min(verdict.seconds.values()) > 0
    # No truth, no network, no way to write into the inputs, nothing that the image lacks.
    assert observed["files"] == OFFICIAL
    assert observed["mount"] == "competitions/tiny-competition"
    assert observed["network"] == "OSError" and observed["name"] == "gaierror"
    assert observed["write"] == "OSError"
    assert observed["image"] == {"numpy": True, "hydra": False, "torch_geometric": False}
    assert observed["rerun"] == "1"
    assert not (stage["data"] / "written.txt").exists()


def test_rehearsal_where_sockets_are_refused(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "offline_means", lambda: None)
    stage["config"] = dataclasses.replace(stage["config"], layout="flat")
    verdict = dry_run_kernel(**stage)
    observed = json.loads((tmp_path / "work/rehearsal/working/observed.json").read_text())

    assert verdict.passed, verdict.table()
    assert verdict.offline == SOCKETS
    assert observed["mount"] == "tiny-competition" and observed["files"] == OFFICIAL
    assert observed["network"] == "OSError" and observed["name"] == "OSError"


@pytest.mark.usefixtures("copied_image")
def test_kernel_that_raises_fails_with_its_words(stage, tmp_path):
    stage["kernel"] = write_kernel(tmp_path / "broken", KERNEL + "\n# %%\nraise ValueError('the star went out')\n")
    verdict = dry_run_kernel(**stage)

    assert not verdict.passed
    assert "the star went out" in verdict.table() and verdict.submission is None
    assert verdict.notebook is not None and verdict.notebook.is_file()


@pytest.mark.usefixtures("copied_image")
def test_kernel_without_its_dataset_fails(stage, tmp_path):
    empty = tmp_path / "another-dataset"
    empty.mkdir()
    (empty / "readme.txt").write_text("no wheel here")
    verdict = dry_run_kernel(**{**stage, "datasets": [empty]})

    assert not verdict.passed and verdict.submission is None
    assert "on Kaggle also: somebody/tiny-wheels" in verdict.table()


@pytest.mark.usefixtures("copied_image")
def test_invalid_submission_fails_and_is_not_handed_out(stage, tmp_path):
    verdict = dry_run_kernel(**stage, parameters={"value": -1.0})

    assert not verdict.passed and verdict.submission is None
    assert "finite number above 0" in verdict.table()
    assert not (tmp_path / "work" / "submission.csv").exists()


def test_unknown_parameter_is_refused_before_anything_runs(stage, tmp_path):
    with pytest.raises(PackagingError, match="among.*value.*got.*vlaue"):
        dry_run_kernel(**stage, parameters={"vlaue": 1.0})
    assert not (tmp_path / "work").exists()


def test_work_inside_the_competition_is_refused(stage):
    with pytest.raises(PackagingError, match="outside the competition"):
        dry_run_kernel(**{**stage, "work": stage["data"] / "work"})


def test_missing_dataset_is_refused(stage, tmp_path):
    with pytest.raises(PackagingError, match="build it first"):
        dry_run_kernel(**{**stage, "datasets": [tmp_path / "nothing"]})


@pytest.mark.usefixtures("copied_image")
def test_missing_wheel_fails_and_says_what_to_do(stage, dataset):
    next(dataset.rglob("tiny_spectra-*.whl")).unlink()
    verdict = dry_run_kernel(**stage)

    assert not verdict.passed and verdict.submission is None
    assert "tiny_spectra-1.2-py3-none-any.whl is missing; upload the dataset again" in verdict.table()


@pytest.mark.usefixtures("copied_image")
def test_wheel_that_the_dataset_never_had_fails_at_its_import(stage, dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    manifest["wheels"] = [wheel for wheel in manifest["wheels"] if wheel["name"] != "tiny-spectra"]
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    verdict = dry_run_kernel(**stage)

    assert "No module named 'tiny_spectra'" in verdict.table() and not verdict.passed


@pytest.mark.usefixtures("copied_image")
def test_use_of_the_network_fails_and_is_named(stage, tmp_path):
    ask = "\n# %%\nimport socket\n\nsocket.create_connection(('192.0.2.1', 443), timeout=5)\n"
    stage["kernel"] = write_kernel(tmp_path / "asking", KERNEL + ask)
    verdict = dry_run_kernel(**stage)

    assert not verdict.passed and "it asked for the network, which the rerun has not" in verdict.table()


@pytest.mark.usefixtures("copied_image")
def test_overdrawn_budget_stops_the_run_and_hands_out_no_submission(stage):
    stage["config"] = dataclasses.replace(stage["config"], memory_gb=0.01)
    verdict = dry_run_kernel(**stage)
    failed = {row.name: row.detail for row in verdict.rows if row.state == "FAILED"}

    assert "GB of memory: a session has 0.01 GB" in failed["notebook"] and set(failed) == {"notebook", "memory"}
    assert verdict.submission is None


@pytest.mark.parametrize("text", [None, "", '{"cells": [', "not a notebook"])
def test_half_a_notebook_is_none(tmp_path, text):
    """A session may be ended while its notebook is being saved."""
    (tmp_path / "working").mkdir()
    rehearsal: Any = SimpleNamespace(working=tmp_path / "working")
    if text is not None:
        (rehearsal.working / EXECUTED).write_text(text)
    assert _export_notebook(rehearsal, tmp_path / "submit.ipynb") is None
    assert not (tmp_path / "submit.ipynb").exists()


@pytest.mark.usefixtures("copied_image")
def test_pace_too_slow_for_the_hidden_planets_fails(stage):
    stage["config"] = dataclasses.replace(stage["config"], rerun_planets=10**9)
    verdict = dry_run_kernel(**stage)

    assert [row.name for row in verdict.rows if row.state == "FAILED"] == ["time"]


def test_kernel_with_internet_cannot_be_dry_run(stage, tmp_path):
    path = stage["kernel"] / "kernel-metadata.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "enable_internet": True, "competition_sources": []}))

    with pytest.raises(PackagingError, match="a dry run is offline"):
        dry_run_kernel(**stage)
    assert not (tmp_path / "work").exists()


def test_planets_that_fell_back_are_told(tmp_path):
    (tmp_path / "manifest.json").write_text('{"fallbacks": {"7": "visit 0 is truncated"}}')

    check = dry_run.fallback_note(None, tmp_path)
    assert (check.state, check.detail) == ("note", "1 planets, among them 7: visit 0 is truncated")
