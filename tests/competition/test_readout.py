"""ADC constants and axes: numbers that can be, and known ones where a folder has lost its own."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag


def rewrite_axis(root, column, change):
    path = root / "axis_info.parquet"
    table = pl.read_parquet(path)
    values = change(table[column].to_list())
    table.with_columns(pl.Series(column, values)).write_parquet(path)


def swapped(values):
    return [values[1], values[0], *values[2:]]


@pytest.mark.parametrize("column", ["AIRS-CH0-axis0-h", "FGS1-axis0-h", "AIRS-CH0-axis2-um"])
@pytest.mark.parametrize(
    "change",
    [
        swapped,
        lambda values: [np.nan, *values[1:]],
        lambda values: [np.inf if values[0] > 1 else -np.inf, *values[1:]],
        lambda values: [values[1], *values[1:]],
        lambda values: [str(value) for value in values],
        lambda values: [None] * len(values),
        lambda values: [None if value is None else 3600.0 * value + 1e3 for value in values],
    ],
)
def test_an_axis_that_cannot_be_is_refused(write_competition, column, change):
    root = write_competition()
    rewrite_axis(root, column, change)
    with pytest.raises(CompetitionDataError, match=column):
        _ = open_competition(root).axis


@pytest.mark.parametrize("value", [1e300, 1e-9, -0.4, 0.0])
def test_a_gain_that_cannot_be_is_refused(write_competition, value):
    root = write_competition()
    table = pl.read_csv(root / "adc_info.csv").with_columns(pl.lit(value).alias("AIRS-CH0_adc_gain"))
    table.write_csv(root / "adc_info.csv")
    with pytest.raises(CompetitionDataError, match="AIRS-CH0_adc_gain: wanted a number from"):
        open_competition(root).observations("train", 34983)


def lose_adc(root):
    (root / "adc_info.csv").write_text("no table")


def lose_axis(root):
    (root / "axis_info.parquet").unlink()


@pytest.mark.parametrize("lose, flag", [(lose_adc, Flag.ADC_OF_TRAINING), (lose_axis, Flag.AXIS_OF_TRAINING)])
def test_known_constants_stand_in_for_lost_tables_with_a_flag(write_competition, lose, flag):
    root = write_competition()
    (before,), known = open_competition(root).observations("train", 34983), open_competition(root).readout("train")
    lose(root)
    with pytest.raises(CompetitionDataError):
        open_competition(root).observations("train", 34983)
    (after,) = open_competition(root, known).observations("train", 34983)
    assert after.planet.flags.keys() == {flag} and before.planet.flags == {}
    assert after.files == before.files
    assert after.axis.wavelength.tolist() == before.axis.wavelength.tolist()


def test_known_constants_never_replace_own_ones(write_competition):
    root = write_competition()
    known = open_competition(root).readout("train")
    (root / "adc_info.csv").write_text((root / "adc_info.csv").read_text().replace("0.4369", "0.5"))
    (visit,) = open_competition(root, known).observations("train", 34983)
    assert visit.files["FGS1"].gain == 0.5 and visit.planet.flags == {}


def test_constants_of_another_edition_are_not_used(write_competition):
    root = write_competition()
    known = open_competition(root).readout("train")
    lose_axis(root)
    (root / "adc_info.csv").rename(root / "train_adc_info.csv")  # which makes it a folder of 2024
    with pytest.raises(CompetitionDataError, match="axis_info"):
        _ = open_competition(root, known).axis


def test_planets_that_differ_have_no_constants_in_common(write_competition):
    root = write_competition(edition="2024")
    assert open_competition(root).readout("train").adc is not None
    text = (root / "train_adc_info.csv").read_text()
    (root / "train_adc_info.csv").write_text(text.replace("0.4369", "0.84", 1))
    readout = open_competition(root).readout("train")
    assert readout.adc is None and readout.axis is not None


def test_a_planet_of_2024_without_a_row_gets_what_all_others_have(write_competition):
    root = write_competition(edition="2024")
    known = open_competition(root).readout("train")
    table = pl.read_csv(root / "train_adc_info.csv").filter(pl.col("planet_id") != 34983)
    table.write_csv(root / "train_adc_info.csv")
    (visit,) = open_competition(root, known).observations("train", 34983)
    assert visit.files["FGS1"].gain == 0.4369 and Flag.ADC_OF_TRAINING in visit.planet.flags
