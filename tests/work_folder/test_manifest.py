"""What a work folder remembers: events in order, and a configuration without what is a user's own."""

import dataclasses
import json

import pytest

from spectramind_kit.config import load_config
from spectramind_kit.work_folder.manifest import read_events, record_event, shareable_config


def test_events_come_back_in_order(tmp_path):
    work = tmp_path / "new" / "work"
    assert read_events(work) == []
    record_event(work, "calibrate", planets=3, problems={4294967311: "no file"})
    record_event(work, "train", score=float("nan"))
    first, second = read_events(work)
    assert (first["stage"], first["planets"], first["problems"]) == ("calibrate", 3, {"4294967311": "no file"})
    assert second["stage"] == "train" and first["time"] <= second["time"]


@pytest.mark.parametrize("torn", ['{"time": "2026-11-28T23:59:59", "stage": "calib', "[]", "\x00\x00", "no json"])
def test_a_torn_line_is_no_event_and_swallows_none(tmp_path, torn):
    record_event(tmp_path, "calibrate", planets=3)
    with open(tmp_path / "events.jsonl", "a") as file:
        file.write(torn)
    assert [event["stage"] for event in read_events(tmp_path)] == ["calibrate"]
    record_event(tmp_path, "train", planets=3)
    assert [event["stage"] for event in read_events(tmp_path)] == ["calibrate", "train"]


def test_free_text_of_a_user_is_not_recorded(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "ghp_secret")
    config = load_config(["scheduler=${oc.env:SOME_TOKEN}", "kaggle.owner=ada", "seed=5", "fit.drift_order=3"])
    shown = shareable_config(config)
    assert "ghp_secret" not in json.dumps(shown) and "ada" not in json.dumps(shown)
    assert (shown["seed"], shown["fit"]["drift_order"], shown["executor"]) == (5, 3, "processes")
    assert shareable_config(load_config()) == dataclasses.asdict(load_config())
