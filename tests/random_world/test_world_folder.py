"""A folder of a random world: pure function of its seed, and through every command like any other."""

import hashlib
import json

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.config import load_config
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.instruments import AIRS
from spectramind_kit.random_world.visit import draw_visit, observed_transit
from spectramind_kit.random_world.world import draw_planets, draw_world, visit_stream
from spectramind_kit.random_world.world_folder import simulate_world
from spectramind_kit.simulation.competition_writer import refuse_foreign

SMALL = ["simulation=random_world", "simulation.airs_average=75", "simulation.fgs1_average=900", "model=none"]
TINY = ["simulation=random_world", "simulation.airs_average=625", "simulation.fgs1_average=1500"]
TINY += ["simulation.two_visit_fraction=0.5"]


def checksums(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    out = tmp_path_factory.mktemp("world") / "data"
    simulate_world(out, 2, 1, load_config(TINY).simulation, seed=3)
    return out


def test_a_world_is_a_pure_function_of_its_seed(tiny, tmp_path):
    simulate_world(tmp_path / "again", 2, 1, load_config(TINY).simulation, seed=3, workers=2)
    assert checksums(tmp_path / "again") == checksums(tiny)
    simulate_world(tmp_path / "again", 2, 1, load_config(TINY).simulation, seed=4)
    assert checksums(tmp_path / "again")["train.csv"] != checksums(tiny)["train.csv"]


def test_the_world_is_written_beside_the_truth(tiny):
    told = json.loads((tiny / "truth" / "world.json").read_text())
    assert told == json.loads(json.dumps(draw_world(3).as_dict()))
    labels = [planet.label() for planet in draw_planets(draw_world(3), 2, 1)["test"]]
    np.testing.assert_allclose(read_spectra(tiny / "truth" / "test.csv")[1], labels, rtol=1e-12)


def test_kinds_can_be_asked_for(tmp_path):
    simulation = load_config([*TINY, "simulation.families=['noise=steps','spots=none']"]).simulation
    simulate_world(tmp_path, 1, 0, simulation, seed=3)
    kinds = json.loads((tmp_path / "truth" / "world.json").read_text())["kinds"]
    assert kinds["noise"] == "steps" and kinds["spots"] == "none"


def test_refuses_another_edition(tmp_path):
    with pytest.raises(ConfigurationError, match="2024"):
        simulate_world(tmp_path, 1, 0, load_config(TINY).simulation, seed=1, edition="2024")


def test_spotted_and_crossed_stars_hide_what_they_must():
    world = draw_world(1, ["spots=crossed"])
    planets = draw_planets(world, 12, 0)["train"]
    visits = [draw_visit(world, planet, visit_stream(world, "train", i, 0)) for i, planet in enumerate(planets)]
    planet, truth = next((p, v) for p, v in zip(planets, visits) if v.crossing is not None)
    time = truth.mid_time + np.linspace(-15_000.0, 15_000.0, 200)[:, None]
    wavelength = np.array([0.7, 2.0, 3.9])
    crossed = observed_transit(world, planet, truth.mid_time, wavelength, time, truth.crossing)
    missed = observed_transit(world, planet, truth.mid_time, wavelength, time)
    assert (crossed >= missed - 1e-12).all() and (crossed - missed)[0].max() > (crossed - missed)[2].max() > 0.0


def test_a_folder_goes_through_every_command(tmp_path):
    from spectramind_kit import runs
    from spectramind_kit.diagnostics.report import write_report

    config = load_config([*SMALL, "workers=1"])
    data, work = tmp_path / "data", tmp_path / "work"
    simulate_world(data, 4, 2, config.simulation, seed=0)
    folder = open_competition(data)
    assert folder.edition == "2025" and len(folder.planet_ids("train")) == 4
    assert runs.calibrate(data, work, "train", config) == {}
    runs.train(data, work, config)
    summary = runs.submit(data, work, config)
    assert summary.fallbacks == {}
    truth = data / "truth" / "test.csv"
    assert runs.score_files(truth, summary.path, naive=data / "train.csv") > 0.1
    assert write_report(data, work, config, truth=truth).is_file()
    signal = next((data / "train").rglob(f"{AIRS.name}_signal_0.parquet"))
    assert pl.read_parquet(signal).shape == (150, AIRS.n_pixel)


def test_the_command_line_keeps_the_world_and_takes_the_size_of_frames(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from spectramind_kit import cli
    from spectramind_kit.random_world import world_folder

    told = []
    monkeypatch.setattr(world_folder, "simulate_world", lambda out, *counts, **rest: told.append((counts, rest)))
    command = ["simulate", "--out", str(tmp_path), "--train", "3", "--test", "1", "--seed", "9"]
    for frames in ([], ["--frames", "full"]):
        result = CliRunner().invoke(cli.app, [*command, *frames, "simulation=random_world"])
        assert result.exit_code == 0, result.output
    (small, rest), (full, _) = told
    assert small[:2] == (3, 1) and rest["seed"] == 9
    assert [counts[2].physics for counts in (small, full)] == ["random_world"] * 2
    assert small[2].airs_average > 1 and full[2].airs_average == full[2].fgs1_average == 1


def test_a_folder_with_nothing_but_records_of_runs_may_be_written_to(tmp_path):
    """A simulation that came to nothing leaves them."""
    (tmp_path / "runs" / "a-run").mkdir(parents=True)
    (tmp_path / "latest").mkdir()
    (tmp_path / "events.jsonl").write_text("{}\n")
    refuse_foreign(tmp_path)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(SpectraMindError, match="thesis"):
        refuse_foreign(tmp_path)
