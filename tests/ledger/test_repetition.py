"""A run again: bit-identical where nothing changed, and how far off where something did."""

import json
import platform

import pytest

from spectramind_kit import runs
from spectramind_kit.config import load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.ledger import repetition
from spectramind_kit.ledger.recorded_runs import find_run
from spectramind_kit.ledger.repetition import config_of, repeat
from spectramind_kit.work_folder.run_record import recorded
from tests.ledger.recorded import record

COARSE = ("simulation.airs_average=225", "simulation.fgs1_average=2700", "workers=1", "seed=3")


def test_a_simulation_repeats_to_the_last_bit(tmp_path, spectramind):
    out = tmp_path / "data"
    runs.simulate(out, 1, 1, load_config(COARSE), seed=5)
    status, told, _ = spectramind("runs", "repeat", "latest", "--work", out)
    assert status == 0 and "bit-identical" in told.splitlines()[-1] and "missing" not in told
    assert not list(tmp_path.glob(".repeat*")), "nothing is left behind"
    kept = tmp_path / "again"
    facts = json.loads(spectramind("runs", "repeat", "latest", "--work", out, "--keep", kept, "--json")[1])
    assert facts["identical"] and "train.csv" in facts["outputs"] and (kept / "train.csv").is_file()
    (out / "train.csv").write_text("by hand\n")
    assert spectramind("runs", "repeat", "latest", "--work", out)[0] == 0, "what it made is on record"
    status, _, err = spectramind("runs", "repeat", "latest", "--work", out, "--keep", kept)
    assert status == 1 and "an empty one" in err


@pytest.fixture
def repeated(monkeypatch):
    """A training that writes another number each time."""

    def again(arguments, work, config, run):
        (work / "predictions").mkdir(parents=True)
        (work / "predictions" / "train.csv").write_text("planet_id,wl_1\n7,0.0101\n")

    monkeypatch.setitem(repetition._REPEATABLE, "train", again)


def test_a_run_that_differs_says_by_how_much(tmp_path, repeated, spectramind):
    outputs = {"predictions/train.csv": b"planet_id,wl_1\n7,0.01\n", "model/model.npz": b"1"}
    run = record(tmp_path / "work", outputs=outputs)
    found = repeat(run, tmp_path / "again")
    assert not found.identical and not found.code_differs
    assert found.apart["predictions/train.csv"] == "differs by at most 9.9e-03 of the largest value (wl_1)"
    assert found.apart["model/model.npz"] == "missing"
    (tmp_path / "work" / "predictions" / "train.csv").unlink()
    assert "not there any more" in repeat(run, tmp_path / "third").apart["predictions/train.csv"]
    assert spectramind("runs", "repeat", "train", "--work", tmp_path / "work")[0] == 1


def test_a_run_is_repeated_with_as_many_threads_and_other_surroundings_are_named(tmp_path, monkeypatch, spectramind):
    torch = pytest.importorskip("torch")
    before, seen = torch.get_num_threads(), []
    run = record(tmp_path / "work", outputs={"model/model.npz": b"1"})
    assert run.manifest["environment"]["threads"] == before
    manifest = run.manifest | {"environment": run.manifest["environment"] | {"threads": before + 3, "python": "3.9.1"}}
    (run.folder / "manifest.json").write_text(json.dumps(manifest))

    def again(arguments, work, config, run):
        seen.append(torch.get_num_threads())
        record(work, outputs={"model/model.npz": b"1"})

    monkeypatch.setitem(repetition._REPEATABLE, "train", again)
    status, told, _ = spectramind("runs", "repeat", "train", "--work", tmp_path / "work")
    assert seen == [before + 3] and torch.get_num_threads() == before
    assert status == 0 and f"note: python 3.9.1 then, {platform.python_version()} now" in told.splitlines()


def test_a_run_whose_inputs_changed_or_that_failed_is_not_repeated(tmp_path, repeated):
    table = tmp_path / "train.csv"
    table.write_text("1\n")
    run = record(tmp_path / "work", inputs=[table])
    table.write_text("2\n")
    with pytest.raises(SpectraMindError, match="all as they were, got ../train.csv changed"):
        repeat(run, tmp_path / "again")
    with pytest.raises(ValueError, match="no light"), recorded(tmp_path / "other", "train", load_config()):
        raise ValueError("no light")
    for again in (find_run([tmp_path / "other"], "latest"), record(tmp_path / "third", command="diagnose")):
        with pytest.raises(SpectraMindError, match="wanted one that is done"):
            repeat(again, tmp_path / "again")


def test_a_run_is_repeated_with_the_settings_that_it_had(tmp_path):
    config = load_config(["fit.drift_order=3", "model=v50_small"])
    assert config_of(record(tmp_path, overrides=["fit.drift_order=3", "model=v50_small"])) == config
