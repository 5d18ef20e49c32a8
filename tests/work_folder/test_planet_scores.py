"""What each planet adds to the score, as runs keep it; and folds that one training hands to the next."""

import logging

import numpy as np
import pytest

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.metric import score
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.planet_scores import keep_scores, read_folds, read_planet_scores, write_planet_scores
from spectramind_kit.work_folder.run_record import recorded

WAVELENGTH = np.linspace(0.7, 3.9, 283)
NAIVE = 0.012, 0.004


@pytest.fixture
def predicted():
    """Spectra of three planets, and the truth of two of them."""
    rng = np.random.default_rng(1)
    truth = 0.01 + 0.004 * rng.random((2, 283))
    spectra = [Spectrum(i, WAVELENGTH, truth[i % 2] + 2e-5, np.full(283, 5e-5), "fit") for i in range(3)]
    return spectra, (np.array([0, 1]), truth)


def test_scores_are_kept_with_the_run_and_their_mean_is_the_score(tmp_path, config, predicted):
    spectra, truth = predicted
    with recorded(tmp_path, "submit", config) as run:
        keep_scores(run, spectra, truth, NAIVE, "2025")
    kept = read_planet_scores(run.folder / "planets.csv")
    mean, sigma = (np.array([getattr(s, name) for s in spectra[:2]]) for name in ("mean", "sigma"))
    assert set(kept) == {0, 1}
    assert np.mean(list(kept.values())) == pytest.approx(score(truth[1], mean, sigma, NAIVE), abs=1e-12)


@pytest.mark.parametrize("lacking", ["truth", "naive"])
def test_nothing_is_kept_where_nothing_is_known(tmp_path, config, predicted, lacking):
    spectra, truth = predicted
    with recorded(tmp_path, "submit", config) as run:
        keep_scores(run, spectra, None if lacking == "truth" else truth, None if lacking == "naive" else NAIVE, "2025")
    assert not (run.folder / "planets.csv").exists() and read_planet_scores(run.folder / "planets.csv") == {}


def test_a_truth_that_cannot_be_scored_is_a_warning(tmp_path, config, predicted, caplog):
    spectra, truth = predicted
    with caplog.at_level(logging.WARNING), recorded(tmp_path, "submit", config) as run:
        keep_scores(run, spectra, truth, (0.01, 1e-9), "2025")
    assert "own scores are not recorded" in caplog.text


def test_the_folds_of_a_run_can_be_those_of_the_next(tmp_path):
    path = tmp_path / "planets.csv"
    write_planet_scores(path, {7: 0.25}, {4294967311: 2, 7: 0, 8: 0})
    assert read_folds(path) == {4294967311: 1, 7: 0, 8: 0}, "folds are counted without gaps"
    assert read_planet_scores(path) == {7: 0.25}


@pytest.mark.parametrize("table", ["planet_id\n7\n", "planet_id,fold\n7,\n", "planet_id,fold\n7,-1\n", "fold\n1\n"])
def test_what_holds_no_folds_is_refused(tmp_path, table):
    (tmp_path / "folds.csv").write_text(table)
    with pytest.raises(CompetitionDataError):
        read_folds(tmp_path / "folds.csv")
