"""The report of a work folder: the edition's score, what is asked for in depth, and what may be missing."""

import dataclasses
import json
import shutil

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.diagnostics.payload import unpacked
from spectramind_kit.diagnostics.report import write_report
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.metric import score
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.submission import write_submission
from tests.diagnostics.test_page import carried


@pytest.fixture(scope="module")
def quick():
    """A configuration that shows little in depth, and looks at no network."""
    return load_config(["diagnostics.planets_shown=1", "diagnostics.importance_seconds=0"])


@pytest.fixture
def submitted(write_competition, tmp_path):
    """A maker of a competition and a work folder with a submission of its two planets, all 1e-4 too deep."""

    def make(edition="2025"):
        data, rng = write_competition(edition), np.random.default_rng(0)
        labels = data / ("train.csv" if edition == "2025" else "train_labels.csv")
        table = pl.read_csv(labels)
        columns, planets = table.columns[1:], table["planet_id"].to_list()

        def spectra(levels):
            drawn = np.array(levels)[:, None] * (1.0 + 0.01 * rng.standard_normal((len(planets), len(columns))))
            return pl.DataFrame(drawn, schema=columns).insert_column(0, table["planet_id"]), drawn

        known, known_spectra = spectra([0.005, 0.030])
        known.write_csv(labels)
        truth, true_spectra = spectra([0.014, 0.016])
        truth.write_csv(tmp_path / "truth.csv")
        folder, work = open_competition(data), tmp_path / "work"
        sigma = np.full(len(columns), 2e-4)
        answers = [Spectrum(p, folder.wavelength, t + 1e-4, sigma, "fit") for p, t in zip(planets, true_spectra)]
        write_submission(answers, folder.sample_submission(), work / "submission.csv")
        arrays = true_spectra, true_spectra + 1e-4, np.tile(sigma, (2, 1))
        by_labels = score(*arrays, (float(known_spectra.mean()), float(known_spectra.std())), edition)
        return data, work, by_labels, score(*arrays, edition=edition)

    return make


@pytest.mark.parametrize("edition", ["2025", "2024"])
def test_test_planets_are_scored_from_the_training_labels(submitted, quick, tmp_path, edition):
    data, work, by_labels, by_themselves = submitted(edition)
    page = write_report(data, work, quick, truth=tmp_path / "truth.csv").read_text()
    assert f"Score {by_labels:.3f} ± " in page and f"{by_labels:.3f}" != f"{by_themselves:.3f}"
    rows = json.loads(unpacked(carried(page, "rows")))
    assert len(rows) == 2 and np.mean([row["score"] for row in rows]) == pytest.approx(by_labels)


def test_a_hidden_test_has_a_report_without_scores(submitted, quick):
    data, work, *_ = submitted()
    page = write_report(data, work, quick).read_text()
    assert "so there is no score" in page and "could not be made" not in page and "nan" not in page.split("<script")[0]
    assert {row["score"] for row in json.loads(unpacked(carried(page, "rows")))} == {None}


def test_a_planet_that_is_not_there_is_a_sentence(submitted, quick):
    data, work, *_ = submitted()
    with pytest.raises(SpectraMindError, match="planet 99 in depth: wanted a planet of this run"):
        write_report(data, work, quick, planets=[99])


@pytest.fixture
def trained(competition, trained_work, tmp_path):
    """A trained work folder of one's own, and its competition."""
    return competition.data, shutil.copytree(trained_work, tmp_path / "trained")


def test_every_planet_of_a_trained_folder_can_be_opened(trained, quick):
    data, work = trained
    page = write_report(data, work, quick).read_text()
    panes = json.loads(carried(page, "panes"))
    assert len(panes) == 6 and "could not be made" not in page
    shown = {key: json.loads(unpacked(address)) for key, address in panes.items()}
    assert all({"Fit, visit 0", "Spectrum"} <= titles(pane) for pane in shown.values())
    assert sum("Raw frame, FGS1" in titles(pane) for pane in shown.values()) == 1
    later = next(key for key, pane in shown.items() if "Raw frame, FGS1" not in titles(pane))
    page = write_report(data, work, quick, planets=[int(later.split("/")[1])]).read_text()
    assert "Raw frame, FGS1" in titles(json.loads(unpacked(json.loads(carried(page, "panes"))[later])))


def titles(pane):
    return {title for title in ("Fit, visit 0", "Spectrum", "Raw frame, FGS1") if f"<b>{title}</b>" in pane["html"]}


def test_the_configuration_that_is_shown_made_the_products(trained, quick):
    data, work = trained
    given = dataclasses.replace(quick, seed=424242)
    page = write_report(data, work, given).read_text()
    manifest = json.loads((work / "manifest.json").read_text())
    assert "424242" not in page and f"&#34;seed&#34;: {manifest['config']['seed']}" in page


def test_products_that_cannot_be_read_cost_their_figures_only(trained, quick):
    data, work = trained
    for path in work.rglob("fits/*/*.npz"):
        path.write_bytes(b"older")
    page = write_report(data, work, quick).read_text()
    rows = json.loads(unpacked(carried(page, "rows")))
    assert "could not be made" not in page and all("cannot be read" in " ".join(row["problems"]) for row in rows)


def test_runs_are_compared_by_folder_or_by_report(trained, quick):
    data, work = trained
    other = shutil.copytree(work, work.with_name("other"))
    by_folder = write_report(data, work, quick, compare=other).read_text()
    write_report(data, other, quick)
    by_report = write_report(data, work, quick, compare=other / "report.json").read_text()
    for page in (by_folder, by_report):
        assert "Compared with other" in page and "+0.0000 ± 0.0000" in page
