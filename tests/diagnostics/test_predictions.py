"""Predictions beside their truth, and other answers to the same planets."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.predictions import (
    collect_predictions,
    fit_alone,
    held_out_predictions,
    population_alone,
)
from spectramind_kit.errors import ProductError, SpectraMindError
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.submission import write_submission


def write_predictions(data, path, planets, offset=1e-4):
    """Write predictions of planets, in this order, all too deep by the offset; return the labels."""
    folder = open_competition(data)
    ids, labels = folder.labels()
    known = dict(zip(ids.tolist(), labels))
    sigma = np.full(len(folder.wavelength), 2e-4)
    answers = [Spectrum(p, folder.wavelength, known.get(p, labels[0]) + offset, sigma, "fit") for p in planets]
    sample = pl.DataFrame({"planet_id": planets}).join(
        folder.sample_submission().head(1).drop("planet_id"), how="cross"
    )
    write_submission(answers, sample, path)
    return known


def test_held_out_predictions_stand_beside_their_labels(write_competition, tmp_path):
    data = write_competition("2025")
    planets = open_competition(data).labels()[0].tolist()[::-1]
    known = write_predictions(data, tmp_path / "predictions" / "train.csv", planets)
    truth, mean, sigma = held_out_predictions(data, tmp_path)

    assert np.array_equal(truth, [known[p] for p in planets])
    np.testing.assert_allclose((mean - truth) / sigma, 0.5, rtol=1e-9)


def test_held_out_planet_without_label_is_a_sentence(write_competition, tmp_path):
    data = write_competition("2025")
    planets = [*open_competition(data).labels()[0].tolist(), 999]
    write_predictions(data, tmp_path / "predictions" / "train.csv", planets)

    with pytest.raises(ProductError, match="train.csv: wanted a label of every planet"):
        held_out_predictions(data, tmp_path)


def test_the_fit_alone_is_brought_into_the_order_of_the_predictions(write_competition, tmp_path):
    data, work = write_competition("2025"), WorkFolder(tmp_path)
    folder = open_competition(data)
    planets = folder.labels()[0].tolist()
    write_predictions(data, work.predictions("train"), planets)
    (ours,) = collect_predictions(folder, tmp_path)
    assert fit_alone(folder, tmp_path, ours) is None
    write_predictions(data, work.predictions_of_the_fit, planets[::-1], offset=2e-4)
    alone = fit_alone(folder, tmp_path, ours)
    assert alone.planet_ids.tolist() == planets
    np.testing.assert_allclose(alone.error, 2e-4, rtol=1e-9)
    write_predictions(data, work.predictions_of_the_fit, planets[:1])
    assert fit_alone(folder, tmp_path, ours) is None, "another training's planets"


def test_a_folder_without_predictions_says_what_to_do(write_competition, tmp_path):
    with pytest.raises(SpectraMindError, match="run train or submit first"):
        collect_predictions(open_competition(write_competition()), tmp_path)


def test_the_population_never_knows_a_planets_own_label(predicted):
    p = predicted(20, split="train")
    alone = population_alone(p, p.known)
    np.testing.assert_allclose(alone.mean[3], np.delete(p.known, 3, axis=0).mean(axis=0))
    assert alone.score < p.score


def test_a_split_without_truth_has_no_score(predicted):
    with pytest.raises(ProductError, match="wanted the truth of every planet"):
        _ = predicted(known=False).score
