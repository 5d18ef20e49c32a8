"""Aperture sums by hand, and errors that say how far the sums scatter."""

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.window import aperture, background_region, photometric_pixels
from spectramind_kit.products import CalibratedCube

PLAIN = load_config(["photometry.background=false"]).photometry
NOMINAL = load_config().photometry
WIDTH = {"AIRS-CH0": 282, "FGS1": 32}


def cube_of(channel, signal, variance=None, good=None):
    """A calibrated cube from (n_row, n_column, n_exposure)."""
    rows, columns = photometric_pixels(channel)
    signal = np.ascontiguousarray(signal, dtype=np.float32).reshape(len(rows), -1)
    return CalibratedCube(
        channel,
        signal,
        np.ones_like(signal) if variance is None else variance.reshape(signal.shape).astype(np.float32),
        rows,
        columns,
        np.ones(len(rows), dtype=bool) if good is None else good.ravel(),
        np.arange(signal.shape[1], dtype=float),
    )


def counting(channel):
    """Pixels that hold their own number, twice that in the second exposure."""
    shape = (32, WIDTH[channel])
    number = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    return np.stack([number, 2 * number], axis=-1)


def test_pixels_read_are_the_science_columns():
    rows, columns = photometric_pixels("AIRS-CH0")
    assert len(rows) == 32 * 282 and (columns.min(), columns.max()) == (39, 320)
    assert len(photometric_pixels("FGS1")[0]) == 1024


def test_aperture_and_background_are_the_configured_windows():
    window = aperture("AIRS-CH0", PLAIN)
    assert window.shape == (32, 282)
    np.testing.assert_array_equal(np.flatnonzero(window.any(axis=1)), np.arange(8, 24))
    np.testing.assert_array_equal(background_region("AIRS-CH0", PLAIN), ~window)
    spot = aperture("FGS1", PLAIN)
    assert spot.sum() == (PLAIN.fgs1_rows[1] - PLAIN.fgs1_rows[0]) * (PLAIN.fgs1_columns[1] - PLAIN.fgs1_columns[0])
    assert not (spot & background_region("FGS1", PLAIN)).any()


def test_airs_light_is_the_sum_of_rows_in_each_column():
    light = counting("AIRS-CH0")
    flux, variance = extract(cube_of("AIRS-CH0", light), PLAIN)
    np.testing.assert_array_equal(flux, light[8:24].sum(axis=0))
    np.testing.assert_array_equal(variance, 16)
    assert flux.dtype == np.float64


def test_fgs1_light_is_the_sum_of_the_window():
    light = counting("FGS1")
    flux, variance = extract(cube_of("FGS1", light), PLAIN)
    window = light[slice(*PLAIN.fgs1_rows), slice(*PLAIN.fgs1_columns)]
    np.testing.assert_array_equal(flux, window.sum(axis=(0, 1))[None])
    np.testing.assert_array_equal(variance, window[..., 0].size)


def test_bad_pixels_are_left_out_of_flux_and_variance():
    good = np.ones((32, 282), dtype=bool)
    good[10, 5] = False
    light = counting("AIRS-CH0")
    flux, variance = extract(cube_of("AIRS-CH0", light, good=good), PLAIN)
    np.testing.assert_array_equal(flux[5], light[8:24, 5].sum(axis=0) - light[10, 5])
    assert variance[5, 0] == 15 and variance[4, 0] == 16


@pytest.mark.parametrize("config", [PLAIN, NOMINAL])
@pytest.mark.parametrize("channel", ["AIRS-CH0", "FGS1"])
def test_a_wavelength_without_good_pixels_has_no_light_and_no_weight(channel, config):
    good = np.ones((32, WIDTH[channel]), dtype=bool)
    good[8:24, 7 if channel == "AIRS-CH0" else slice(None)] = False
    flux, variance = extract(cube_of(channel, counting(channel) + 1, good=good), config)
    dead = 7 if channel == "AIRS-CH0" else 0
    np.testing.assert_array_equal(flux[dead], 0.0)
    np.testing.assert_array_equal(variance[dead], np.inf)
    others = np.delete(variance, dead, axis=0)
    assert np.isfinite(others).all() and np.isfinite(flux).all()


def test_foreground_comes_off_by_the_pixels_that_were_summed():
    """The star alone and the star in a foreground give the same light curves."""
    rows = np.abs(np.arange(32)[:, None, None] - 15.5)
    star = np.linspace(5e3, 1e5, 282)[:, None]
    wing = np.exp(-0.5 * (rows / 1.2) ** 2) / 3.0 + 0.05 * np.maximum(rows, 0.5) ** -NOMINAL.airs_wing_slope
    dimming = np.array([1.0, 0.98, 1.0])
    alone = wing * star * dimming
    good = np.ones((32, 282), dtype=bool)
    good[9, 100] = False
    lit = alone + 0.01 * star / 16
    flux, _ = extract(cube_of("AIRS-CH0", lit, good=good), NOMINAL)
    wanted, _ = extract(cube_of("AIRS-CH0", alone, good=good), PLAIN)
    np.testing.assert_allclose(flux / wanted, 1.0, atol=3e-4)
    undone, _ = extract(cube_of("AIRS-CH0", lit, good=good), PLAIN)
    assert (undone / wanted - 1).min() > 0.005


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_errors_are_the_scatter_of_the_sums(channel):
    rng = np.random.default_rng(4)
    level = np.full((32, WIDTH[channel.name], 1), 400.0)
    variance = np.broadcast_to(level + 2 * 13.0**2, (*level.shape[:2], 300))
    light = level + rng.normal(size=variance.shape) * np.sqrt(variance)
    flux, expected = extract(cube_of(channel.name, light, variance), PLAIN)
    ratio = flux.var(axis=1, ddof=1).mean() / expected.mean()
    assert ratio == pytest.approx(1.0, abs=5 * np.sqrt(2 / (300 * len(flux))))
