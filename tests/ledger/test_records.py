"""Recorded runs found, compared, verified and annotated, as the command line shows them."""

import json
import shutil

import pytest

from spectramind_kit.config import load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.files import sha256_of
from spectramind_kit.ledger.comparison import compare
from spectramind_kit.ledger.recorded_runs import find_run, find_runs, made_by
from spectramind_kit.ledger.verification import verify
from spectramind_kit.work_folder.run_record import recorded
from tests.ledger.recorded import planet_scores, record


@pytest.fixture
def work(tmp_path):
    """Two trainings, the second of which wrote over what the first left, and a run that failed."""
    work, table = tmp_path / "work", tmp_path / "data" / "train.csv"
    table.parent.mkdir()
    table.write_text("1\n")
    record(work, scores=planet_scores(), outputs={"model/model.npz": b"1"}, inputs=[table], data=table.parent)
    overrides = ["fit.drift_order=4"]
    scores = planet_scores(gain=0.05, seed=2)
    record(work, overrides=overrides, scores=scores, outputs={"model/model.npz": b"2"}, inputs=[table])
    with pytest.raises(ValueError, match="no light"), recorded(work, "submit", load_config()):
        raise ValueError("no light")
    return work


def test_runs_are_found_in_order_by_name_command_or_folder(work):
    first, second, third = find_runs([work])
    assert [run.command for run in (first, second, third)] == ["train", "train", "submit"]
    assert find_run([work], "latest") == third == find_run([work], "submit") == find_run([work], str(third.folder))
    assert find_run([work], "train") == second and find_run([work], first.name) == first
    assert (third.status, third.manifest["problem"]) == ("failed", "ValueError: no light")
    with pytest.raises(SpectraMindError, match=f"wanted one run of .*{first.name}"):
        find_run([work], "diagnose")
    with pytest.raises(SpectraMindError, match="run a command of the kit"):
        find_run([work / "nowhere"], "latest")


def test_runs_of_sweeps_are_found_too(work):
    shutil.copytree(work / "runs", work / "sweeps" / "first" / "0" / "runs")
    assert len(find_runs([work])) == 6 and len(find_runs([work, work])) == 6
    assert find_run([work], "first/0/submit").work == work / "sweeps" / "first" / "0"


def test_a_half_written_record_is_no_run(work):
    (work / "runs" / "broken").mkdir()
    (work / "runs" / "broken" / "manifest.json").write_text('{"command": "tr')
    assert len(find_runs([work])) == 3


def test_a_comparison_tells_what_differs_and_how_sure_the_gain_is(work):
    first, second, third = find_runs([work])
    found = compare(second, first)
    assert found.settings == {"fit.drift_order": (4, 5)} and found.inputs == [] and found.surroundings == {}
    assert found.difference is not None and found.difference.mean == pytest.approx(0.05, abs=0.01)
    assert not found.difference.within_noise and set(found.metrics) == {"held_out_score"}
    other = compare(first, third)
    assert other.difference is None and other.surroundings["command"] == ("train", "submit")


def test_inputs_that_differ_are_named(work, tmp_path):
    table = tmp_path / "data" / "train.csv"
    table.write_text("2\n")
    assert compare(find_run([work], "train"), record(work, inputs=[table])).inputs == ["train.csv"]


def test_what_became_of_inputs_and_outputs(work, tmp_path):
    runs = find_runs([work])
    first, second, _ = runs
    assert {each.state for each in verify(second, runs)} == {"same"}
    (tmp_path / "data" / "train.csv").write_text("changed\n")
    states = {each.place: (each.state, each.by) for each in verify(first, runs)}
    assert states == {"../data/train.csv": ("changed", ""), "model/model.npz": ("changed", second.name)}
    (work / "model" / "model.npz").unlink()
    assert {each.state for each in verify(first)} == {"changed", "missing"}


def test_a_file_knows_the_run_that_made_it(work):
    path = work / "model" / "model.npz"
    _, second, _ = find_runs([work])
    assert made_by(work, path, sha256_of(path)) == second
    path.write_bytes(b"by hand")
    assert made_by(work, path, sha256_of(path)) is None


def test_the_commands_show_the_same_to_people_and_programs(work, spectramind):
    first, second, _ = find_runs([work])
    status, out, _ = spectramind("runs", "list", "--work", work)
    assert status == 0 and [line.split()[1] for line in out.splitlines()] == ["status", "done", "done", "failed"]
    assert json.loads(spectramind("runs", "list", "--work", work, "--json")[1])[0]["run"] == first.name
    _, out, _ = spectramind("runs", "show", second.name, "--work", work)
    assert "fit.drift_order=4" in out and "1 inputs, 1 outputs, 40 planets scored" in out
    _, out, _ = spectramind("runs", "compare", second.name, first.name, "--work", work)
    assert "fit.drift_order" in out and "beyond its noise" in out
    facts = json.loads(spectramind("runs", "compare", second.name, first.name, "--work", work, "--json")[1])
    assert facts["settings"] == {"fit.drift_order": [4, 5]} and facts["difference"]["n"] == 40
    status, out, _ = spectramind("runs", "verify", second.name, "--work", work)
    assert status == 0 and "2 of 2 files and folders are as recorded" in out
    status, out, _ = spectramind("runs", "verify", first.name, "--work", work)
    assert status == 1 and f"changed: output model/model.npz, by {second.name}" in out


def test_what_people_know_of_a_run_is_kept_beside_it(work, spectramind):
    status, out, _ = spectramind("runs", "note", "train", "--work", work, "--remark", "wider", "--public", 0.43)
    assert status == 0 and "remark wider, public_score 0.43" in out
    spectramind("runs", "note", "train", "--work", work, "--submission", 7)
    assert find_run([work], "train").notes == {"remark": "wider", "public_score": 0.43, "submission": 7}
    assert "wider" in spectramind("runs", "list", "--work", work)[1]
