"""A competition's files, or a chosen part of them, through the real client."""

from pathlib import PurePosixPath

import pytest

from spectramind_kit.kaggle.remote.competition_download import CompetitionFile, Part, list_files
from tests.kaggle.remote.test_commands import invoke

COMPETITION = "tiny-competition"
TABLES = ("adc_info.csv", "sample_submission.csv", "train.csv")
OF_A_PLANET = ("FGS1_signal_0.parquet", "AIRS-CH0_signal_0.parquet", "FGS1_calibration_0/dark.parquet")
PLANETS = ("train/9", "train/10", "train/100", "test/7")


@pytest.fixture
def competition(kaggle):
    """Four planets of three files, and three tables."""
    names = [*TABLES, *(f"{planet}/{name}" for planet in PLANETS for name in OF_A_PLANET)]
    kaggle.files = {name: name.encode() * 100 for name in names}
    return kaggle


def download(out, *options):
    return invoke("download", "--out", out, "--competition", COMPETITION, *options)


def there(out):
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "options, planets, names",
    [
        ([], PLANETS, OF_A_PLANET),
        (["--split", "train"], PLANETS[:3], OF_A_PLANET),
        (["--planet", "7", "--planet", "10"], ["test/7", "train/10"], OF_A_PLANET),
        (["--first", "2", "--split", "train"], ["train/9", "train/10"], OF_A_PLANET),
        (["--first", "0"], [], OF_A_PLANET),
        (["--calibration-only"], PLANETS, OF_A_PLANET[2:]),
    ],
)
def test_part_that_was_chosen_arrives_in_the_competitions_layout(competition, tmp_path, options, planets, names):
    result = download(tmp_path / "out", *options)
    wanted = {*TABLES, *(f"{planet}/{name}" for planet in planets for name in names)}

    assert result.exit_code == 0, result.exception
    assert there(tmp_path / "out") == wanted
    assert all((tmp_path / "out" / name).read_bytes() == competition.files[name] for name in wanted)
    assert f"{len(wanted)} files, {len(planets)} planets" in result.stdout


def test_what_is_there_is_not_fetched_again(competition, tmp_path):
    download(tmp_path, "--planet", "7")
    (tmp_path / "test" / "7" / OF_A_PLANET[0]).write_bytes(b"cut")
    again = download(tmp_path, "--planet", "7")

    assert "1 of them fetched now" in again.stdout
    assert (tmp_path / "test" / "7" / OF_A_PLANET[0]).read_bytes() == competition.files[f"test/7/{OF_A_PLANET[0]}"]


def test_dry_run_fetches_nothing(competition, tmp_path):
    shown = download(tmp_path / "out", "--dry-run").stdout

    assert shown.startswith(f"{COMPETITION}: 15 files, 4 planets, ")
    assert not competition.called("DownloadDataFile") and not (tmp_path / "out").exists()


def test_cut_file_leaves_nothing_and_says_so(competition, tmp_path):
    competition.fail("files truncated")
    error = download(tmp_path, "--first", "0").exception

    assert "wanted 1200 bytes, got 600" in str(error) and not there(tmp_path)


def test_file_that_the_server_packed_is_unpacked(competition, tmp_path):
    competition.fail("files packed")
    download(tmp_path, "--first", "0")

    assert (tmp_path / "train.csv").read_bytes() == competition.files["train.csv"]


def test_planet_that_is_not_there_is_named(competition, tmp_path):
    assert "got ['12']" in str(download(tmp_path, "--planet", "12").exception)


def test_disk_that_is_too_small_is_said_before_anything_is_fetched(competition, tmp_path, monkeypatch):
    module = "spectramind_kit.kaggle.remote.competition_download.shutil.disk_usage"
    monkeypatch.setattr(module, lambda folder: type("Usage", (), {"free": 100}))
    error = download(tmp_path).exception

    assert "GB free; take a part: --planet" in str(error) and not competition.called("DownloadDataFile")


def test_name_that_points_outside_is_refused(competition, tmp_path):
    competition.files["../outside.csv"] = b"x"

    assert "a path below its folder" in str(download(tmp_path).exception)


@pytest.mark.parametrize(
    "options", [[], ["--first", "0"], ["--split", "train", "--first", "0"], ["--calibration-only"]]
)
def test_what_is_of_no_planet_arrives_with_every_part(competition, tmp_path, options):
    others = {"docs/notes.pdf": b"x", "metric/src/score.py": b"y", "docs/7/FGS1_signal_0.parquet": b"z"}
    competition.files |= others
    download(tmp_path, *options)

    assert others.keys() <= there(tmp_path)


def test_calibration_folders_of_2024_are_known():
    names = ("train/5/AIRS-CH0_signal.parquet", "train/5/AIRS-CH0_calibration/flat.parquet", "axis_info.parquet")
    files = [CompetitionFile(PurePosixPath(name), 1) for name in names]

    assert [str(file.path) for file in Part(calibration_only=True).of(files)] == list(names[1:])


def test_every_page_of_the_list_is_read(competition, api):
    assert len(list_files(api, COMPETITION)) == 15 and len(competition.called("ListDataFiles")) == 8
