"""From raw frames to a scored submission: what a run must give, and what damage to some planets must not take away."""

import dataclasses
import hashlib
import json
import re
import shutil

import numpy as np
import polars as pl
import pytest

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.files import sha256_of
from spectramind_kit.prediction import planets as planets_of_a_split
from spectramind_kit.prediction.trained_model import load_model
from spectramind_kit.work_folder.manifest import read_events
from spectramind_kit.work_folder.submission import read_submission, submission_arrays, validate_submission


@pytest.fixture
def work(trained_work, tmp_path):
    """A copy of the session's work folder, free to be changed."""
    return shutil.copytree(trained_work, tmp_path / "work")


@pytest.fixture
def data(competition, tmp_path):
    """A competition folder whose tables and test planets may be changed; its training planets are the session's."""
    root = tmp_path / "data"
    shutil.copytree(competition.data, root, ignore=lambda _, names: {"train"} & set(names))
    (root / "train").symlink_to(competition.data / "train")
    return root


def rewrite(path, change):
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    table = change(table)
    table.write_parquet(path) if path.suffix == ".parquet" else table.write_csv(path)


def truth_of(competition):
    ids, spectra = read_spectra(competition.data / "truth" / "test.csv")
    return dict(zip(ids.tolist(), spectra))


class TestRun:
    def test_the_submission_has_the_samples_rows_and_columns(self, competition, trained_work):
        sample = open_competition(competition.data).sample_submission()
        validate_submission(read_submission(trained_work / "submission.csv"), sample)

    def test_it_scores_far_above_the_population_and_errors_fit_their_sigmas(self, competition, trained_work):
        truth = competition.data / "truth" / "test.csv"
        score = runs.score_files(truth, trained_work / "submission.csv")
        assert score > 0.45
        ids, mean, sigma = submission_arrays(read_submission(trained_work / "submission.csv"))
        error = mean - np.array([truth_of(competition)[planet] for planet in ids.tolist()])
        assert np.abs(error).max() < 2e-3
        assert np.sqrt(np.mean((error / sigma) ** 2)) < 2.5

    def test_one_planet_is_scored_against_what_the_labels_know(self, competition, trained_work, tmp_path):
        truth, submission = competition.data / "truth" / "test.csv", tmp_path / "one.csv"
        read_submission(trained_work / "submission.csv").head(1).write_csv(submission)
        by_labels = runs.score_files(truth, submission, naive=competition.data / "train.csv", partial=True)
        assert by_labels > 0.45
        assert runs.score_files(truth, submission, partial=True) == by_labels, "the labels beside the truth are found"
        alone = shutil.copy(truth, tmp_path)
        assert runs.score_files(alone, submission, partial=True) < 0.45

    def test_shuffled_truth_scores_worse(self, competition, trained_work, tmp_path):
        """The score is earned planet by planet: rows are matched by id, not by place."""
        truth = competition.data / "truth" / "test.csv"
        swapped, reversed_rows = tmp_path / "swapped.csv", tmp_path / "reversed.csv"
        table = pl.read_csv(truth)
        table.reverse().write_csv(reversed_rows)
        table.with_columns(pl.col("planet_id").reverse()).write_csv(swapped)
        submission, naive = trained_work / "submission.csv", competition.data / "train.csv"
        right = runs.score_files(truth, submission, naive=naive)
        assert runs.score_files(reversed_rows, submission, naive=naive) == right
        assert runs.score_files(swapped, submission, naive=naive) < right - 0.1

    def test_training_planets_are_predicted_by_the_other_folds(self, competition, trained_work):
        model = load_model(trained_work / "model")
        assert model.n_measured == 4 and model.score > 0.4
        assert (model.sigma_scale >= competition.config.uncertainty.minimum_scale).all()
        ids, mean, sigma = submission_arrays(read_submission(trained_work / "predictions" / "train.csv"))
        known = model.training_set
        labels = dict(zip(*map(list, (known.planet_ids, known.spectra))))
        z = (mean - np.array([labels[planet] for planet in ids])) / sigma
        assert sorted(ids) == sorted(known.planet_ids) and np.sqrt(np.mean(z**2)) < 2.5

    def test_the_manifest_tells_how_the_file_was_made(self, competition, trained_work):
        manifest = json.loads((trained_work / "manifest.json").read_text())
        assert manifest["outputs"]["submission.csv"] == sha256_of(trained_work / "submission.csv")
        (labels,) = (entry for path, entry in manifest["inputs"].items() if path.endswith("/train.csv"))
        assert labels["md5"] == hashlib.md5((competition.data / "train.csv").read_bytes()).hexdigest()
        assert manifest["config"]["simulation"]["airs_average"] == 75
        assert manifest["fallbacks"] == {} and manifest["planets"] == 2
        assert [event["stage"] for event in read_events(trained_work)] == ["train", "submit"]
        train, submit = (trained_work / "runs" / event["run"] for event in read_events(trained_work))
        assert (submit / "manifest.json").read_bytes() == (trained_work / "manifest.json").read_bytes()
        scores, held_out = (pl.read_csv(run / "planets.csv")["score"].to_list() for run in (submit, train))
        truth = competition.data / "truth" / "test.csv"
        assert np.mean(scores) == pytest.approx(runs.score_files(truth, trained_work / "submission.csv"), abs=1e-9)
        assert np.mean(held_out) == pytest.approx(load_model(trained_work / "model").score, abs=1e-9)

    def test_a_second_run_takes_up_what_is_there_and_writes_the_same(self, competition, work):
        before = sha256_of(work / "submission.csv")
        stored = {path: path.stat().st_mtime_ns for path in work.rglob("*.npz")}
        runs.submit(competition.data, work, competition.config)
        assert sha256_of(work / "submission.csv") == before
        assert {path: path.stat().st_mtime_ns for path in work.rglob("*.npz")} == stored

    @pytest.mark.parametrize("name", ["model.npz", "settings", "code"])
    def test_a_model_that_another_version_left_is_trained_anew(self, competition, work, name):
        before, model = sha256_of(work / "submission.csv"), work / "model"
        record = json.loads((model / "model.json").read_text())
        if name == "model.npz":
            (model / name).write_bytes(b"as an older version wrote it")
        else:
            (model / "model.json").write_text(json.dumps(record | {name: "others"}))
        summary = runs.submit(competition.data, work, competition.config)
        assert not summary.losses
        assert json.loads((model / "model.json").read_text()) == record
        assert sha256_of(work / "submission.csv") == before

    def test_the_labels_stand_in_for_a_model_that_cannot_be_trained_anew(self, competition, work, tmp_path):
        data = tmp_path / "data"
        shutil.copytree(competition.data, data, ignore=lambda _, names: {"train"} & set(names))
        (work / "model" / "model.npz").write_bytes(b"damaged")
        summary = runs.submit(data, work, competition.config)
        assert "without the trained model" in summary.losses[0]

    def test_worker_processes_are_started_only_if_a_planet_must_be_worked_on(self, competition, work, monkeypatch):
        started = []
        loop, original = planets_of_a_split, planets_of_a_split.map_planets
        monkeypatch.setattr(loop, "map_planets", lambda *a, **k: started.append(k["label"]) or original(*a, **k))
        runs.submit(competition.data, work, competition.config)
        assert not started
        next((work / "fits" / "test").iterdir()).unlink()
        runs.submit(competition.data, work, competition.config)
        assert started == ["predict test"]
        monkeypatch.setattr(planets_of_a_split, "FEW", 0)
        runs.submit(competition.data, work, competition.config)
        assert len(started) == 2

    def test_two_processes_give_what_one_gives(self, competition, trained_work, tmp_path):
        config = dataclasses.replace(competition.config, workers=2)
        runs.submit(competition.data, tmp_path, config, model=trained_work / "model")
        one, two = (submission_arrays(read_submission(w / "submission.csv")) for w in (trained_work, tmp_path))
        np.testing.assert_array_equal(two[0], one[0])
        np.testing.assert_allclose(two[1], one[1], rtol=1e-6)
        np.testing.assert_allclose(two[2], one[2], rtol=1e-4)

    def test_labels_alone_still_make_a_submission(self, competition, tmp_path):
        """Without any frames the population answers, and scores as little as it knows."""
        data = tmp_path / "data"
        shutil.copytree(competition.data, data, ignore=lambda _, names: {"train", "test"} & set(names))
        summary = runs.submit(data, tmp_path / "work", competition.config)
        assert len(summary.fallbacks) == 2
        assert all("wanted a folder" in reason for reason in summary.fallbacks.values())
        assert runs.score_files(data / "truth" / "test.csv", summary.path) < 0.3


