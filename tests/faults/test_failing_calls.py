"""The n-th call of the operating system fails: a valid file is there, or the run was refused before it did anything."""

import dataclasses
import os
import shutil
import sys
from pathlib import Path

import pytest

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.execution import supervisor
from spectramind_kit.prediction import planets
from spectramind_kit.work_folder.submission import read_submission, validate_submission

TURNS = {
    "open to write": (1, 2, 5),
    "open to read": (1, 3, 9),
    "write": (1, 2, 7),
    "replace": (1, 3),
    "fsync": (1, 3),
    "mkdir": (1, 2),
    "unlink": (1, 2),
    "list": (1, 4),
    "stat": (1, 2, 130),
    "read parquet": (1, 2),
}
"""Which calls fail; ``benchmarks/faults.py --failing-calls`` takes every one."""
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def failing_call():
    """The layer between us and the operating system."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import failing_calls

        yield failing_calls.failing_call
    sys.modules.pop("failing_calls", None)


@pytest.fixture
def submit(competition, trained_work, tmp_path):
    """A run of two planets whose products are there already."""
    model = dataclasses.replace(competition.config.model, kind="none")
    config = dataclasses.replace(competition.config, model=model)
    work = tmp_path / "work"
    for part in ("light_curves", "fits"):
        shutil.copytree(trained_work / part, work / part, copy_function=os.link)
    sample = open_competition(competition.data).sample_submission()

    def run(workers=1):
        summary = runs.submit(
            competition.data, work, dataclasses.replace(config, workers=workers), model=trained_work / "model"
        )
        validate_submission(read_submission(work / "submission.csv"), sample)
        return summary

    def valid():
        validate_submission(read_submission(work / "submission.csv"), sample)
        return True

    run.valid = valid
    return run


@pytest.mark.parametrize("kind", TURNS)
def test_every_call_may_fail(kind, submit, failing_call):
    for turn in TURNS[kind]:
        with failing_call(kind, turn) as call:
            try:
                submit()
            except SpectraMindError as error:
                refused = str(error)
            else:
                refused = ""
        assert "work folder" in refused or submit.valid(), (kind, turn)
        if not call.failed:
            break
    assert turn > 1, "no such call was made"


def test_no_process_can_be_started(submit, monkeypatch, caplog):
    def refused(*_, **__):
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(supervisor.subprocess, "Popen", refused)
    monkeypatch.setattr(planets, "FEW", 0)  # planets that are only read are read in this process anyway
    summary = submit(workers=2)
    assert summary.fallbacks == {} and "in this process" in caplog.text
