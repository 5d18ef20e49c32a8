"""A stage of `submit` that fails costs what it was for: the run ends with a valid file and words, not with an error."""

import pytest

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.errors import CompetitionDataError, SpectraMindError
from spectramind_kit.prediction.stand_ins import population_spectra
from spectramind_kit.work_folder.submission import read_submission, validate_submission


@pytest.fixture
def data(write_competition):
    """A folder whose planets are test planets."""
    root = write_competition()
    (root / "train").rename(root / "test")
    return root


@pytest.fixture
def submit(data, config, tmp_path):
    """Submit; the file must be valid."""

    def run(**arguments):
        summary = runs.submit(data, tmp_path / "work", config, **arguments)
        validate_submission(read_submission(summary.path), open_competition(data).sample_submission())
        return summary

    return run


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def nothing_measured(planets, usable, place, data, work, config, *_):
    return population_spectra(planets, usable.model, config.uncertainty, "not tried")


@pytest.fixture
def damaged_model(tmp_path):
    """A model folder of which nothing can be read."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.json", "model.npz"):
        (folder / name).write_bytes(b"{")
    return folder


def test_an_error_while_planets_are_measured_leaves_the_file_and_words(submit, damaged_model, monkeypatch):
    monkeypatch.setattr(runs, "spectra_of", failing(RuntimeError("a bug")))
    summary = submit(model=damaged_model)
    assert summary.rungs == {"population": 2}
    assert "planets have what they had when the run failed: RuntimeError: a bug" in summary.losses


def test_a_training_that_fails_is_stood_in_for_by_the_labels(submit, monkeypatch):
    monkeypatch.setattr(runs, "train", failing(RuntimeError("out of files")))
    monkeypatch.setattr(runs, "spectra_of", nothing_measured)
    summary = submit()
    assert summary.losses[0] == "no model was trained: RuntimeError: out of files"
    assert summary.spectra[0].mean[0] == pytest.approx(0.0145), "the labels' mean"


def test_what_is_refused_in_words_is_refused(submit, monkeypatch):
    monkeypatch.setattr(runs, "train", failing(SpectraMindError("training", got="process 7 at it")))
    with pytest.raises(SpectraMindError, match="process 7"):
        submit()


def test_a_named_model_that_is_damaged_costs_the_model_and_one_that_is_not_there_is_refused(
    submit, damaged_model, monkeypatch, tmp_path
):
    monkeypatch.setattr(runs, "spectra_of", nothing_measured)
    for name in ("model.json", "model.npz"):
        summary = submit(model=damaged_model)
        assert summary.losses[0].startswith("without the trained model: ")
        (damaged_model / name).unlink()
    for nothing in (damaged_model, tmp_path / "nowhere"):
        with pytest.raises(CompetitionDataError, match="train` first"):
            submit(model=nothing)
