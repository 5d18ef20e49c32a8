"""Aperture sums by hand, and errors that say how far the sums scatter."""

import numpy as np
import pytest

from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.config import load_config
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.extraction import aperture_weights, extract
from spectramind_kit.photometry.profile import shift_templates
from spectramind_kit.photometry.window import aperture, background_region, photometric_pixels

PLAIN = load_config(["photometry.background=false", "photometry.extraction=sum"]).photometry
NOMINAL = load_config(["photometry.extraction=sum"]).photometry
EXTRACTIONS = ["sum", "optimal"]
WIDTH = {"AIRS-CH0": 282, "FGS1": 32}


def moving_image(channel):
    """A star's image with wings and its slope along rows and columns alike, (n_row, n_column) each."""
    row, column = np.indices((32, WIDTH[channel]))

    def image(shift):
        if channel == "AIRS-CH0":
            core = np.exp(-0.5 * ((row - 15.57 - shift) / 1.2) ** 2) / 3.0
            return core * np.linspace(5e3, 1e5, 282) + 0.002 * np.linspace(5e3, 1e5, 282)
        return 2e4 * np.exp(-0.5 * ((row - 15.2 - shift) ** 2 + (column - 14.7 - shift) ** 2) / 1.3**2) + 20.0

    return image(0.0), (image(0.01) - image(-0.01)) / 0.02


def bins_of(channel, light, variance=None, good=None):
    """Binned pixels from light (n_row, n_column, n_time) on the whole grid: those that the photometry reads."""
    row, column = photometric_pixels(channel, NOMINAL)
    place = row, column - (39 if channel == "AIRS-CH0" else 0)
    light = np.asarray(light, dtype=np.float64)
    return PixelBins(
        channel=channel,
        row=row,
        column=column,
        good=np.ones(len(row), dtype=bool) if good is None else good[place],
        saturated=np.zeros(len(row), dtype=bool),
        light=light[place],
        mean=light[place].mean(axis=1),
        variance=np.ones(len(row)) if variance is None else variance[place],
        count=np.ones(light.shape[2], dtype=int),
        moments=np.zeros((1, light.shape[2])),
        mid_time=np.arange(light.shape[2], dtype=float),
        applied=(),
    )


def flux_of(*args, config=None, **options):
    extracted = extract(bins_of(*args, **options), config or PLAIN)
    return extracted.flux, extracted.variance


def counting(channel):
    """Pixels that hold their own number, twice that in the second exposure."""
    shape = (32, WIDTH[channel])
    number = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    return np.stack([number, 2 * number], axis=-1)


def test_pixels_read_are_the_aperture_and_a_share_of_the_background():
    rows, columns = photometric_pixels("AIRS-CH0", NOMINAL)
    assert (columns.min(), columns.max()) == (39, 320)
    assert len(rows) == 16 * 282 + 16 * 71
    every = load_config(["photometry.airs_background_step=1", "photometry.fgs1_background_step=1"]).photometry
    assert len(photometric_pixels("AIRS-CH0", every)[0]) == 32 * 282
    assert len(photometric_pixels("FGS1", every)[0]) == 1024


def test_aperture_and_background_are_the_configured_windows():
    window = aperture("AIRS-CH0", PLAIN)
    assert window.shape == (32, 282)
    np.testing.assert_array_equal(np.flatnonzero(window.any(axis=1)), np.arange(8, 24))
    outer = background_region("AIRS-CH0", PLAIN)
    np.testing.assert_array_equal(outer[:, :: PLAIN.airs_background_step], ~window[:, :: PLAIN.airs_background_step])
    assert outer.sum() == 16 * 71
    spot = aperture("FGS1", PLAIN)
    assert spot.sum() == (PLAIN.fgs1_rows[1] - PLAIN.fgs1_rows[0]) * (PLAIN.fgs1_columns[1] - PLAIN.fgs1_columns[0])
    around = background_region("FGS1", PLAIN)
    assert not (spot & around).any()
    assert around[:, :4].any() and around[:, -4:].any() and around[:4].any() and around[-4:].any()


