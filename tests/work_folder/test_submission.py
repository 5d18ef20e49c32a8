"""The submission: the sample's columns and rows exactly, every refusal, and the way to the file and back."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.errors import SubmissionError
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.submission import (
    COLUMNS,
    read_submission,
    submission_arrays,
    submission_table,
    validate_submission,
    wanted_rows,
    write_submission,
)

PLANETS = [4294967311, 34983, 1103775]
"""The first exceeds 32 bits; the order is not ascending."""
WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 282)])


@pytest.fixture
def spectra():
    rng = np.random.default_rng(5)
    return [
        Spectrum(planet, WAVELENGTH, rng.uniform(0.004, 0.03, 283), rng.uniform(1e-6, 3e-3, 283), "fit")
        for planet in sorted(PLANETS)
    ]


@pytest.fixture
def sample():
    values = pl.DataFrame(np.full((3, 566), 0.456), schema=list(COLUMNS[1:]))
    return values.insert_column(0, pl.Series("planet_id", PLANETS))


def test_columns_are_the_competitions(sample):
    assert len(COLUMNS) == 567
    assert (COLUMNS[1], COLUMNS[283], COLUMNS[284], COLUMNS[566]) == ("wl_1", "wl_283", "sigma_1", "sigma_283")


def test_rows_follow_the_sample_and_numbers_survive_the_file(spectra, sample, tmp_path):
    path = write_submission(spectra, sample, tmp_path / "new" / "submission.csv")
    header, *lines = path.read_text().splitlines()
    assert header.split(",") == list(COLUMNS)
    assert [line.split(",")[0] for line in lines] == ["4294967311", "34983", "1103775"]
    ids, mean, sigma = submission_arrays(read_submission(path))
    by_planet = {s.planet_id: s for s in spectra}
    for i, planet in enumerate(PLANETS):
        assert ids[i] == planet
        np.testing.assert_array_equal(mean[i], by_planet[planet].mean)
        np.testing.assert_array_equal(sigma[i], by_planet[planet].sigma)
    assert [p.name for p in path.parent.iterdir()] == ["submission.csv"]


def test_planet_without_a_spectrum_is_named(spectra, sample):
    with pytest.raises(SubmissionError, match="none for \\[34983\\]"):
        submission_table(spectra[1:], PLANETS)


def test_nothing_is_written_when_the_sample_differs(spectra, sample, tmp_path):
    path = tmp_path / "submission.csv"
    with pytest.raises(SubmissionError, match="columns of the submission"):
        write_submission(spectra, sample.rename({"wl_7": "wl_07"}), path)
    assert list(tmp_path.iterdir()) == []


def test_ids_written_as_floats_are_read_as_whole_numbers(spectra, sample, tmp_path):
    path = tmp_path / "submission.csv"
    submission_table(spectra, PLANETS).with_columns(pl.col("planet_id").cast(pl.Float64)).write_csv(path)
    table = read_submission(path)
    assert table["planet_id"].to_list() == PLANETS
    validate_submission(table, sample)


def with_value(table, row, column, value):
    values = table[column].to_list()
    values[row] = value
    return table.with_columns(pl.Series(column, values, strict=False))


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda t: t.drop("sigma_283"), "got 566, first difference: nothing instead of sigma_283 at 567"),
        (lambda t: t.with_columns(pl.lit(1.0).alias("extra")), "got 568, first difference: extra instead of nothing"),
        (lambda t: t.select(t.columns[:1] + t.columns[284:] + t.columns[1:284]), "sigma_1 instead of wl_1 at 2"),
        (lambda t: t.head(2), "rows of the submission: wanted the sample's 3, got 2"),
        (lambda t: t.reverse(), "1103775 instead of 4294967311 at 1"),
        (lambda t: t.with_columns(pl.lit("much").alias("wl_9")), "column wl_9: wanted numbers, got String"),
        (
            lambda t: with_value(t, 1, "wl_5", -1e-4),
            "planet 34983, column wl_5: wanted a finite number above 0.*-0.0001",
        ),
        (lambda t: with_value(t, 2, "sigma_1", 0.0), "planet 1103775, column sigma_1.*got 0.0"),
        (lambda t: with_value(t, 0, "sigma_8", float("nan")), "planet 4294967311, column sigma_8.*got nan"),
        (lambda t: with_value(t, 0, "wl_8", None), "planet 4294967311, column wl_8.*got nan"),
        (lambda t: with_value(t, 0, "wl_283", float("inf")), "column wl_283.*got inf"),
        (lambda t: with_value(t, 0, "wl_2", 1.01), "column wl_2.*at most 1, got 1.01"),
    ],
)
def test_what_would_be_refused_or_score_by_accident_is_refused(spectra, sample, spoil, says):
    table = submission_table(spectra, PLANETS)
    validate_submission(table, sample)
    with pytest.raises(SubmissionError, match=says):
        validate_submission(spoil(table), sample)


def test_text_among_the_numbers_is_named(spectra):
    table = submission_table(spectra, PLANETS).with_columns(pl.lit("much").alias("sigma_9"))

    with pytest.raises(SubmissionError, match="column sigma_9: wanted numbers, got String"):
        submission_arrays(table)


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(SubmissionError, match="no such file; run `spectramind submit`"):
        read_submission(tmp_path / "submission.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(SubmissionError, match="empty.csv: wanted a readable table"):
        read_submission(tmp_path / "empty.csv")
    (tmp_path / "other.csv").write_text("id,value\n1,2\n")
    with pytest.raises(SubmissionError, match="other.csv: wanted a readable table"):
        read_submission(tmp_path / "other.csv")
    with pytest.raises(SubmissionError, match="wanted a planet, got none"):
        submission_arrays(pl.DataFrame({"planet_id": [], "wl_1": []}))
    with pytest.raises(SubmissionError, match="wanted 567, got 2"):
        submission_arrays(pl.DataFrame({"planet_id": [1], "wl_1": [0.1]}))


def test_a_sample_of_planets_none_of_which_is_there_is_no_list_of_planets(write_competition):
    data = write_competition()
    (data / "train").rename(data / "test")
    path = data / "sample_submission.csv"
    path.write_text(path.read_text().replace("\n34983,", "\n3.5E+04,").replace("\n4294967311,", "\n4.3E+09,"))
    sample, problems = wanted_rows(open_competition(data))
    assert sample["planet_id"].to_list() == [34983, 4294967311]
    assert "wanted planets with a folder in test/, got 35000 and others" in problems[0]


def test_a_planet_without_a_folder_has_a_row(write_competition):
    data = write_competition()
    (data / "train").rename(data / "test")
    (data / "test" / "34983").rename(data / "test" / "7")
    sample, problems = wanted_rows(open_competition(data))
    assert sample["planet_id"].to_list() == [34983, 4294967311] and problems == ()
