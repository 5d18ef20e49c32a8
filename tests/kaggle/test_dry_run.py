"""A rehearsal with a tiny kernel: what the session can see and do, what the verdict says of it."""

import dataclasses
import json

import pytest
from tiny_packages import KERNEL, write_kernel

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle import dry_run, isolation
from spectramind_kit.kaggle.dataset import write_dataset
from spectramind_kit.kaggle.dry_run import SOCKETS, rehearse
from spectramind_kit.kaggle.wheelhouse import read_built

OFFICIAL = ["adc_info.csv", "sample_submission.csv", "test"]


@pytest.fixture
def dataset(tmp_path, target, config):
    """The tiny dataset, built."""
    out = tmp_path / "dataset"
    write_dataset({target.name: read_built(target)}, [target], out, config)
    return out


@pytest.fixture
def stage(kernel, competition, dataset, target, tmp_path, config):
    """Arguments of a rehearsal."""
    arguments = {"kernel": kernel, "data": competition, "datasets": [dataset], "work": tmp_path / "work"}
    return {**arguments, "config": config, "wheels": target.folder.parent}


def test_rehearsal_in_namespaces(stage, tmp_path):
    if isolation.offline_means() is None:
        pytest.skip("this system allows no mount and network namespaces")
    verdict = rehearse(**stage, parameters={"value": 0.25})
    work, seen = tmp_path / "work", json.loads((tmp_path / "work/rehearsal/working/seen.json").read_text())

    assert verdict.passed, verdict.table()
    assert verdict.submission == work / "submission.csv"
    assert verdict.submission.read_text().splitlines()[1] == "1,0.25,0.25"
    assert (work / "tiny.ipynb").is_file() and "0.25" in (work / "tiny.html").read_text()
    assert (work / "seen.json").is_file() and not (work / "__notebook__.ipynb").exists()
    assert verdict.offline in isolation.NAMESPACES
    assert set(verdict.seconds) == {"venv", "install", "run", "total"} and min(verdict.seconds.values()) > 0
    # No truth, no network, no way to write into the inputs, nothing that the image lacks.
    assert seen["files"] == OFFICIAL
    assert seen["mount"] == "competitions/tiny-competition"
    assert seen["network"] == "OSError" and seen["name"] == "gaierror"
    assert seen["write"] == "OSError"
    assert seen["image"] == {"numpy": True, "hydra": False, "torch_geometric": False}
    assert seen["rerun"] == "1"
    assert not (stage["data"] / "written.txt").exists()


def test_rehearsal_where_sockets_are_refused(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(dry_run, "offline_means", lambda: None)
    stage["config"] = dataclasses.replace(stage["config"], layout="flat")
    verdict = rehearse(**stage)
    seen = json.loads((tmp_path / "work/rehearsal/working/seen.json").read_text())

    assert verdict.passed, verdict.table()
    assert verdict.offline == SOCKETS
    assert seen["mount"] == "tiny-competition" and seen["files"] == OFFICIAL
    assert seen["network"] == "OSError" and seen["name"] == "OSError"


def test_kernel_that_raises_fails_with_its_words(stage, tmp_path):
    stage["kernel"] = write_kernel(tmp_path / "broken", KERNEL + "\n# %%\nraise ValueError('the star went out')\n")
    verdict = rehearse(**stage)

    assert not verdict.passed
    assert "the star went out" in verdict.table() and verdict.submission is None
    assert verdict.notebook.is_file()


def test_kernel_without_its_dataset_fails(stage, tmp_path):
    empty = tmp_path / "another-dataset"
    empty.mkdir()
    (empty / "readme.txt").write_text("no wheel here")
    verdict = rehearse(**{**stage, "datasets": [empty]})

    assert not verdict.passed and verdict.submission is None
    assert "on Kaggle also: somebody/tiny-wheels" in verdict.table()


def test_invalid_submission_fails_and_is_not_handed_out(stage, tmp_path):
    verdict = rehearse(**stage, parameters={"value": -1.0})

    assert not verdict.passed and verdict.submission is None
    assert "finite number above 0" in verdict.table()
    assert not (tmp_path / "work" / "submission.csv").exists()


def test_unknown_parameter_is_refused_before_anything_runs(stage, tmp_path):
    with pytest.raises(PackagingError, match="among.*value.*got.*vlaue"):
        rehearse(**stage, parameters={"vlaue": 1.0})
    assert not (tmp_path / "work").exists()


def test_work_inside_the_competition_is_refused(stage):
    with pytest.raises(PackagingError, match="outside the competition"):
        rehearse(**{**stage, "work": stage["data"] / "work"})


def test_missing_dataset_is_refused(stage, tmp_path):
    with pytest.raises(PackagingError, match="build it first"):
        rehearse(**{**stage, "datasets": [tmp_path / "nothing"]})


def test_time_is_projected_to_the_hidden_test_set(tmp_path, config):
    sample = tmp_path / "sample_submission.csv"
    sample.write_text("planet_id,wl_1\n1,1\n2,1\n")
    seconds = {"venv": 5.0, "install": 10.0, "run": 60.0, "total": 95.0}
    check = dry_run.time_check(seconds, sample, dataclasses.replace(config, rerun_planets=1000))

    assert check.state == "ok" and "8.34 h" in check.detail
    slow = dataclasses.replace(config, rerun_planets=1000, hours=8.3)
    assert dry_run.time_check(seconds, sample, slow).state == "FAILED"