def test_airs_light_is_the_sum_of_rows_in_each_column():
    light = counting("AIRS-CH0")
    flux, variance = flux_of("AIRS-CH0", light)
    np.testing.assert_allclose(flux, light[8:24].sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variance, 16, rtol=1e-12)


def test_fgs1_light_is_the_sum_of_the_window():
    light = counting("FGS1")
    flux, variance = flux_of("FGS1", light)
    window = light[slice(*PLAIN.fgs1_rows), slice(*PLAIN.fgs1_columns)]
    np.testing.assert_allclose(flux, window.sum(axis=(0, 1))[None], rtol=1e-12)
    np.testing.assert_allclose(variance, window[..., 0].size, rtol=1e-12)


@pytest.mark.parametrize("extraction", EXTRACTIONS)
@pytest.mark.parametrize("channel", ["AIRS-CH0", "FGS1"])
def test_light_of_bad_pixels_is_modelled_not_lost(channel, extraction):
    """Total light, depth and the answer to a small shift are those of the whole aperture."""
    good = np.ones((32, WIDTH[channel]), dtype=bool)
    good[15, ::7] = False
    good[13, 3::11] = False
    star, slope = moving_image(channel)
    depth, shift = np.array([1.0, 0.985, 1.0]), np.array([0.0, 0.0, 0.02])
    light = (star[..., None] + slope[..., None] * shift) * depth
    config = load_config([f"photometry.extraction={extraction}", "photometry.background=false"]).photometry
    damaged = np.where(good[..., None], light, -1e4)
    flux, variance = flux_of(channel, damaged, star + 400.0, good, config=config)
    window = aperture(channel, config)
    whole = np.where(window[..., None], light, 0.0).sum(axis=0)
    whole = whole if channel == "AIRS-CH0" else whole.sum(axis=0, keepdims=True)
    np.testing.assert_allclose(flux / whole, np.ones_like(whole), atol=0.02)
    np.testing.assert_allclose(flux[:, 1] / flux[:, 0], 0.985, rtol=1e-12)
    dropped = np.where(good[..., None] & window[..., None], light, 0.0).sum(axis=0)
    dropped = dropped if channel == "AIRS-CH0" else dropped.sum(axis=0, keepdims=True)
    touched = ~(good | ~window).all(axis=0) if channel == "AIRS-CH0" else np.array([True])
    reaction, naive = (np.abs(f[touched, 2] / f[touched, 0] - 1).mean() for f in (flux, dropped))
    assert reaction < 0.2 * naive
    assert np.isfinite(variance).all()


@pytest.mark.parametrize("channel", ["AIRS-CH0", "FGS1"])
def test_optimal_extraction_scatters_less_and_no_more_than_told(channel):
    rng = np.random.default_rng(8)
    star, slope = moving_image(channel)
    star, slope = star / 20, slope / 20  # faint, so that read noise counts
    variance = star + 2 * 13.0**2
    light = star[..., None] + rng.normal(size=(*star.shape, 400)) * np.sqrt(variance)[..., None]
    scatter = {}
    for extraction in EXTRACTIONS:
        config = load_config([f"photometry.extraction={extraction}", "photometry.background=false"]).photometry
        flux, expected = flux_of(channel, light, variance, config=config)
        scatter[extraction] = flux.var(axis=1, ddof=1) / flux.mean(axis=1) ** 2
        ratio = (flux.var(axis=1, ddof=1) / expected).mean()
        assert ratio == pytest.approx(1.0, abs=5 * np.sqrt(2 / (400 * len(flux))) + 0.01)
    assert np.mean(scatter["optimal"] / scatter["sum"]) < 0.8


