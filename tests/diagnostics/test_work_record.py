"""What a work folder remembers: the configuration of the products, rungs, failures, stages, training curves."""

import json

import pytest

from spectramind_kit.diagnostics.work_record import read_work_record
from spectramind_kit.flags import Flag
from spectramind_kit.work_folder.run_record import EVENTS, recorded


@pytest.fixture
def work(tmp_path):
    """A work folder of a training and a submission, whose planets stand on every rung."""
    remarks = {"2": f"{Flag.ROBUST_FIT}", "3": f"{Flag.FGS1_MISSING}; more", "4": "without the network: too late"}
    manifest = {"config": {"fit": {"drift_order": 4}}, "fallbacks": {"1": "no light"}, "remarks": remarks}
    (tmp_path / "manifest.json").write_text(
        json.dumps(manifest | {"losses": ["no model"], "environment": {"cores": 2}})
    )
    events = [
        {"time": "2026-11-29T14:00:00", "stage": "train", "problems": {"7": "old"}, "seconds": 1.0},
        {"time": "2026-11-29T15:00:00", "stage": "train", "problems": {"8": "a visit lost"}, "seconds": 60.0},
        {"time": "2026-11-29T15:01:00", "stage": "calibrate", "split": "test", "seconds": 2.0},
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events) + '{"torn')
    for name, status, order in (("1-train", "done", 3), ("2-train", "done", 2), ("3-train", "failed", 9)):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        run = {"command": "train", "status": status, "config": {"fit": {"drift_order": order}}}
        (folder / "manifest.json").write_text(json.dumps(run))
    stage = {"time": "2026-11-29T14:59:00", "stage": "posteriors", "seconds": 9.0}
    log = {"time": "2026-11-29T14:59:01", "level": "INFO", "message": "a line"}
    (folder / EVENTS).write_text(json.dumps(stage) + "\n" + json.dumps(log) + "\n" + '{"torn')
    return tmp_path


def test_the_configuration_is_that_of_the_last_run_that_was_done(work):
    made = read_work_record(work).configurations
    assert {name: each["fit"]["drift_order"] for name, each in made.items()} == {"train": 2, "submit": 4}


def test_every_planet_stands_on_its_rung(work):
    (work / "model").mkdir()
    facts = {"kit_version": "0", "kind": "v50", "network_share": {"FGS1": 0.5, "AIRS-CH0": 0.0}}
    (work / "model" / "model.json").write_text(json.dumps(facts))
    record = read_work_record(work)
    rungs = {planet: record.rung("test", planet) for planet in range(1, 6)}
    assert rungs == {1: "population", 2: "robust fit", 3: "one channel", 4: "fit", 5: "network"}
    assert record.rung("train", 1) == "network"


def test_failures_are_those_of_the_last_runs(work):
    failures = read_work_record(work).failures
    planets = [("train", "8", "a visit lost"), ("submit", "all", "no model"), ("submit", "1", "no light")]
    assert [each for each in failures if each != ("train", "all", "it failed")] == planets and len(failures) == 4
    run = work / "runs" / "3-train" / "manifest.json"
    run.write_text(json.dumps(json.loads(run.read_text()) | {"problem": "no space left"}))
    assert ("train", "all", "no space left") in read_work_record(work).failures


def test_stages_have_their_seconds(work):
    stages = [(name, seconds) for _, name, seconds in read_work_record(work).stages]
    assert stages == [("train", 1.0), ("train: posteriors", 9.0), ("train", 60.0), ("calibrate test", 2.0)]


def test_an_empty_folder_remembers_nothing(tmp_path):
    record = read_work_record(tmp_path)
    assert record.configurations == {} and record.failures == [] and record.network == "none"
    (tmp_path / "manifest.json").write_text("not json")
    assert read_work_record(tmp_path).environment == {}


def test_stages_are_found_where_a_run_writes_them(tmp_path, config):
    with recorded(tmp_path, "train", config) as run, run.stage("posteriors"):
        pass
    assert [name for _, name, _ in read_work_record(tmp_path).run_stages] == ["train: posteriors"]
