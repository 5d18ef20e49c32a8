"""A submission that is there from the first minute: always whole, better with every planet, safe from full disks."""

import errno
import os

import numpy as np
import polars as pl
import pytest

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder import growing_submission
from spectramind_kit.work_folder.growing_submission import GrowingSubmission, require_writable
from spectramind_kit.work_folder.submission import COLUMNS, read_submission, validate_submission

PLANETS = [7, 4294967311, 34983]
SAMPLE = pl.DataFrame(np.full((3, 566), 0.4), schema=list(COLUMNS[1:])).insert_column(
    0, pl.Series("planet_id", PLANETS)
)


def spectrum(planet, depth=0.0147):
    return Spectrum(planet, np.full(283, np.nan), np.full(283, depth), np.full(283, 0.01), "population")


@pytest.fixture
def growing(tmp_path):
    return GrowingSubmission([spectrum(planet) for planet in PLANETS], SAMPLE, tmp_path / "submission.csv")


def depths(folder):
    table = read_submission(folder / "submission.csv")
    validate_submission(table, SAMPLE)
    return table["wl_1"].to_list()


def test_it_is_whole_from_the_start_and_grows_at_most_once_a_minute(growing, tmp_path, monkeypatch):
    assert depths(tmp_path) == [0.0147] * 3
    growing.put(spectrum(34983, 0.02))
    assert depths(tmp_path) == [0.0147] * 3, "a minute has not passed"
    monkeypatch.setattr(growing_submission, "SECONDS_BETWEEN_WRITES", 0.0)
    growing.put(spectrum(7, 0.03))
    assert depths(tmp_path) == [0.03, 0.0147, 0.02]
    growing.finish([spectrum(4294967311, 0.04)])
    assert depths(tmp_path) == [0.03, 0.04, 0.02]
    assert [path.name for path in tmp_path.iterdir()] == ["submission.csv"], "nothing is left beside it"


@pytest.mark.parametrize("fails", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_file_of_the_minute_before(growing, tmp_path, monkeypatch, caplog, fails):
    monkeypatch.setattr(growing_submission, "SECONDS_BETWEEN_WRITES", 0.0)
    with monkeypatch.context() as full:
        full.setattr(os, fails, no_space)
        growing.put(spectrum(7, 0.03))
    assert depths(tmp_path) == [0.0147] * 3 and "stays as it was" in caplog.text
    growing.put(spectrum(34983, 0.02))
    assert depths(tmp_path) == [0.03, 0.0147, 0.02], "the next minute's has everything"


def no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_space_for_one_file_more_is_kept_while_it_grows(growing, tmp_path):
    reserved = tmp_path / ".submission.csv.reserved"
    assert reserved.stat().st_size >= (tmp_path / "submission.csv").stat().st_size
    growing.close()
    assert not reserved.exists() and depths(tmp_path) == [0.0147] * 3


def test_a_disk_without_room_for_the_reserve_is_no_error(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    GrowingSubmission([spectrum(planet) for planet in PLANETS], SAMPLE, tmp_path / "submission.csv")
    assert depths(tmp_path) == [0.0147] * 3 and "no space can be reserved" in caplog.text


def test_a_work_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    require_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(SpectraMindError, match="a folder that can be written to.*--work"):
        require_writable(tmp_path / "file" / "below")
    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(SpectraMindError, match="No space left"):
        require_writable(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
