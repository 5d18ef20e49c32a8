"""Tables as they come: what is no row costs no other row, and the file that is named is the one that is read."""

import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels, detector_pixels, read_calibration_frames
from spectramind_kit.competition.tables import read_table, read_text_table, rows_of_planets, with_integer_ids
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.instruments import CHANNELS


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n", "  \n", ",\n", ",,\n\n", "\n \t\n"])
def test_lines_without_values_are_no_rows(tmp_path, end):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\nplanet_id,wl_1\n7,0.5\n\n4294967311,0.25\n" + end.encode())
    table = with_integer_ids(read_table(path), "t.csv")
    assert table.rows() == [(7, 0.5), (4294967311, 0.25)]


@pytest.mark.parametrize("name", ["sample_submission.csv", "adc_info.csv", "train.csv", "test_star_info.csv"])
@pytest.mark.parametrize("end", ["\n", " \r\n", ",,,\n"])
def test_every_table_of_a_folder_bears_blank_lines(write_competition, name, end):
    data = write_competition()
    (data / name).write_text((data / name).read_text() + end)
    folder = open_competition(data)
    assert folder.sample_submission()["planet_id"].to_list() == [34983, 4294967311]
    assert folder.labels()[0].tolist() == [34983, 4294967311]
    assert folder.planet("test", 34983).flags == {} and len(folder.observations("train", 34983)) == 1


@pytest.mark.parametrize(
    "line", ["the end", "# 3 rows", "a,b,c,d,e,f,g,h,i,j,k,l", '"', "1.5,1,1,1,1,1,1,1,1", "\xff\xfe"]
)
def test_a_line_of_text_in_the_star_table_costs_no_planet(write_competition, line):
    data = write_competition()
    path = data / "test_star_info.csv"
    path.write_bytes(path.read_bytes() + line.encode("latin-1") + b"\n")
    folder = open_competition(data)
    for planet in (34983, 4294967311):
        assert folder.planet("test", planet).flags == {} and folder.planet("test", planet).star.temperature == 5600.0


@pytest.mark.parametrize("value", ["", "nan", "1.5", "b", "inf"])
def test_a_row_without_a_planet_is_refused_where_every_row_counts(tmp_path, value):
    path = tmp_path / "sample_submission.csv"
    path.write_text(f"planet_id,wl_1\n7,0.5\n{value},0.25\n")
    with pytest.raises(CompetitionDataError, match="whole numbers in column planet_id, got .* in row 2"):
        with_integer_ids(read_table(path), path.name)
    assert list(rows_of_planets(read_text_table(path), path.name)) == [7]


def test_brackets_in_a_path_are_no_pattern(tmp_path):
    for name, value in (("set[1]", 1), ("set1", 2), ("a*", 3), ("ab", 4)):
        (tmp_path / name).mkdir()
        pl.DataFrame({"planet_id": [value]}).write_parquet(tmp_path / name / "t.parquet")
        pl.DataFrame({"planet_id": [value]}).write_csv(tmp_path / name / "t.csv")
    for name, value in (("set[1]", 1), ("a*", 3)):
        for kind in ("parquet", "csv"):
            assert read_table(tmp_path / name / f"t.{kind}")["planet_id"].to_list() == [value]


def test_every_file_of_a_folder_with_brackets_is_its_own(write_competition):
    data = write_competition()
    named = data.rename(data.with_name("set[1]"))
    folder = open_competition(named)
    (observation,) = folder.observations("train", 34983)
    for channel in CHANNELS.values():
        assert len(decode_pixels(observation, channel.name, *detector_pixels(channel, (0, 1))).time) > 0
        assert read_calibration_frames(observation, channel.name).flags == {}


def test_every_damaged_byte_of_a_small_parquet_file_is_read_or_refused(tmp_path):
    """Some make polars panic, which is no ``Exception``."""
    path = tmp_path / "t.parquet"
    pl.DataFrame({"planet_id": [7, 8], "dead": [True, False]}).write_parquet(path)
    content = path.read_bytes()
    outcomes = set()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            read_table(path)
            outcomes.add("read")
        except CompetitionDataError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
