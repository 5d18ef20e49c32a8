"""Reading frames: the right pixels in the right order, and every damage named with its file and planet."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import (
    DecodedPixels,
    decode_pixels,
    detector_pixels,
    read_calibration_frames,
    read_frame,
)
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.work_folder.provenance import fingerprint


@pytest.fixture
def visit(write_competition):
    return open_competition(write_competition()).observations("train", 34983)[0]


def signal(visit, channel):
    return visit.files[channel].signal


def rewrite(path, change):
    change(pl.read_parquet(path)).write_parquet(path)


def read_all(visit, channel="FGS1"):
    return decode_pixels(visit, channel, *detector_pixels(CHANNELS[channel])).cube()


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_pixel_major_reading_is_the_reshaped_frame(visit, channel):
    random = np.random.default_rng(0).integers(0, 65535, (16, channel.n_pixel), dtype=np.uint16)
    rewrite(signal(visit, channel.name), lambda t: pl.DataFrame(random, schema=t.columns))
    cube = read_all(visit, channel.name)
    assert cube.counts.dtype == np.uint16 and cube.counts.flags.c_contiguous
    frames = random.reshape(16, channel.n_row, channel.n_column)
    np.testing.assert_array_equal(cube.counts.reshape(*channel.shape, 16), np.moveaxis(frames, 0, -1))
    np.testing.assert_array_equal(cube.time, visit.axis.frame_time[channel.name][:16])


def test_only_the_asked_pixels_are_read_in_the_order_asked(visit):
    rows, columns = np.array([31, 0, 16, 5]), np.array([0, 355, 40, 320])
    cube = decode_pixels(visit, AIRS.name, rows, columns).cube()
    frames = pl.read_parquet(signal(visit, AIRS.name)).to_numpy().reshape(-1, 32, 356)
    np.testing.assert_array_equal(cube.counts, frames[:, rows, columns].T)


def test_detector_pixels_run_row_by_row():
    rows, columns = detector_pixels(AIRS, (39, 321))
    assert len(rows) == 32 * 282
    assert (rows[:282] == 0).all() and (columns[:282] == np.arange(39, 321)).all()
    assert (rows[-1], columns[-1]) == (31, 320)


def test_fewer_frames_than_the_axis_are_the_first_ones(visit):
    rewrite(signal(visit, "FGS1"), lambda t: t.head(10))
    cube = read_all(visit)
    assert cube.counts.shape == (1024, 10)
    np.testing.assert_array_equal(cube.time, visit.axis.frame_time["FGS1"][:10])


def test_the_last_frame_of_an_odd_number_has_no_partner(visit):
    rewrite(signal(visit, "FGS1"), lambda t: t.head(7))
    assert read_all(visit).counts.shape == (1024, 6)


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda t: t.clear(), "got an empty table"),
        (lambda t: t.head(1), "2 to 192 frames .*got 1"),
        (lambda t: pl.concat([t, t]), "2 to 192 frames .*got 384"),
        (lambda t: t.cast(pl.Float64), "uint16 counts, got Float64"),
        (lambda t: t.with_columns(pl.col("column_700").cast(pl.Int32)), "uint16 counts, got Int32 in 1 columns"),
        (lambda t: t.with_columns(pl.lit(None, pl.UInt16).alias("column_3")), "got missing values"),
        (lambda t: t.drop("column_9"), r"1024 columns \(32 x 32\), got 1023; download the file again"),
    ],
)
def test_damaged_signal_names_planet_visit_and_file(visit, damage, says):
    rewrite(signal(visit, "FGS1"), damage)
    with pytest.raises(CompetitionDataError, match=says) as caught:
        read_all(visit)
    assert "FGS1 signal of planet 34983, visit 0 (FGS1_signal_0.parquet)" in str(caught.value)


def test_wrong_channels_file_is_recognised(visit):
    signal(visit, "AIRS-CH0").write_bytes(signal(visit, "FGS1").read_bytes())
    with pytest.raises(CompetitionDataError, match=r"11392 columns \(32 x 356\), got 1024; is this the FGS1 file\?"):
        read_all(visit, "AIRS-CH0")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.999])
def test_truncated_parquet_is_named(visit, kept):
    path = signal(visit, "FGS1")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(CompetitionDataError, match="FGS1 signal of planet 34983.*readable parquet.*download"):
        read_all(visit)


def test_garbage_within_the_file_is_not_taken_for_counts(visit):
    path = signal(visit, "AIRS-CH0")
    content = bytearray(path.read_bytes())
    content[2000:6000] = np.random.default_rng(0).bytes(4000)
    path.write_bytes(content)
    with pytest.raises(CompetitionDataError, match="readable parquet"):
        read_all(visit, "AIRS-CH0")


def test_missing_signal_and_missing_calibration_are_named(visit):
    dark = visit.files["AIRS-CH0"].calibration / "dark.parquet"
    dark.unlink()
    with pytest.raises(CompetitionDataError, match="AIRS-CH0 dark of planet 34983, visit 0.*no such file"):
        read_calibration_frames(visit, "AIRS-CH0")
    signal(visit, "FGS1").unlink()
    with pytest.raises(CompetitionDataError, match="FGS1 signal of planet 34983.*no such file; complete the folder"):
        read_all(visit)


def test_calibration_tables_keep_their_place_and_powers_ascend(visit):
    folder = visit.files["AIRS-CH0"].calibration
    numbers = 1e-30 * np.arange(6 * 32 * 356, dtype=np.float64).reshape(6 * 32, 356)
    numbers[32:64] += 1.0
    pl.DataFrame(numbers).write_parquet(folder / "linear_corr.parquet")
    frames = read_calibration_frames(visit, "AIRS-CH0")
    assert frames.linearity.shape == (6, 32, 356)
    assert frames.linearity[2, 3, 4] == numbers[2 * 32 + 3, 4]
    assert frames.dark.shape == (32, 356) and frames.dead.dtype == bool
    assert (frames.gain, frames.offset) == (0.4369, -1000.0)


@pytest.mark.parametrize(
    "table, bad",
    [("dead", None), *((t, b) for t in ("dark", "flat", "read", "linear_corr") for b in (None, np.nan, np.inf))],
)
def test_a_number_that_is_none_makes_the_pixel_dead(visit, table, bad):
    path = visit.files["FGS1"].calibration / f"{table}.parquet"
    values = pl.read_parquet(path)["column_5"].to_list()
    values[2] = bad
    rewrite(path, lambda t: t.with_columns(pl.Series("column_5", values)))
    frames = read_calibration_frames(visit, "FGS1")
    assert frames.dead[2, 5] and frames.dead.sum() == 1
    assert frames.flags == {Flag.FGS1_CALIBRATION_LOST: "1 of 1024"}
    for name in ("dark", "flat", "read_noise", "linearity"):
        assert np.isfinite(getattr(frames, name)).all()
    np.testing.assert_array_equal(frames.linearity[:, 2, 5], frames.linearity[:, 3, 5])


@pytest.mark.parametrize(
    "table, damage, says",
    [
        ("flat", lambda t: t.head(31), r"32 x 32 values, got \(31, 32\)"),
        ("dark", lambda t: t.drop("column_0"), r"got \(32, 31\)"),
        ("dark", lambda t: pl.concat([t, t]), r"got \(64, 32\)"),
        ("linear_corr", lambda t: t.head(100), r"got \(100, 32\)"),
        ("linear_corr", lambda t: t.head(32), r"got \(32, 32\)"),
        ("read", lambda t: t.cast(pl.String), "wanted numbers, got String"),
        ("flat", lambda t: t.clear(), "got an empty table"),
    ],
)
def test_calibration_tables_of_another_shape_are_refused(visit, table, damage, says):
    rewrite(visit.files["FGS1"].calibration / f"{table}.parquet", damage)
    with pytest.raises(CompetitionDataError, match=f"FGS1 {table} of planet 34983.*{says}"):
        read_calibration_frames(visit, "FGS1")


def test_the_real_frames_read_pixel_by_pixel(real_data):
    visit = open_competition(real_data).observations("train", 342072318)[0]
    cube = read_all(visit, "AIRS-CH0")
    plain = pl.read_parquet(signal(visit, "AIRS-CH0")).to_numpy().reshape(50, 32, 356)
    np.testing.assert_array_equal(cube.counts.reshape(32, 356, 50), np.moveaxis(plain, 0, -1))
    frames = read_calibration_frames(visit, "AIRS-CH0")
    assert np.median(frames.dark) == pytest.approx(0.0063, abs=1e-4)
    assert np.median(frames.read_noise) == pytest.approx(13.0, abs=0.1)
    np.testing.assert_allclose(np.median(frames.linearity, axis=(1, 2))[:2], [0.14, 1.0], atol=0.01)
    assert 0.0005 < frames.dead.mean() < 0.002


def test_an_exposure_lacks_a_read_where_every_pixel_is_zero():
    counts = np.full((8, 40), 437, dtype=np.uint16)
    counts[2], counts[7] = 0, 0  # the first read of the second exposure, the second one of the fourth
    counts[4, ::2] = 0  # half of the pixels
    table = pl.DataFrame(counts, schema=[f"column_{i}" for i in range(40)])
    pixels = DecodedPixels("FGS1", table, np.arange(40), np.arange(40), np.arange(8.0))
    assert pixels.unread_exposures().tolist() == [False, True, False, True]
    assert not DecodedPixels("FGS1", table[3:4], np.arange(40), np.arange(40), np.arange(0.0)).unread_exposures().size


def test_one_frame_of_some_columns_is_that_of_the_file(visit):
    frames = pl.read_parquet(signal(visit, AIRS.name)).to_numpy().reshape(-1, 32, 356)
    np.testing.assert_array_equal(read_frame(visit, AIRS.name, np.array([355, 4, 40]), 3), frames[3][:, [355, 4, 40]])


def test_a_frame_that_is_not_there_is_a_sentence(visit):
    with pytest.raises(CompetitionDataError, match="FGS1 signal of planet 34983.*wanted more than 5000 frames"):
        read_frame(visit, FGS1.name, np.arange(3), 5000)
    signal(visit, FGS1.name).unlink()
    with pytest.raises(CompetitionDataError, match="no such file"):
        read_frame(visit, FGS1.name, np.arange(3))


def test_files_in_a_folder_that_nobody_may_look_into_are_damaged_ones(visit, monkeypatch):
    """Root may look everywhere: the answer of the system is put on."""

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    for read in (
        lambda: decode_pixels(visit, "FGS1", *detector_pixels(FGS1)),
        lambda: read_calibration_frames(visit, "FGS1"),
        lambda: fingerprint(visit.files["FGS1"].signal),
    ):
        with pytest.raises(CompetitionDataError, match="Permission denied"):
            read()


def test_pixels_without_light_are_at_the_converter_s_zero(visit):
    files = visit.files["FGS1"]
    for channel in CHANNELS:
        dark = decode_pixels(visit, channel, *detector_pixels(CHANNELS[channel])).dark_count()
        assert dark == pytest.approx(-files.offset * files.gain, rel=0.03)
    rewrite(signal(visit, "FGS1"), lambda table: table // 2)
    dark = decode_pixels(visit, "FGS1", *detector_pixels(FGS1)).dark_count()
    assert dark == pytest.approx(-files.offset * files.gain / 2, rel=0.03)


def test_a_table_that_corrects_nothing_is_lost_where_the_other_channel_s_corrects(visit):
    assert read_calibration_frames(visit, "FGS1").flags == {}, "ideal detectors need no correction"
    rewrite(visit.files["AIRS-CH0"].calibration / "linear_corr.parquet", lambda table: table + 1e-7)
    assert read_calibration_frames(visit, "FGS1").flags.keys() == {Flag.FGS1_NOT_LINEAR}
    assert read_calibration_frames(visit, "AIRS-CH0").flags == {}
