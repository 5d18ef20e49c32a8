"""The foreground is told from the star's wings, and only the foreground is taken off."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels
from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.background import foreground_per_pixel
from spectramind_kit.photometry.extraction import extract, foreground_of
from spectramind_kit.photometry.light_curves import bin_channel
from spectramind_kit.photometry.window import background_region, photometric_pixels

PHOTOMETRY = load_config().photometry
ROWS = np.arange(32)[:, None]
STAR = np.linspace(5e3, 1e5, 282)
GOOD = {"AIRS-CH0": np.ones((32, 282), bool), "FGS1": np.ones((32, 32), bool)}
ERROR = {name: np.full(good.shape, 0.3) for name, good in GOOD.items()}
"""Standard error of a pixel's mean over a visit: read noise and a little light."""


def trace(slope=1.0, width=1.0, brighter_side=0.0):
    """A star with wings of the configured shape times some factors, (32, 282); one side may be brighter."""
    distance = ROWS - 15.5
    nodes = width * np.array(PHOTOMETRY.airs_wing_width)
    flat = np.interp(np.arange(282), np.linspace(0, 281, len(nodes)), nodes)
    points = distance[..., None] + (np.arange(16) + 0.5) / 16 - 0.5
    wing = ((1 + (points / flat[:, None]) ** 2) ** (-0.5 * slope * PHOTOMETRY.airs_wing_slope)).mean(axis=-1)
    wing *= 1.0 + brighter_side * (distance > 0)
    return (np.exp(-0.5 * (distance / 1.2) ** 2) / 3.0 + 0.05 * wing) * STAR


def spot(slope=1.0, width=1.0):
    """A spot in the middle of a pixel, with wings of the configured shape times some factors, (32, 32)."""
    distance = np.hypot(ROWS - 15.0, np.arange(32) - 15.0)
    flat = width * PHOTOMETRY.fgs1_wing_width
    wing = (1 + (distance / flat) ** 2) ** (-0.5 * slope * PHOTOMETRY.fgs1_wing_slope)
    return 2e4 * np.exp(-0.5 * (distance / 1.3) ** 2) + 3e3 * wing


def foreground_in(light, channel, good=None):
    good = GOOD[channel] if good is None else good
    return foreground_per_pixel(light, ERROR[channel], good, channel, PHOTOMETRY)


@pytest.mark.parametrize("foreground", [0.0, 5.0, 40.0])
def test_airs_foreground_is_found_under_the_wings(foreground):
    found = foreground_in(trace() + foreground * STAR / STAR.mean(), AIRS.name)
    np.testing.assert_allclose(found, foreground * STAR / STAR.mean(), rtol=0.01, atol=0.03)
    assert found.shape == (282,)


@pytest.mark.parametrize("foreground", [0.0, 5.0, 40.0])
def test_fgs1_foreground_is_found_under_the_wings(foreground):
    np.testing.assert_allclose(foreground_in(spot() + foreground, FGS1.name), foreground, rtol=0.01, atol=0.03)


@pytest.mark.parametrize("slope, width", [(0.85, 1.0), (1.15, 1.0), (1.0, 0.8), (1.0, 1.25), (1.1, 1.25)])
def test_wings_of_another_shape_are_learned(slope, width):
    """The configured shape alone would leave some tenth of a per cent of the starlight behind."""
    found = foreground_in(trace(slope, width) + 5.0 * STAR / STAR.mean(), AIRS.name)
    share = 16 * np.abs(found - 5.0 * STAR / STAR.mean()) / trace(slope, width)[8:24].sum(axis=0)
    assert share.mean() < 1e-4 and share.max() < 3e-4
    light = spot(slope, width)
    assert 288 * abs(foreground_in(light + 5.0, FGS1.name)[0] - 5.0) / light.sum() < 3e-4


def test_faint_wings_keep_the_configured_shape():
    """Where noise hides the wings the prior tells, so the foreground scatters hardly more than with known wings."""
    rng = np.random.default_rng(8)
    faint = 0.02 * (trace() + 5.0 * STAR / STAR.mean())
    found = [foreground_in(faint + 0.3 * rng.standard_normal(faint.shape), AIRS.name).mean() for _ in range(20)]
    assert np.mean(found) == pytest.approx(0.1, abs=0.03) and np.std(found) < 0.1


def test_wings_may_be_brighter_on_one_side():
    light = trace(brighter_side=0.15) + 5.0 * STAR / STAR.mean()
    found = foreground_in(light, AIRS.name)
    assert 16 * np.abs(found - 5.0 * STAR / STAR.mean()).max() < 3e-4 * light[8:24].sum(axis=0).mean()


def test_outer_pixels_themselves_would_mislead():
    light = trace()
    assert light[background_region(AIRS.name, PHOTOMETRY)].mean() > 10


def test_bad_and_odd_pixels_do_not_matter():
    light = trace() + 20 * STAR / STAR.mean()
    clean = foreground_in(light, AIRS.name)
    good = GOOD["AIRS-CH0"].copy()
    good[2, 52] = False
    light[2, 52] = 1e6  # dead and shouting
    light[30, 120] += 1e3  # hot and not known to be
    np.testing.assert_allclose(foreground_in(light, AIRS.name, good), clean, rtol=5e-3)


@pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
def test_without_outer_pixels_nothing_is_taken_off(name):
    light = trace() if name == "AIRS-CH0" else spot()
    good = GOOD[name].copy()
    good[:8] = good[24:] = False
    good[:, :6] = good[:, 24:] = False
    np.testing.assert_array_equal(foreground_in(light, name, good), 0.0)


@pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
def test_no_light_at_all_has_no_foreground(name):
    np.testing.assert_array_equal(foreground_in(np.zeros(GOOD[name].shape), name), 0.0)


@pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
@pytest.mark.parametrize("share_bad", [0.1, 0.9])
def test_whatever_the_pixels_hold_the_foreground_is_finite(name, share_bad):
    rng = np.random.default_rng(7)
    shape = GOOD[name].shape
    for light in (rng.standard_normal(shape) * 1e5, np.exp(rng.normal(0, 5, shape)), -1e4 * rng.random(shape)):
        assert np.isfinite(foreground_in(light, name, rng.random(shape) > share_bad)).all()


@pytest.mark.parametrize("slope", [2.0, 2.4])
def test_the_real_foreground_hardly_depends_on_the_configured_slope(real_data, slope):
    """25 exposures tell the slope better than the prior; with a fixed one, 2.0 and 2.4 are 0.4 % of the light apart."""
    (visit,) = open_competition(real_data).observations("train", 342072318)
    pixels = decode_pixels(visit, AIRS.name, *photometric_pixels(AIRS.name, PHOTOMETRY))
    edges = np.append(pixels.time[::2], np.inf)
    bins = bin_channel(visit, pixels, edges, load_config().calibration, PHOTOMETRY)
    star = extract(bins, PHOTOMETRY).flux.mean()
    share, moved = (
        16 * foreground_of(bins, replace(PHOTOMETRY, airs_wing_slope=s)).mean() / star for s in (2.2, slope)
    )
    assert 1e-3 < share < 4e-3
    assert moved == pytest.approx(share, abs=5e-4)
