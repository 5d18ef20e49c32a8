"""The record of a run: what was asked for and what came of it, however it ended, and never in the run's way."""

import dataclasses
import hashlib
import json
import logging

import pytest

from spectramind_kit import __version__
from spectramind_kit.files import dvc_entry, sha256_of
from spectramind_kit.work_folder import run_record
from spectramind_kit.work_folder.manifest import read_events, read_lines
from spectramind_kit.work_folder.provenance import config_hash
from spectramind_kit.work_folder.run_record import recorded


def manifest_of(work):
    (folder,) = (work / "runs").iterdir()
    return folder, json.loads((folder / "manifest.json").read_text())


def test_a_manifest_holds_what_is_needed_to_make_the_outputs_again(tmp_path, config):
    work, data = tmp_path / "work", tmp_path / "data"
    (work / "model").mkdir(parents=True)
    data.mkdir()
    table = data / "adc_info.csv"
    table.write_text("gain\n0.4369\n")
    with recorded(work, "train", config, data=data, split="train") as run:
        run.inputs(table, data / "none.csv")
        table.write_text("changed since")
        (work / "model" / "model.npz").write_bytes(b"weights")
        (work / "model" / ".half").write_bytes(b"being written")
        run.outputs(work / "model", work / "none.csv")
        run.facts(planets=2, score=float("nan"))
        run.metrics(score=0.5, other=float("nan"))
        run.publish(work / "manifest.json")
    folder, manifest = manifest_of(work)
    assert (manifest["status"], manifest["command"], manifest["run"]) == ("done", "train", folder.name)
    assert manifest["arguments"] == {"data": "../data", "split": "train"}
    md5 = hashlib.md5(b"gain\n0.4369\n").hexdigest()
    assert manifest["inputs"] == {"../data/adc_info.csv": {"md5": md5, "size": 12}}
    assert manifest["outputs"] == {"model/model.npz": hashlib.sha256(b"weights").hexdigest()}
    assert manifest["config"] == json.loads(json.dumps(dataclasses.asdict(config)))
    assert (manifest["config_hash"], manifest["kit_version"]) == (config_hash(config), __version__)
    assert manifest["planets"] == 2 and manifest["score"] is None and manifest["seconds"] >= 0
    assert set(manifest["environment"]["packages"]) >= {"numpy", "torch", "polars", "numba"}
    assert json.loads((folder / "metrics.json").read_text()) == {"score": 0.5, "other": None}
    assert (work / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert (work / "latest" / "train" / "metrics.json").read_bytes() == (folder / "metrics.json").read_bytes()
    (event,) = read_events(work)
    assert (event["stage"], event["run"], event["planets"]) == ("train", folder.name, 2)


@pytest.mark.parametrize(
    "error, status",
    [(ValueError("no light"), "failed"), (KeyboardInterrupt(), "interrupted"), (SystemExit(1), "interrupted")],
)
def test_a_run_that_does_not_end_well_says_so(tmp_path, config, error, status):
    with pytest.raises(type(error)), recorded(tmp_path, "train", config):
        raise error
    _, manifest = manifest_of(tmp_path)
    assert manifest["status"] == status and manifest["outputs"] == {} and not read_events(tmp_path)
    assert ("no light" in manifest["problem"]) == (status == "failed")


def test_a_run_that_is_killed_has_a_manifest_all_the_same(tmp_path, config):
    with recorded(tmp_path, "train", config):
        assert manifest_of(tmp_path)[1]["status"] == "running"


def test_stages_and_log_are_kept_and_the_log_is_the_callers_again(tmp_path, config, caplog):
    log = logging.getLogger("spectramind_kit.anything")
    with caplog.at_level(logging.INFO), recorded(tmp_path, "train", config) as run, run.stage("fits"):
        log.warning("no light of %s", "planet 7")
    log.warning("nobody's")
    folder, _ = manifest_of(tmp_path)
    first, second = read_lines(folder / "log.jsonl")
    assert (first["level"], first["message"]) == ("WARNING", "no light of planet 7")
    assert second["stage"] == "fits" and second["seconds"] >= 0
    assert not logging.getLogger("spectramind_kit").handlers


def test_runs_of_one_second_have_folders_of_their_own(tmp_path, config, monkeypatch):
    monkeypatch.setattr(run_record.time, "strftime", lambda _: "now")
    for _ in range(3):
        with recorded(tmp_path, "train", config):
            pass
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["now-train", "now-train-2", "now-train-3"]


@pytest.mark.parametrize("broken", ["_new_folder", "_write_json", "sha256_of", "code_hash", "append_line", "dvc_entry"])
def test_a_run_goes_on_that_cannot_be_recorded(tmp_path, config, monkeypatch, caplog, broken):
    def burst(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_record, broken, burst)
    output = tmp_path / "submission.csv"
    with recorded(tmp_path, "submit", config) as run:
        output.write_text("1\n")
        run.inputs(output)
        run.outputs(output)
        with run.stage("planets"):
            logging.getLogger("spectramind_kit").warning("a line")
        run.publish(tmp_path / "manifest.json")
    assert output.read_text() == "1\n" and ("the run goes on" in caplog.text) == (broken != "append_line")


def test_a_folder_has_the_md5_that_dvc_gives_it(tmp_path):
    """As `dvc add` of DVC 3.67 writes it for these files."""
    for name, text in {"b.csv": "2\n", "a/c.csv": "1\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert dvc_entry(tmp_path) == {"md5": "949fce977ae6a56f68444a65ae90a336.dir", "size": 4, "nfiles": 2}


def test_a_very_large_folder_is_recorded_by_names_and_sizes(tmp_path, monkeypatch):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.parquet").write_bytes(b"12345")
    small = run_record.input_entry(tmp_path / "frames")
    monkeypatch.setattr(run_record, "MOST_BYTES_READ", 4)
    large = run_record.input_entry(tmp_path / "frames")
    assert small["md5"].endswith(".dir") and "md5" not in large and (large["size"], large["nfiles"]) == (5, 1)
    (tmp_path / "frames" / "2.parquet").write_bytes(b"")
    assert run_record.input_entry(tmp_path / "frames")["listing"] != large["listing"]


def test_a_file_has_the_md5_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert dvc_entry(tmp_path / "a") == {"md5": hashlib.md5(b"abc").hexdigest(), "size": 3}
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