def test_weights_of_an_image_without_bad_pixels_are_one_for_a_sum():
    star, _ = moving_image("AIRS-CH0")
    templates, good = shift_templates(star[8:24], "AIRS-CH0"), np.ones((16, 282), dtype=bool)
    variance = star[8:24] + 400.0
    np.testing.assert_allclose(aperture_weights(templates, variance, good, 1.0), 1.0, rtol=1e-12)
    optimal = aperture_weights(templates, variance, good, 0.0)
    np.testing.assert_allclose((optimal * templates).sum(axis=1), templates.sum(axis=1), rtol=1e-6, atol=1e-6)
    assert (optimal[8] > 2 * np.abs(optimal[0])).all()


def test_a_row_of_bad_pixels_is_flagged_and_widens_the_error():
    star, _ = moving_image("AIRS-CH0")
    good = np.ones((32, 282), dtype=bool)
    clean = extract(bins_of("AIRS-CH0", star[..., None], star + 400.0, good), PLAIN)
    good[15] = False
    lost = extract(bins_of("AIRS-CH0", star[..., None], star + 400.0, good), PLAIN)
    assert clean.flags == {} and lost.flags == {Flag.AIRS_BAD_APERTURE: "6%"}
    assert (lost.variance > 1.1 * clean.variance).all()
    np.testing.assert_allclose(lost.flux / clean.flux, 1.0, atol=0.2)


@pytest.mark.parametrize("config", [PLAIN, NOMINAL])
@pytest.mark.parametrize("channel", ["AIRS-CH0", "FGS1"])
def test_a_wavelength_without_good_pixels_has_no_light_and_no_weight(channel, config):
    good = np.ones((32, WIDTH[channel]), dtype=bool)
    good[8:24, 7 if channel == "AIRS-CH0" else slice(None)] = False
    flux, variance = flux_of(channel, counting(channel) + 1, good=good, config=config)
    dead = 7 if channel == "AIRS-CH0" else 0
    np.testing.assert_array_equal(flux[dead], 0.0)
    np.testing.assert_array_equal(variance[dead], np.inf)
    others = np.delete(variance, dead, axis=0)
    assert np.isfinite(others).all() and np.isfinite(flux).all()


def test_foreground_comes_off_by_the_pixels_that_were_summed():
    """The star alone and the star in a foreground give the same light curves."""
    rows = np.abs(np.arange(32)[:, None, None] - 15.5)
    nodes = NOMINAL.airs_wing_width
    width = np.interp(np.arange(282), np.linspace(0, 281, len(nodes)), nodes)[:, None]
    star = np.linspace(5e3, 1e5, 282)[:, None]
    wing = np.exp(-0.5 * (rows / 1.2) ** 2) / 3.0 + 0.05 * (1 + (rows / width) ** 2) ** (-NOMINAL.airs_wing_slope / 2)
    dimming = np.array([1.0, 0.98, 1.0])
    alone = wing * star * dimming
    good = np.ones((32, 282), dtype=bool)
    good[9, 100] = False
    lit = alone + 0.01 * star / 16
    flux, _ = flux_of("AIRS-CH0", lit, good=good, config=NOMINAL)
    wanted, _ = flux_of("AIRS-CH0", alone, good=good)
    np.testing.assert_allclose(flux / wanted, 1.0, atol=3e-4)
    undone, _ = flux_of("AIRS-CH0", lit, good=good)
    assert (undone / wanted - 1).min() > 0.005


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_errors_are_the_scatter_of_the_sums(channel):
    rng = np.random.default_rng(4)
    level = np.full((32, WIDTH[channel.name], 1), 400.0)
    variance = (level + 2 * 13.0**2)[..., 0]
    light = level + rng.normal(size=(*variance.shape, 300)) * np.sqrt(variance)[..., None]
    flux, expected = flux_of(channel.name, light, variance)
    ratio = flux.var(axis=1, ddof=1).mean() / expected.mean()
    assert ratio == pytest.approx(1.0, abs=5 * np.sqrt(2 / (300 * len(flux))))
