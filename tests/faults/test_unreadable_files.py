"""Files and folders without permission: a valid file, the rungs below, and the reason in words.

``benchmarks/faults.py --unreadable`` tries each by itself. Root reads everything, so the runs are those of a process
that has given that up.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

PROGRAM = """
import dataclasses, json, sys
from pathlib import Path
from spectramind_kit import runs
from spectramind_kit.config import load_config

data, work, model, probe = map(Path, sys.argv[1:5])
try:
    probe.read_bytes()
    sys.exit("it can be read")
except PermissionError:
    pass
summary = runs.submit(data, work, load_config(sys.argv[5:]), model=model)
print(json.dumps([summary.losses, summary.table().to_dicts()]))
"""
OVERRIDES = ("workers=1", "simulation.airs_average=75", "simulation.fgs1_average=900")


@pytest.fixture(scope="module")
def files():
    """What can be made unreadable, and how."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "benchmarks"))
        import unreadable_files

        yield unreadable_files
    sys.modules.pop("unreadable_files", None)


@pytest.fixture
def submitted(files, competition, trained_work, tmp_path):
    """Submit with some files unreadable; return losses, the summary's rows by planet, and the damaged planet."""
    data, work, model = (tmp_path / name for name in ("data", "work", "model"))
    shutil.copytree(competition.data, data, ignore=shutil.ignore_patterns("train"))
    shutil.copytree(trained_work / "model", model)
    for part in ("light_curves", "fits", "features", "training"):
        shutil.copytree(trained_work / part, work / part)
    planet = int(min((data / "test").iterdir(), key=lambda folder: len(list(folder.iterdir()))).name)

    def run(names, *overrides):
        paths = [path for name in names for path in files.UNREADABLE[name](files.Place(data, work, model, planet))]
        with files.locked(paths):
            arguments = [*map(str, (data, work, model, paths[0])), *OVERRIDES, *overrides]
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, *arguments],
                preexec_fn=files.give_up_reading_all,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                capture_output=True,
                text=True,
            )
        if "it can be read" in done.stderr:
            pytest.skip("this user reads files without permission, and cannot give that up")
        assert done.returncode == 0, done.stderr
        losses, rows = json.loads(done.stdout.splitlines()[-1])
        return losses, {row["planet_id"]: row for row in rows}, planet

    return run


def test_what_may_not_be_read_costs_a_rung_and_is_said(submitted):
    names = ("signal of AIRS-CH0", "star table", "adc_info.csv", "axis_info.parquet", "train.csv", "a stored fit")
    names += ("folder of the training planets", "folder of the stored training set", "networks of the model")
    losses, rows, planet = submitted(names, "model=v50_small")
    own = rows.pop(planet)
    assert own["rung"] == "one channel"
    assert "AIRS-CH0_signal_0.parquet" in own["remark"] and "Permission denied" in own["remark"]
    (other,) = rows.values()
    assert other["rung"] == "fit" and "without the network" in other["remark"]
    assert "star table missing" in other["remark"] and "axes of the training folder" in other["remark"]
    assert [loss.split()[0] for loss in losses] == ["axis_info.parquet", "adc_info.csv"]


def test_a_model_and_products_that_may_not_be_read_are_stood_in_for(submitted):
    names = ("folder of the model", "all products of a planet", "sample_submission.csv")
    losses, rows, _ = submitted(names, "model=none")
    assert [row["rung"] for row in rows.values()] == ["fit", "fit"]
    assert "sample_submission.csv" in losses[0] and "without the trained model" in losses[1]
