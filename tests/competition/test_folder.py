"""The competition folder in both editions: what it tells, and how it names what is missing or wrong."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition, read_spectra
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag

BIG_ID = 4294967311
"""More than 32 bits can hold."""


def rewrite(path, change):
    """Change a table in place."""
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    table = change(table)
    table.write_parquet(path) if path.suffix == ".parquet" else table.write_csv(path)


def set_text(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_2025_planets_visits_files_and_constants(write_competition):
    root = write_competition(visits=2)
    folder = open_competition(root)
    assert (folder.edition, folder.planet_ids("train"), folder.missing_tables()) == ("2025", [34983, BIG_ID], [])
    first, second = folder.observations("train", BIG_ID)
    assert (first.visit, second.visit) == (0, 1)
    assert second.name == f"planet {BIG_ID}, visit 1"
    files = second.files["AIRS-CH0"]
    assert files.signal == root / "train" / str(BIG_ID) / "AIRS-CH0_signal_1.parquet"
    assert files.calibration.name == "AIRS-CH0_calibration_1"
    assert (files.gain, files.offset) == (0.4369, -1000.0)
    assert first.planet.star.temperature == 5600.0
    assert first.planet.orbit.inclination == 89.1


def test_2024_has_one_visit_no_star_and_its_own_adc_row(write_competition):
    root = write_competition(edition="2024")
    set_text(root / "train_adc_info.csv", "0.4369", "0.84")
    folder = open_competition(root)
    assert folder.edition == "2024"
    (visit,) = folder.observations("train", 34983)
    assert visit.files["FGS1"].signal.name == "FGS1_signal.parquet"
    assert visit.files["AIRS-CH0"].calibration.name == "AIRS-CH0_calibration"
    assert visit.files["FGS1"].gain == 0.84
    assert folder.observations("train", BIG_ID)[0].files["FGS1"].gain == 0.4369
    assert visit.planet.star is None and visit.planet.flags == {}
    ids, spectra = folder.labels()
    assert ids.tolist() == [34983, BIG_ID] and spectra.shape == (2, 283)


def test_times_and_wavelengths_come_from_the_axis(write_competition):
    axis = open_competition(write_competition()).axis
    np.testing.assert_allclose(axis.frame_time["AIRS-CH0"][:4], [0.1, 0.2, 4.9, 5.0])
    np.testing.assert_allclose(axis.frame_time["FGS1"][:4], [0.1, 0.2, 0.5, 0.6])
    assert len(axis.frame_time["AIRS-CH0"]) == 16 and len(axis.frame_time["FGS1"]) == 192
    assert axis.wavelength[0] > axis.wavelength[-1]


def test_whole_numbers_come_from_float_ids(write_competition):
    """The real test table holds ids as 1103775.0."""
    root = write_competition()
    assert "34983.0" in (root / "test_star_info.csv").read_text()
    assert open_competition(root).planet("test", BIG_ID).star is not None
    rewrite(root / "sample_submission.csv", lambda t: t.with_columns(pl.col("planet_id").cast(pl.Float64)))
    assert open_competition(root).sample_submission()["planet_id"].to_list() == [34983, BIG_ID]


def test_no_folder_and_no_tables(tmp_path):
    with pytest.raises(CompetitionDataError, match="no such folder; give the folder that holds train/"):
        open_competition(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(CompetitionDataError, match=r"adc_info.csv.*got \['notes.txt'\]"):
        open_competition(tmp_path)


@pytest.mark.parametrize(
    "name, ask",
    [
        ("axis_info.parquet", lambda f: f.axis),
        ("wavelengths.csv", lambda f: f.wavelength),
        ("sample_submission.csv", lambda f: f.sample_submission()),
        ("train.csv", lambda f: f.labels()),
    ],
)
def test_missing_and_unreadable_tables_are_named(write_competition, name, ask):
    root = write_competition()
    (root / name).write_bytes((root / name).read_bytes()[:40] if name.endswith("parquet") else b"")
    with pytest.raises(CompetitionDataError, match=f"{name}: wanted a readable table.*download"):
        ask(open_competition(root))
    (root / name).unlink()
    folder = open_competition(root)
    assert folder.missing_tables() == [name]
    with pytest.raises(CompetitionDataError, match=f"{name}.*no such file; complete the competition folder"):
        ask(folder)


def test_missing_axis_columns_and_wrong_widths_are_named(write_competition):
    root = write_competition()
    rewrite(root / "axis_info.parquet", lambda t: t.drop("FGS1-axis0-h"))
    with pytest.raises(CompetitionDataError, match="wanted column 'FGS1-axis0-h', got .*AIRS-CH0-axis0-h"):
        _ = open_competition(root).axis
    rewrite(root / "wavelengths.csv", lambda t: t.drop("wl_283"))
    with pytest.raises(CompetitionDataError, match="wanted column 'wl_283'"):
        _ = open_competition(root).wavelength


def test_axis_of_another_detector_is_refused(write_competition):
    root = write_competition()
    rewrite(
        root / "axis_info.parquet",
        lambda t: t.with_columns(pl.when(pl.col("AIRS-CH0-axis2-um") > 2).then(pl.col("AIRS-CH0-axis2-um"))),
    )
    with pytest.raises(CompetitionDataError, match="wanted 356 wavelengths, got 3"):
        _ = open_competition(root).axis


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda t: t.drop("wl_17"), "wanted column 'wl_17'"),
        (lambda t: t.with_columns(wl_3=pl.Series([0.01, None])), f"NaN in the row of planet {BIG_ID}"),
        (lambda t: t.with_columns(wl_3=pl.Series([np.nan, 0.01])), "NaN in the row of planet 34983"),
        (lambda t: t.with_columns(pl.lit("deep").alias("wl_3")), "numbers in column 'wl_3', got String"),
        (lambda t: t.rename({"planet_id": "planet"}), "a column planet_id"),
        (
            lambda t: t.with_columns(pl.lit("b").alias("planet_id")),
            "whole numbers in column planet_id, got 'b'",
        ),
    ],
)
def test_labels_that_are_none_are_refused(write_competition, spoil, says):
    path = write_competition() / "train.csv"
    rewrite(path, spoil)
    with pytest.raises(CompetitionDataError, match=says):
        read_spectra(path)


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda t: t.drop("FGS1_adc_gain"), "wanted column 'FGS1_adc_gain'"),
        (
            lambda t: t.with_columns(pl.lit(0.0).alias("FGS1_adc_gain")),
            "FGS1_adc_gain: wanted a number from 0.001 to 1000, got 0.0",
        ),
        (
            lambda t: t.with_columns(pl.lit("?").alias("AIRS-CH0_adc_offset")),
            "one row of numbers, got 0 of 1 lines",
        ),
        (lambda t: t.clear(), "wanted one row of numbers, got 0 of 0 lines"),
    ],
)
def test_converter_constants_must_be_there(write_competition, change, says):
    root = write_competition()
    rewrite(root / "adc_info.csv", change)
    with pytest.raises(CompetitionDataError, match=says):
        open_competition(root).observations("train", 34983)


def test_2024_planet_without_adc_row_is_named(write_competition):
    root = write_competition(edition="2024")
    rewrite(root / "train_adc_info.csv", lambda t: t.filter(pl.col("planet_id") != 34983))
    folder = open_competition(root)
    with pytest.raises(CompetitionDataError, match="train_adc_info.csv, planet 34983: wanted one row"):
        folder.observations("train", 34983)
    assert len(folder.observations("train", BIG_ID)) == 1


@pytest.mark.parametrize("written", ["", "NaN", "nan", "n/a", "-1.0", "0.0"])
def test_unusable_orbit_costs_the_orbit_only(write_competition, written):
    root = write_competition()
    set_text(root / "train_star_info.csv", ",3.3,", f",{written},")
    folder = open_competition(root)
    planet = folder.planet("train", 34983)
    assert planet.orbit is None and planet.star.radius == 1.1 and planet.mass == 0.9
    assert planet.flags == {Flag.STAR_ROW_INCOMPLETE: "P in train_star_info.csv"}
    assert folder.planet("train", BIG_ID).orbit.period == 3.3


def test_star_table_row_or_table_missing_becomes_a_flag(write_competition):
    root = write_competition()
    rewrite(root / "train_star_info.csv", lambda t: t.filter(pl.col("planet_id") != 34983))
    planet = open_competition(root).planet("train", 34983)
    assert planet.star is None and planet.flags == {Flag.STAR_ROW_MISSING: "train_star_info.csv"}
    (root / "train_star_info.csv").unlink()
    folder = open_competition(root)
    assert folder.planet("train", 34983).flags == {Flag.STAR_TABLE_MISSING: "train_star_info.csv"}
    assert folder.planet("test", 34983).star is not None
    assert folder.missing_tables() == ["train_star_info.csv"]


def test_missing_split_planet_and_visits_are_named(write_competition):
    root = write_competition()
    folder = open_competition(root)
    with pytest.raises(CompetitionDataError, match="split 'test'"):
        folder.planet_ids("test")
    with pytest.raises(CompetitionDataError, match="planet 77: wanted a folder"):
        folder.observations("train", 77)
    (root / "train" / "77").mkdir()
    with pytest.raises(CompetitionDataError, match="FGS1_signal_0.parquet"):
        folder.observations("train", 77)


def test_a_visit_counts_when_any_of_its_entries_is_there(write_competition):
    """A visit that lost a file must fail when read, not vanish."""
    root = write_competition(visits=2)
    for name in ("AIRS-CH0_signal_1.parquet", "FGS1_signal_1.parquet"):
        (root / "train" / "34983" / name).unlink()
    assert [o.visit for o in open_competition(root).observations("train", 34983)] == [0, 1]


def test_the_real_folder(real_data):
    folder = open_competition(real_data)
    assert folder.edition == "2025" and folder.planet_ids("train") == [342072318]
    assert folder.missing_tables() == ["train.csv"]
    (visit,) = folder.observations("train", 342072318)
    assert visit.planet.star is not None and visit.planet.flags == {}
    assert folder.planet("test", 1103775).orbit.semi_major_axis == pytest.approx(15.43293, abs=1e-5)
    assert len(visit.axis.frame_time["AIRS-CH0"]) == 11_250 and len(visit.axis.frame_time["FGS1"]) == 135_000
    science = visit.axis.wavelength[39:321][::-1]
    np.testing.assert_allclose(science, folder.wavelength[1:], atol=1e-6)


def test_folders_that_are_no_planets_are_left_alone(write_competition):
    root = write_competition()
    for name in ("99999999999999999999", "007", "²", "-5", ".ipynb_checkpoints", "8.0", "34983 (copy)"):
        (root / "train" / name).mkdir()
    (root / "train" / "12").write_text("a file")
    assert open_competition(root).planet_ids("train") == [34983, BIG_ID]
