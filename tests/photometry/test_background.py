"""The foreground is told from the star's wings, and only the foreground is taken off."""

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.background import foreground_per_pixel
from spectramind_kit.photometry.window import background_region

PHOTOMETRY = load_config().photometry
ROWS = np.arange(32)[:, None]
STAR = np.linspace(5e3, 1e5, 282)
GOOD = {"AIRS-CH0": np.ones((32, 282), bool), "FGS1": np.ones((32, 32), bool)}


def trace():
    """A star whose wings fall as the configuration says, (32, 282)."""
    distance = np.abs(ROWS - 15.5)
    wing = (1 + (distance / np.linspace(*PHOTOMETRY.airs_wing_width, 282)) ** 2) ** (-PHOTOMETRY.airs_wing_slope / 2)
    profile = np.exp(-0.5 * (distance / 1.2) ** 2) / 3.0 + 0.05 * wing
    return profile * STAR


def spot(row=15.0, column=15.0):
    """A spot in the middle of a pixel, with wings, (32, 32)."""
    distance = np.hypot(ROWS - row, np.arange(32) - column)
    wing = (1 + (distance / PHOTOMETRY.fgs1_wing_width) ** 2) ** (-PHOTOMETRY.fgs1_wing_slope / 2)
    return 2e4 * np.exp(-0.5 * (distance / 1.3) ** 2) + 3e3 * wing


@pytest.mark.parametrize("foreground", [0.0, 5.0, 40.0])
def test_airs_foreground_is_found_under_the_wings(foreground):
    light = trace() + foreground * STAR / STAR.mean()
    found = foreground_per_pixel(light, GOOD["AIRS-CH0"], AIRS.name, PHOTOMETRY)
    np.testing.assert_allclose(found, foreground * STAR / STAR.mean(), atol=0.02 * foreground + 1e-3 * 40)
    assert found.shape == (282,)


@pytest.mark.parametrize("foreground", [0.0, 5.0, 40.0])
def test_fgs1_foreground_is_found_under_the_wings(foreground):
    found = foreground_per_pixel(spot() + foreground, GOOD["FGS1"], FGS1.name, PHOTOMETRY)
    np.testing.assert_allclose(found, foreground, atol=0.02 * foreground + 0.05)


def test_outer_pixels_themselves_would_mislead():
    light = trace()
    assert light[background_region(AIRS.name, PHOTOMETRY)].mean() > 10


def test_bad_and_odd_pixels_do_not_matter():
    light = trace() + 20 * STAR / STAR.mean()
    clean = foreground_per_pixel(light, GOOD["AIRS-CH0"], AIRS.name, PHOTOMETRY)
    good = GOOD["AIRS-CH0"].copy()
    good[2, 50] = False
    light[2, 50] = 1e6  # dead and shouting
    light[30, 120] += 1e3  # hot and not known to be
    found = foreground_per_pixel(light, good, AIRS.name, PHOTOMETRY)
    np.testing.assert_allclose(found, clean, rtol=0.025)


@pytest.mark.parametrize("name", ["AIRS-CH0", "FGS1"])
def test_without_outer_pixels_nothing_is_taken_off(name):
    light = trace() if name == "AIRS-CH0" else spot()
    good = GOOD[name].copy()
    good[:8] = good[24:] = False
    good[:, :6] = good[:, 24:] = False
    np.testing.assert_array_equal(foreground_per_pixel(light, good, name, PHOTOMETRY), 0.0)


def test_no_light_at_all_has_no_foreground():
    found = foreground_per_pixel(np.zeros((32, 282)), GOOD["AIRS-CH0"], AIRS.name, PHOTOMETRY)
    np.testing.assert_array_equal(found, 0.0)
