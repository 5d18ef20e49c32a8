"""The command line: names, options, outputs and exit status that other tools rely on."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from spectramind_kit import __version__
from spectramind_kit.diagnostics.payload import unpacked
from spectramind_kit.fitting.sampled_transit import SampledTransit
from spectramind_kit.products import Estimate
from spectramind_kit.work_folder.submission import read_submission

COMMANDS = ("simulate", "calibrate", "train", "predict", "submit", "score", "diagnose", "inspect")
COMMANDS += ("dry-run", "selftest")
COARSE = ("simulation.airs_average=225", "simulation.fgs1_average=2700", "workers=1")


@pytest.fixture
def work(trained_work, tmp_path):
    return shutil.copytree(trained_work, tmp_path / "work")


def test_help_names_every_command(spectramind):
    status, out, _ = spectramind("--help")
    assert status == 0 and all(command in out for command in COMMANDS)


def test_the_version_is_an_option_and_a_command(spectramind):
    assert spectramind("--version")[:2] == spectramind("version")[:2] == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("conjure",),
        ("calibrate", "--work", "w"),
        ("submit", "--data", "d"),
        ("score", "--truth", "t.csv"),
        ("calibrate", "--data", "d", "--work", "w", "--split", "both"),
        ("simulate", "--out", "o", "--frames", "huge"),
        ("simulate", "--out", "o", "--train", "-1"),
        ("score", "--truth", "t", "--submission", "s", "--edition", "2023"),
        ("train", "--data", "d", "--work", "w", "--frobnicate"),
    ],
)
def test_wrong_usage_exits_2(spectramind, arguments):
    status, _, err = spectramind(*arguments)
    assert status == 2 and err


@pytest.mark.parametrize(
    "command",
    [
        ("simulate", "--out", "o"),
        ("calibrate", "--data", "d", "--work", "w"),
        ("train", "--data", "d", "--work", "w"),
        ("predict", "--data", "d", "--work", "w", "--split", "test"),
        ("submit", "--data", "d", "--work", "w"),
        ("score", "--truth", "t", "--submission", "s"),
        ("diagnose", "--data", "d", "--work", "w"),
        ("dry-run", "k", "--data", "d", "--dataset", "s", "--work", "w"),
        ("selftest",),
        ("config",),
    ],
)
def test_every_command_refuses_an_unknown_override_with_the_nearest_key(spectramind, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = spectramind(*command, "fit.drift_ordre=4")
    assert status == 2
    assert err.strip().splitlines()[-1].endswith("got fit.drift_ordre; did you mean 'fit.drift_order'?")


@pytest.mark.parametrize("command", ["calibrate", "train", "submit"])
def test_a_folder_that_is_none_exits_1_with_one_message(spectramind, command, tmp_path):
    status, out, err = spectramind(command, "--data", tmp_path / "nowhere", "--work", tmp_path / "w")
    assert status == 1 and out == ""
    (message,) = err.strip().splitlines()
    assert message.startswith("spectramind: competition folder") and "no such folder" in message


def test_a_wrong_folder_is_answered_with_the_right_one(spectramind, competition, trained_work, tmp_path):
    for data, words in (
        (trained_work, "this is a work folder, which --work takes"),
        (competition.data / "train", f"give the folder that holds it, {competition.data}"),
        (competition.data.parent, f"the competition lies below it, in {competition.data}"),
    ):
        status, _, err = spectramind("train", "--data", data, "--work", tmp_path / "w")
        assert status == 1 and words in err and not (tmp_path / "w").exists()
    status, _, err = spectramind("train", "--data", competition.data, "--work", competition.data)
    assert status == 1 and "another than --data" in err
    status, _, err = spectramind("train", "--data", competition.data, "--work", competition.data / "train.csv")
    assert status == 1 and "give another one with --work" in err and "unexpected" not in err


def test_debug_shows_where(spectramind, tmp_path):
    with pytest.raises(Exception, match="no such folder"):
        spectramind("train", "--debug", "--data", tmp_path / "nowhere", "--work", tmp_path)


def write_spectra(path, planets, columns=566):
    """Write a submission, or with 283 columns a truth, of made-up spectra."""
    rows = [[planet, *(0.01 + 1e-3 * (planet % 7) + 1e-6 * i for i in range(columns))] for planet in planets]
    head = ["planet_id", *(f"wl_{i + 1}" for i in range(283)), *(f"sigma_{i + 1}" for i in range(columns - 283))]
    path.write_text("\n".join(",".join(map(str, row)) for row in [head, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "planets, options, words",
    [
        ([1, 2], [], "a row for every planet, got none of 2, among them .3, 4.; .*--partial"),
        ([1, 2, 3, 4, 2], [], "one row a planet, got several of .2."),
        ([1, 2, 2], ["--partial"], "one row a planet, got several of .2."),
        ([1, 2, 9], ["--partial"], "the truth of every planet, got none of .9."),
        ([1, 2, 3, 4, 9], [], "the truth of every planet, got none of .9."),
        ([], ["--partial"], "rows of the submission: wanted a planet, got none"),
    ],
)
def test_what_is_no_whole_submission_gets_no_score(spectramind, tmp_path, planets, options, words):
    truth = write_spectra(tmp_path / "truth.csv", [1, 2, 3, 4], columns=283)
    part = write_spectra(tmp_path / "part.csv", planets)
    status, out, err = spectramind("score", "--truth", truth, "--submission", part, *options)

    assert (status, out) == (1, "") and re.search(words, err), err


def test_truth_with_a_planet_twice_gives_no_score(spectramind, tmp_path):
    truth = write_spectra(tmp_path / "truth.csv", [1, 2, 2], columns=283)
    status, _, err = spectramind("score", "--truth", truth, "--submission", write_spectra(tmp_path / "s.csv", [1, 2]))

    assert status == 1 and "truth.csv: wanted one row a planet, got several of [2]" in err


def test_a_part_is_scored_where_that_is_wanted(spectramind, tmp_path):
    truth = write_spectra(tmp_path / "truth.csv", [1, 2, 3, 4], columns=283)
    part = write_spectra(tmp_path / "part.csv", [4, 1])
    status, out, err = spectramind("score", "--truth", truth, "--submission", part, "--partial")

    assert status == 0 and out.startswith("score "), err


def test_what_nobody_foresaw_is_one_message_too(spectramind, monkeypatch, tmp_path):
    def burst(*_, **__):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("spectramind_kit.runs.score_files", burst)
    status, _, err = spectramind("score", "--truth", "t", "--submission", "s")
    assert status == 1 and err.strip() == "spectramind: unexpected ZeroDivisionError: by zero; --debug shows where"


def test_the_installed_module_runs_and_passes_its_status_on():
    done = subprocess.run([sys.executable, "-m", "spectramind_kit", "version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, __version__)
    done = subprocess.run([sys.executable, "-m", "spectramind_kit", "config", "sed=1"], capture_output=True, text=True)
    assert done.returncode == 2 and "did you mean 'seed'" in done.stderr


def test_config_is_printed_as_json(spectramind):
    status, out, _ = spectramind("config", "fit.drift_order=5", "workers=3")
    composed = json.loads(out)
    assert status == 0 and composed["fit"]["drift_order"] == 5 and composed["workers"] == 3


def test_simulate_writes_the_planets_asked_for(spectramind, tmp_path):
    out = tmp_path / "data"
    status, said, _ = spectramind("simulate", "--out", out, "--train", 1, "--test", 1, "--seed", 7, *COARSE)
    assert status == 0 and "1 training and 1 test planets" in said
    assert len(list((out / "train").iterdir())) == len(list((out / "test").iterdir())) == 1
    assert {p.name for p in out.glob("*.csv")} >= {"train.csv", "sample_submission.csv", "adc_info.csv"}
    assert (out / "truth" / "test.csv").is_file()


def test_simulate_refuses_to_overwrite_what_is_no_simulation(spectramind, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    status, _, err = spectramind("simulate", "--out", tmp_path, "--train", 1, "--test", 0)
    assert status == 1 and "thesis.tex" in err


def test_calibrate_and_train_and_predict_say_what_they_made(spectramind, competition, work):
    data = "--data", competition.data, "--work", work
    status, out, _ = spectramind("calibrate", *data, "--split", "train", "workers=1")
    assert status == 0 and out.strip().splitlines()[-1] == f"light curves in {work / 'light_curves' / 'train'}"
    status, out, _ = spectramind("train", *data, "workers=1", "model=v50_small", "training.epochs=1")
    assert status == 0 and re.fullmatch(r"out-of-fold score 0\.\d{4}", out.strip().splitlines()[-1])
    assert "4 labels, 4 planets fitted" in out
    curves = pl.read_csv(work / "latest" / "train" / "curves.csv")
    assert set(curves["epoch"]) == {0} and curves["loss"].is_finite().all() and curves["network"].n_unique() > 1
    status, out, _ = spectramind("runs", "list", "--work", work, "--json")
    assert status == 0 and [run["command"] for run in json.loads(out)] == ["train", "submit", "calibrate", "train"]
    status, out, _ = spectramind("predict", *data, "--split", "test", "workers=1")
    predictions = work / "predictions" / "test.csv"
    assert status == 0 and out.strip() == str(predictions)
    submitted = read_submission(work / "submission.csv")
    assert read_submission(predictions).sort("planet_id").equals(submitted.sort("planet_id"))


def test_fit_tells_and_draws_one_planet(spectramind, competition, work, tmp_path):
    planet = pl.read_csv(competition.data / "sample_submission.csv")["planet_id"][0]
    picture, folders = tmp_path / "fit.png", ("--data", competition.data, "--work", work)
    status, out, _ = spectramind("fit", planet, *folders, "--plot", picture)
    assert status == 0 and picture.stat().st_size > 10_000
    assert f"planet {planet}, visit 0" in out and "depth FGS1" in out
    assert re.search(r"mid_time +\d+\.\d+ \+- \d\.\d+ s\n", out) and re.search(r"semi_major_axis .* R_star\n", out)
    status, out, _ = spectramind("fit", planet, *folders, "--json")
    (visit, *_) = json.loads(out)
    assert visit["planet"] == planet and visit["parameters"]["mid_time"]["unit"] == "s" and len(visit["depth"]) == 283
    status, _, err = spectramind("fit", 1, *folders)
    assert status == 1 and err.count("\n") == 1 and "1" in err
    trained = pl.read_csv(competition.data / "train.csv")["planet_id"][0]
    status, _, err = spectramind("fit", trained, *folders)
    assert status == 1 and "it is there with --split train" in err
    status, _, err = spectramind("fit", planet, *folders, "--plot", tmp_path / "fit.xyz")
    assert status == 1 and "a name that ends in one of" in err


def test_fit_shows_samples_beside_laplaces_approximation(spectramind, competition, work, tmp_path, monkeypatch):
    asked = []

    def sampled(curves, planet, config, live_points, seed):
        asked.append((curves.planet_id, planet.planet_id, live_points))
        draws = 10.0 + np.random.default_rng(seed).standard_normal((50, 1))
        laplace = {"semi_major_axis": Estimate(10.0, 1.0)}
        return SampledTransit(
            *(curves.planet_id, curves.visit, ("semi_major_axis",), draws, laplace, 40.0, 900), Estimate(-5.0, 0.3)
        )

    monkeypatch.setattr("spectramind_kit.fitting.nested.sample_white_light", sampled)
    planet, folders = pl.read_csv(competition.data / "sample_submission.csv")["planet_id"][0], ("--work", work)
    options = "--data", competition.data, *folders, "--sampler", "nested", "--live-points", 33
    status, out, _ = spectramind("fit", planet, *options, "--plot", tmp_path / "fit.png")
    assert status == 0 and "40 effective samples of 50, 900 likelihoods" in out and set(asked) == {(planet, planet, 33)}
    assert re.search(r"semi_major_axis +10 \+- 1 .* R_star\n", out) and (tmp_path / "fit.png").is_file()
    (visit, *_) = json.loads(spectramind("fit", planet, *options, "--json")[1])
    assert visit["sampled"]["effective_samples"] == 40.0 and "semi_major_axis" in visit["parameters"]


def test_submit_and_score_end_as_other_tools_expect(spectramind, competition, work, tmp_path):
    status, out, _ = spectramind("submit", "--data", competition.data, "--work", work, "--strict", "workers=1")
    assert status == 0 and out.strip().splitlines()[-1] == "0 planets fell back to the population"
    assert (work / "manifest.json").is_file()
    truth, submission = competition.data / "truth" / "test.csv", work / "submission.csv"
    status, out, _ = spectramind("score", "--truth", truth, "--submission", submission)
    assert status == 0 and re.fullmatch(r"score [01]\.\d{4}", out.strip().splitlines()[-1])
    as_json = json.loads(spectramind("score", "--truth", truth, "--submission", submission, "--json")[1])
    assert out.strip() == f"score {as_json['score']:.4f}"
    other = spectramind("score", "--truth", truth, "--submission", submission, "--edition", "2024")
    assert other[0] == 0 and other[1] != out
    # The zero point is the training labels', which lie beside the truth; without them it is the truth's own.
    labels = "--naive", competition.data / "train.csv"
    assert spectramind("score", "--truth", truth, "--submission", submission, *labels)[1] == out
    alone = shutil.copy(truth, tmp_path / "truth.csv")
    assert spectramind("score", "--truth", alone, "--submission", submission)[1] != out


def test_score_shows_what_one_depth_would_get(spectramind, competition, work, tmp_path):
    """``work`` has the light curves of the test planets from the submission before."""
    submission = shutil.copy(work / "submission.csv", tmp_path)
    scored = ("score", "--truth", competition.data / "truth" / "test.csv", "--submission", submission, "--one-depth")
    status, out, err = spectramind(*scored, work)
    assert status == 0, err
    ours, one_depth = (float(line.split()[-1]) for line in out.splitlines())
    assert 0.0 <= one_depth < ours
    assert json.loads(spectramind(*scored, work, "--json")[1]) == pytest.approx(
        {"score": ours, "one_depth": one_depth}, abs=6e-5
    )
    status, out, err = spectramind(*scored, tmp_path)
    assert status == 1 and "wanted stored light curves, got none" in err and "spectramind calibrate" in err


def test_submit_counts_and_names_fallbacks_and_strict_exits_1(spectramind, competition, work, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(competition.data, data, ignore=lambda _, names: {"train", "test"} & set(names))
    (data / "train").symlink_to(competition.data / "train")
    (data / "test").mkdir()
    kept, lost = sorted(competition.data.joinpath("test").iterdir())
    (data / "test" / kept.name).symlink_to(kept)
    for strict, wanted in (((), 0), (("--strict",), 1)):
        status, out, _ = spectramind("submit", "--data", data, "--work", work, *strict, "workers=1")
        assert status == wanted
        assert out.strip().splitlines()[-2] == "1 planets fell back to the population"
        assert out.strip().splitlines()[-1].startswith(f"fallback: planet {lost.name}: planet {lost.name}: wanted")
        assert len(read_submission(work / "submission.csv")) == 2


def test_calibrate_exits_1_and_names_the_planet_that_failed(spectramind, competition, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(competition.data, data, ignore=lambda _, names: {"train"} & set(names))
    broken = sorted((data / "test").iterdir())[0]
    for path in broken.glob("AIRS-CH0_signal_*"):
        path.write_bytes(b"PAR1")
    options = "--data", data, "--work", tmp_path / "w", "--split", "test", "workers=1"
    status, out, err = spectramind("calibrate", *options)
    assert status == 1 and f"planet {broken.name}: AIRS-CH0 signal of planet {broken.name}" in out
    assert "1 planets of split test have visits without light curves" in err
    assert len(list((tmp_path / "w" / "light_curves" / "test").glob("*.npz"))) >= 1


def test_score_names_files_that_do_not_fit(spectramind, competition, trained_work, tmp_path):
    truth, submission = competition.data / "truth" / "test.csv", trained_work / "submission.csv"
    status, _, err = spectramind("score", "--truth", tmp_path / "none.csv", "--submission", submission)
    assert status == 1 and "none.csv: wanted this table, got no such file" in err
    table = pl.read_csv(truth).with_columns(pl.col("planet_id") + 1)
    table.write_csv(tmp_path / "other.csv")
    status, _, err = spectramind("score", "--truth", tmp_path / "other.csv", "--submission", submission)
    assert status == 1 and "wanted the truth of every planet" in err
    status, _, err = spectramind("score", "--truth", truth, "--submission", truth)
    assert status == 1 and "wanted 567, got 284" in err


def test_diagnose_writes_a_page(spectramind, competition, work):
    status, out, _ = spectramind("diagnose", "--data", competition.data, "--work", work, "diagnostics.planets_shown=1")
    page = work / "report.html"
    assert status == 0 and out.strip() == str(page)
    text = page.read_text()
    assert "data:application/gzip;base64" in text and "http://" not in text
    assert len(json.loads((work / "report.json").read_text())["planets"]) == 6


def test_a_shared_report_names_no_folder_and_nobody(spectramind, competition, work):
    events = work / "events.jsonl"
    with events.open("a") as file:
        problem = f"signal {work}/AIRS-CH0_signal_0.parquet of ada-l is lost"
        planet = (competition.data / "train").iterdir()
        file.write(json.dumps({"stage": "train", "problems": {next(planet).name: problem}}) + "\n")
    options = ("--data", competition.data, "--work", work, "diagnostics.planets_shown=0")
    spectramind("diagnose", *options, "kaggle.owner=ada-l")
    assert str(work) in all_words(work / "report.html")
    status, *_ = spectramind("diagnose", *options, "--share", "kaggle.owner=ada-l")
    shared = all_words(work / "report.html")
    assert status == 0 and str(work) not in shared and "ada-l" not in shared
    assert str(work) not in (work / "report.json").read_text()
    assert "signal AIRS-CH0_signal_0.parquet of somebody is lost" in shared


def all_words(page):
    """All that a page says, what is packed too."""
    text = page.read_text()
    return text + "".join(unpacked(address) for address in re.findall(r"data:application/gzip;base64,[\w+/=]+", text))


def test_inspect_shows_a_planet(spectramind, competition, trained_work):
    planet = next((competition.data / "test").iterdir()).name
    status, out, _ = spectramind("inspect", planet, "--data", competition.data, "--work", trained_work)
    assert status == 0 and f"Planet {planet}" in out and "Orbit and star" in out
    status, _, err = spectramind("inspect", 99, "--data", competition.data, "--work", trained_work)
    assert status == 1 and "planet 99: wanted one that was predicted" in err


def test_threads_are_capped_unless_the_user_says_otherwise(monkeypatch, spectramind):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    spectramind("version")
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["OMP_NUM_THREADS"]) == ("PASSIVE", "7")


def test_diagnose_without_a_run_says_what_to_do(spectramind, competition, tmp_path):
    status, _, err = spectramind("diagnose", "--data", competition.data, "--work", tmp_path)
    assert status == 1 and "run train or submit first" in err


def test_selftest_tries_every_component(spectramind):
    status, out, _ = spectramind("selftest", *COARSE)
    lines = out.strip().splitlines()
    assert status == 0, out
    assert all(line.startswith("ok ") for line in lines)
    assert {"transit model", "simulate", "submit", "diagnose"} <= {line[8:36].strip() for line in lines}


def test_the_real_sample_calibrates(spectramind, real_data, tmp_path):
    options = "--data", real_data, "--work", tmp_path, "--split", "train", "workers=1"
    status, out, _ = spectramind("calibrate", *options)
    assert status == 0 and "note: train.csv is not in" in out
    assert (tmp_path / "light_curves" / "train" / "342072318_0.npz").is_file()