class TestDamage:
    """Every planet of a test split damaged in its own way; the file is whole and says what happened to whom."""

    @pytest.fixture
    def planets(self, data):
        """Copies of the test planet with one visit, and the one with two, by what will happen to them."""
        folders = sorted((data / "test").iterdir(), key=lambda p: len(list(p.glob("*signal*"))))
        single, double = (int(folder.name) for folder in folders)
        names = ("healthy", "truncated", "no_flat", "dark", "no_star", "absent", "half_lost")
        ids = dict(zip(names, (single, 11, 12, 13, 14, 4294967295, double)))
        for name in ("truncated", "no_flat", "dark", "no_star"):
            shutil.copytree(data / "test" / str(single), data / "test" / str(ids[name]))
        order = [ids[name] for name in ("dark", "half_lost", "absent", "no_star", "healthy", "no_flat", "truncated")]
        self.rewrite_tables(data, order, single)
        return ids

    @staticmethod
    def rewrite_tables(data, order, like):
        def rows(table, ids):
            one = table.filter(pl.col("planet_id") == like)
            return pl.concat([one] * len(ids)).with_columns(pl.Series("planet_id", ids))

        rewrite(data / "sample_submission.csv", lambda table: rows(table, order))
        rewrite(data / "test_star_info.csv", lambda table: rows(table, order[:-1]))

    @pytest.fixture
    def damaged(self, data, planets):
        test = data / "test"
        signal = test / str(planets["truncated"]) / "FGS1_signal_0.parquet"
        signal.write_bytes(signal.read_bytes()[:5000])
        (test / str(planets["no_flat"]) / "AIRS-CH0_calibration_0" / "flat.parquet").unlink()
        rewrite(
            test / str(planets["dark"]) / "AIRS-CH0_signal_0.parquet",
            lambda table: pl.DataFrame(np.zeros(table.shape, dtype=np.uint16), schema=table.columns),
        )
        rewrite(
            data / "test_star_info.csv",
            lambda t: t.with_columns(P=pl.when(pl.col("planet_id") == planets["no_star"]).then(np.nan).otherwise("P")),
        )
        (test / str(planets["half_lost"]) / "FGS1_signal_1.parquet").unlink()
        return data

    @pytest.fixture
    def summary(self, damaged, planets, competition, trained_work, tmp_path):
        return runs.submit(damaged, tmp_path / "w", competition.config, model=trained_work / "model")

    def test_each_costs_itself_only(self, summary, planets, damaged, trained_work, competition):
        sample = open_competition(damaged).sample_submission()
        table = read_submission(summary.path)
        validate_submission(table, sample)
        fallbacks, remarks = summary.fallbacks, summary.remarks
        assert set(fallbacks) == {planets["absent"]}
        reported = {
            "truncated": "FGS1 signal .*readable parquet",
            "no_flat": "AIRS-CH0 flat .*no such file",
            "dark": "AIRS-CH0 signal .*zero in every pixel",
            "absent": "wanted a folder",
        }
        for name, words in reported.items():
            remark = {**fallbacks, **remarks}[planets[name]]
            assert re.search(words, remark), (name, remark)
            assert str(planets[name]) in remark
        assert "no usable number in the star table (P in" in remarks[planets["no_star"]]
        assert re.search("FGS1 signal of planet .* visit 1 .*no such file", remarks[planets["half_lost"]])

        whole = submission_arrays(read_submission(trained_work / "submission.csv"))
        got = submission_arrays(table)
        row = {planet: i for i, planet in enumerate(got[0].tolist())}
        healthy = planets["healthy"]
        np.testing.assert_array_equal(got[1][row[healthy]], whole[1][whole[0].tolist().index(healthy)])
        truth = truth_of(competition)[healthy]
        no_star = got[1][row[planets["no_star"]]]
        assert np.abs(no_star - truth).mean() < 5e-4, "the same light curves without a star row"
        labels, absent = load_model(trained_work / "model").training_set.labels(), row[planets["absent"]]
        np.testing.assert_allclose(got[1][absent], labels.mean)
        assert np.median(got[2][absent]) > 5e-3
        for name in ("truncated", "no_flat", "dark"):  # the other channel is measured
            mean, sigma = (part[row[planets[name]]] for part in got[1:])
            assert np.abs((mean - truth) / sigma).max() < 6.0 and np.median(sigma) < 0.3 * np.median(labels.spread)

        report = summary.table()
        assert report.columns == ["planet_id", "source", "rung", "mean_depth", "median_sigma", "remark"]
        rungs = dict(report.select("planet_id", "rung").iter_rows())
        assert rungs[planets["absent"]] == "population" and rungs[planets["healthy"]] in ("network", "fit")
        assert {rungs[planets[name]] for name in ("truncated", "no_flat", "dark")} == {"one channel"}
        manifest = json.loads((summary.path.parent / "manifest.json").read_text())
        assert manifest["fallbacks"] == {str(planet): reason for planet, reason in fallbacks.items()}
        assert manifest["rungs"]["one channel"] == 3 and manifest["losses"] == []

    def test_a_mended_planet_is_measured_in_the_next_run(self, summary, damaged, planets, competition, trained_work):
        folder = damaged / "test" / str(planets["truncated"])
        intact = damaged / "test" / str(planets["healthy"])
        shutil.copy(intact / "FGS1_signal_0.parquet", folder)
        again = runs.submit(damaged, summary.path.parent, competition.config, model=trained_work / "model")
        rungs = dict(again.table().select("planet_id", "rung").iter_rows())
        assert rungs[planets["truncated"]] == rungs[planets["healthy"]] and again.rungs["one channel"] == 2


def test_the_2024_layout_goes_the_whole_way(competition, tmp_path):
    from spectramind_kit.simulation.simulated_folder import simulate_folder

    data, work = tmp_path / "data", tmp_path / "work"
    simulate_folder(data, 2, 1, competition.config.simulation, seed=2, edition="2024")
    summary = runs.submit(data, work, competition.config)
    assert summary.fallbacks == {} and load_model(work / "model").n_measured == 2
    (spectrum,) = summary.spectra
    truth = read_spectra(data / "truth" / "test.csv")[1][0]
    assert np.abs(spectrum.mean - truth).mean() < 3e-4
    assert runs.score_files(data / "truth" / "test.csv", summary.path, "2024", data / "train_labels.csv") > 0.2
