"""The compiled chain, the torch chain and their reference implementation give the same light, moments and variances."""

import dataclasses
from functools import partial

import numpy as np
import polars as pl
import pytest

from spectramind_kit.calibration import compiled, fused, gpu
from spectramind_kit.calibration.fused import bin_decoded
from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.calibration.pixel_bins import bin_pixels
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import DecodedPixels, decode_pixels, read_calibration_frames
from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.products import CalibrationFrames

N_PIXEL = 90
TOLERANCE = 1e-6
"""Largest relative difference; both paths round in float32."""


def random_frames(channel, rng):
    """Calibration tables with every effect in them, bad pixels included."""
    linearity = np.zeros((6, *channel.shape))
    linearity[:2] = [[[0.2]], [[1.0]]]
    linearity[2:] = rng.normal(1.0, 0.2, (4, *channel.shape)) * np.array([-6e-9, 1e-11, -6e-17, 1e-22])[:, None, None]
    flat = rng.normal(1.0, 0.04, channel.shape)
    flat.ravel()[::37] = 0.1
    return CalibrationFrames(
        dark=rng.exponential(0.01, channel.shape) + 20.0 * (rng.random(channel.shape) < 0.03),
        dead=rng.random(channel.shape) < 0.03,
        flat=flat,
        read_noise=rng.normal(13.0, 1.0, channel.shape),
        linearity=linearity,
        gain=0.4369,
        offset=-1000.0,
    )


