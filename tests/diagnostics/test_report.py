"""The report's figures: the edition's score, from the zero point that the training labels set."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.report import held_out_predictions, write_report
from spectramind_kit.errors import ProductError
from spectramind_kit.metric import score
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.submission import write_submission


@pytest.mark.parametrize("edition", ["2025", "2024"])
def test_test_planets_are_scored_from_the_training_labels(write_competition, config, tmp_path, edition):
    data, rng = write_competition(edition), np.random.default_rng(0)
    labels = data / ("train.csv" if edition == "2025" else "train_labels.csv")
    table = pl.read_csv(labels)
    columns, planets = table.columns[1:], table["planet_id"].to_list()

    def spectra(levels):
        shape = (len(planets), len(columns))
        drawn = np.array(levels)[:, None] * (1.0 + 0.01 * rng.standard_normal(shape))
        return pl.DataFrame(drawn, schema=columns).insert_column(0, table["planet_id"]), drawn

    known, known_spectra = spectra([0.005, 0.030])
    known.write_csv(labels)
    truth, true_spectra = spectra([0.014, 0.016])
    truth.write_csv(tmp_path / "truth.csv")
    folder, work = open_competition(data), tmp_path / "work"
    work.mkdir()
    sigma = np.full(len(columns), 2e-4)
    answers = [Spectrum(p, folder.wavelength, t + 1e-4, sigma, "fit") for p, t in zip(planets, true_spectra)]
    write_submission(answers, folder.sample_submission(), work / "submission.csv")
    quick = dataclasses.replace(config, diagnostics=dataclasses.replace(config.diagnostics, planets_shown=0))
    page = write_report(data, work, quick, truth=tmp_path / "truth.csv").read_text()
    arrays = true_spectra, true_spectra + 1e-4, np.tile(sigma, (2, 1))
    by_labels = score(*arrays, (float(known_spectra.mean()), float(known_spectra.std())), edition)
    by_themselves = score(*arrays, edition=edition)
    assert f"<b>{by_labels:.4f}</b>score" in page and f"{by_labels:.4f}" != f"{by_themselves:.4f}"


def write_predictions(data, work, planets):
    """Write out-of-fold predictions of training planets, in this order, all 1e-4 too deep; return the labels."""
    folder = open_competition(data)
    ids, labels = folder.labels()
    known = dict(zip(ids.tolist(), labels))
    sigma = np.full(len(folder.wavelength), 2e-4)
    answers = [Spectrum(p, folder.wavelength, known.get(p, labels[0]) + 1e-4, sigma, "fit") for p in planets]
    sample = pl.DataFrame({"planet_id": planets}).join(
        folder.sample_submission().head(1).drop("planet_id"), how="cross"
    )
    write_submission(answers, sample, work / "predictions" / "train.csv")
    return known


def test_held_out_predictions_stand_beside_their_labels(write_competition, tmp_path):
    data = write_competition("2025")
    planets = open_competition(data).labels()[0].tolist()[::-1]
    known = write_predictions(data, tmp_path, planets)
    truth, mean, sigma = held_out_predictions(data, tmp_path)

    assert np.array_equal(truth, [known[p] for p in planets])
    np.testing.assert_allclose((mean - truth) / sigma, 0.5, rtol=1e-9)


def test_held_out_planet_without_label_is_a_sentence(write_competition, tmp_path):
    data = write_competition("2025")
    write_predictions(data, tmp_path, [*open_competition(data).labels()[0].tolist(), 999])

    with pytest.raises(ProductError, match="train.csv: wanted a label of every planet"):
        held_out_predictions(data, tmp_path)