def random_pixels(channel, rng, n_frame, n_hit=40):
    """Counts of pixels from dark to bright with cosmic rays, the first and the last exposure hit too."""
    level = np.geomspace(5.0, 5e4, N_PIXEL)
    electrons = rng.poisson(level, (n_frame, N_PIXEL)) * np.resize([0.02, 1.0], n_frame)[:, None]
    electrons += 13.0 * rng.standard_normal(electrons.shape)
    if n_frame > 6:
        hit_frames = np.concatenate([[1, 1, n_frame - 1], 2 * rng.integers(0, n_frame // 2, n_hit) + 1])
        electrons[hit_frames, rng.integers(0, N_PIXEL, len(hit_frames))] = 83_000.0
    counts = np.clip((electrons + 1000.0) * 0.4369, 0, 65_535).astype(np.uint16)
    chosen = np.sort(rng.choice(channel.n_pixel, N_PIXEL, replace=False))
    start = np.repeat(np.arange((n_frame + 1) // 2) * channel.pair_period, 2)[:n_frame]
    time = start + np.resize([0.1, 0.2], n_frame)
    table = pl.DataFrame(counts, schema=[f"column_{i}" for i in range(N_PIXEL)])
    row, column = np.divmod(chosen, channel.n_column)
    return DecodedPixels(channel.name, table, row, column, time[: n_frame // 2 * 2])


@pytest.fixture(params=["compiled", "torch"])
def bin_fast(request):
    """Both fast paths, the one for devices on the CPU."""
    return bin_decoded if request.param == "compiled" else partial(gpu.bin_decoded, device="cpu")


def on_both_paths(bin_fast, pixels, frames, calibration, bounds):
    weight = np.stack([np.ones(len(pixels.row)), pixels.row, np.where(pixels.row > 15, 0.0, pixels.row**2)])
    ours = bin_fast(pixels, frames, calibration, bounds, weight)
    cube = calibrate(pixels.cube(), frames, calibration)
    return ours, bin_pixels(cube, bounds, weight)


def assert_same(ours, reference):
    for name in ("row", "column", "good", "saturated", "count", "mid_time"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(reference, name))
    # A faint pixel's rounding is that of its raw counts, offset included, not that of its light.
    assert (
        np.nanmax(np.abs(ours.light - reference.light) / np.maximum(np.abs(reference.light), 1000.0), initial=0.0)
        < TOLERANCE
    )
    assert np.max(np.abs(ours.mean - reference.mean) / np.maximum(np.abs(reference.mean), 1000.0)) < TOLERANCE
    np.testing.assert_array_equal(np.isnan(ours.light), np.isnan(reference.light))
    np.testing.assert_allclose(ours.variance, reference.variance, rtol=1e-5)
    np.testing.assert_allclose(ours.moments, reference.moments, rtol=TOLERANCE, atol=1.0)
    assert ours.applied == reference.applied and "cds" in ours.applied


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=lambda channel: channel.name)
@pytest.mark.parametrize("n_frame", [2, 4, 6, 15, 2400])
def test_random_cubes(bin_fast, channel, n_frame):
    rng = np.random.default_rng(n_frame)
    n_exposure = n_frame // 2
    bounds = np.unique(np.linspace(0, n_exposure, 9).astype(int))
    pixels, frames = random_pixels(channel, rng, n_frame), random_frames(channel, rng)
    ours, reference = on_both_paths(bin_fast, pixels, frames, load_config().calibration, bounds)
    assert_same(ours, reference)
    assert ours.light.shape == (N_PIXEL, len(bounds) - 1)


@pytest.mark.parametrize(
    "option",
    [
        "adc_sign=inverse",
        "linearity=false",
        "dark=false",
        "dark_time_base=integration",
        "flat=false",
        "cosmic_rays=false",
        "cosmic_ray_sigma=3",
        "hot_pixels=mask",
    ],
)
def test_every_option(bin_fast, option):
    rng = np.random.default_rng(5)
    pixels, frames = random_pixels(AIRS, rng, 300), random_frames(AIRS, rng)
    bounds = np.arange(0, 151, 15)
    ours, reference = on_both_paths(
        bin_fast, pixels, frames, load_config([f"calibration.{option}"]).calibration, bounds
    )
    assert_same(ours, reference)
    if not option.startswith("dark_time_base"):  # 0.1 s of dark current: less than the counts resolve
        nominal, _ = on_both_paths(bin_fast, pixels, frames, load_config().calibration, bounds)
        moved = np.abs(nominal.light - ours.light).max() > 1e-3 or (nominal.good != ours.good).any()
        assert moved, "the option changed nothing"


@pytest.mark.parametrize("blocks", ["one", "many"])
def test_saturated_pixels_are_not_trusted_on_any_path(bin_fast, blocks, monkeypatch):
    rng = np.random.default_rng(6)
    if blocks == "many":
        monkeypatch.setattr(fused, "_BLOCK_BYTES", 2**14)
        monkeypatch.setattr(gpu, "_BLOCK_BYTES", 2**14)
    pixels, frames = random_pixels(AIRS, rng, 600), random_frames(AIRS, rng)
    counts = pixels.table.to_numpy().copy()
    full, bounds = [3, 44, 89], np.array([0, 100, 300])
    counts[1::2, full] = 36_700
    bright = dataclasses.replace(pixels, table=pl.DataFrame(counts, schema=pixels.table.columns))
    ours, reference = on_both_paths(bin_fast, bright, frames, load_config().calibration, bounds)
    assert_same(ours, reference)
    nominal, _ = on_both_paths(bin_fast, pixels, frames, load_config().calibration, bounds)
    np.testing.assert_array_equal(ours.good, nominal.good & ~np.isin(np.arange(N_PIXEL), full))
    np.testing.assert_array_equal(ours.saturated, nominal.saturated | (nominal.good & ~ours.good))
    assert nominal.good[full].any(), "the tables must not have marked these pixels as bad before"


def test_empty_bins_are_nan(bin_fast):
    rng = np.random.default_rng(9)
    pixels, frames = random_pixels(FGS1, rng, 20_000), random_frames(FGS1, rng)
    bounds = np.array([0, 10, 10, 9_000, 10_000])
    ours, reference = on_both_paths(bin_fast, pixels, frames, load_config().calibration, bounds)
    assert_same(ours, reference)
    assert np.isnan(ours.light[:, 1]).all() and np.isfinite(ours.light[:, [0, 2, 3]]).all()


def test_threads_change_nothing():
    rng = np.random.default_rng(9)
    args = random_pixels(FGS1, rng, 2_000), random_frames(FGS1, rng), load_config().calibration
    bounds, weight = np.array([0, 500, 1000]), rng.random((2, N_PIXEL))
    one, three = (bin_decoded(*args, bounds, weight, threads) for threads in (1, 3))
    np.testing.assert_array_equal(one.light, three.light)
    np.testing.assert_array_equal(one.moments, three.moments)


def test_counts_of_zero_make_no_bins(bin_fast):
    rng = np.random.default_rng(3)
    pixels = random_pixels(FGS1, rng, 20)
    dark = dataclasses.replace(pixels, table=(pixels.table * 0).cast(pl.UInt16))
    weight = np.ones((1, N_PIXEL))
    args = random_frames(FGS1, rng), load_config().calibration, np.array([0, 10]), weight
    assert bin_fast(dark, *args) is None
    assert bin_fast(pixels, *args) is not None


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=lambda channel: channel.name)
def test_real_frames(bin_fast, real_data, channel):
    """The 50 real frames of planet 342072318, every third pixel."""
    (observation,) = open_competition(real_data).observations("train", 342072318)
    chosen = np.arange(0, channel.n_pixel, 3)
    pixels = decode_pixels(observation, channel.name, *np.divmod(chosen, channel.n_column))
    frames = read_calibration_frames(observation, channel.name)
    ours, reference = on_both_paths(bin_fast, pixels, frames, load_config().calibration, np.array([0, 8, 25]))
    assert_same(ours, reference)
    assert ours.mean.max() > 10_000 and not ours.good.all()


def test_compiled_without_a_folder_to_keep_machine_code_in():
    """No source file, no place for a cache: the function is compiled all the same."""
    namespace = {}
    exec("def double(x):\n    return 2 * x", namespace)
    assert compiled._compiled(namespace["double"])(21) == 42


def test_one_layout_is_compiled_for_every_block(monkeypatch):
    rng = np.random.default_rng(2)
    bounds, before = np.array([0, 3]), len(compiled.calibrate_counts.signatures)
    weight, frames = np.ones((1, N_PIXEL)), random_frames(FGS1, rng)
    for n_frame, block in ((6, 2**20), (7, 2**20), (6, 1)):  # the last has blocks of a single pixel
        monkeypatch.setattr(fused, "_BLOCK_BYTES", block)
        bin_decoded(random_pixels(FGS1, rng, n_frame), frames, load_config().calibration, bounds, weight)
    assert len(compiled.calibrate_counts.signatures) == max(1, before)
