"""Flux levels and image shapes against what real frames show."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.optics import FGS1_POINTING_RESPONSE, airs_image, fgs1_image
from spectramind_kit.simulation.starlight import (
    REFERENCE_TEMPERATURE,
    airs_electrons,
    airs_wavelengths,
    fgs1_electrons,
    foreground_per_pixel,
    planck_ratio,
)


def test_the_anchor_star_has_the_real_electrons_per_column():
    image, _ = airs_image()
    summed = airs_electrons(REFERENCE_TEMPERATURE) * image[8:24].sum(axis=0)
    measured = [5.3e3, 20e3, 27e3, 36e3, 48e3, 73e3, 113e3, 113e3]
    assert summed[39:321:40] == pytest.approx(measured, rel=0.1)


def test_the_brightest_pixels_are_as_bright_as_the_real_ones():
    airs = airs_image()[0] * airs_electrons(REFERENCE_TEMPERATURE)
    fgs1 = fgs1_image()[0] * fgs1_electrons(REFERENCE_TEMPERATURE)
    assert airs.max() == pytest.approx(58_000, rel=0.1)
    assert fgs1.max() == pytest.approx(21_600, rel=0.1)


def test_profiles_have_the_real_shares_and_wings():
    airs, fgs1 = airs_image()[0], fgs1_image()[0]
    assert airs[14:18, 320] == pytest.approx([0.086, 0.299, 0.353, 0.103], abs=0.01)
    assert airs[14:17, 50] == pytest.approx([0.137, 0.217, 0.225], abs=0.01)
    assert fgs1.sum(axis=1)[13:18] == pytest.approx([0.053, 0.171, 0.313, 0.220, 0.102], abs=0.015)
    assert fgs1.sum(axis=0)[13:18] == pytest.approx([0.028, 0.133, 0.253, 0.274, 0.180], abs=0.015)
    distance = np.array([28.0, 31.0]) - 15.566
    slope = np.log(airs[31, 300] / airs[28, 300]) / np.log(distance[1] / distance[0])
    assert slope == pytest.approx(-2.2, abs=0.1)


def test_a_column_gets_narrower_towards_the_blue_and_keeps_its_light():
    image, _ = airs_image()
    rows = np.arange(AIRS.n_row)[:, None] - 15.566
    near = np.abs(rows) < 4
    width = np.sqrt((image * near * rows**2).sum(axis=0) / (image * near).sum(axis=0))
    assert (np.diff(width[45:315:30]) < 0).all()
    assert image.sum(axis=0) == pytest.approx(1.0, abs=0.02)


def test_slopes_move_the_image_and_keep_its_light():
    image, slopes = airs_image()
    rows = np.arange(AIRS.n_row)[:, None]
    moved = image + 0.05 * slopes[0]
    centre = [(i[6:26] * rows[6:26]).sum(axis=0) / i[6:26].sum(axis=0) for i in (image, moved)]
    assert (centre[1] - centre[0])[39:321] == pytest.approx(0.05, rel=0.25)
    assert slopes[0].sum(axis=0) == pytest.approx(0.0, abs=2e-3)
    _, fgs1_slopes = fgs1_image()
    assert fgs1_slopes.sum(axis=(1, 2)) == pytest.approx(FGS1_POINTING_RESPONSE, abs=1e-3)


def test_hotter_stars_are_bluer():
    ratio = planck_ratio(5539.0, np.array([0.7, 1.95, 2.9, 3.9]))
    assert (np.diff(ratio) < 0).all()
    assert ratio[2] == pytest.approx(1.0)
    assert ratio[1] / ratio[3] == pytest.approx(1.075, abs=0.02), "as two real stars compare"


def test_foreground_has_the_wanted_share():
    electrons = np.linspace(5e3, 1e5, AIRS.n_column)
    foreground = foreground_per_pixel(electrons, 0.006, AIRS.n_row, tilt=0.3)
    share = foreground * AIRS.n_row / electrons
    assert share.mean() == pytest.approx(0.006)
    assert share[-1] - share[0] == pytest.approx(0.3 * 0.006)


def test_wavelengths_are_those_of_the_real_axis_file(real_data):
    table = pl.read_parquet(real_data / "axis_info.parquet")
    assert airs_wavelengths() == pytest.approx(table["AIRS-CH0-axis2-um"].drop_nulls().to_numpy(), abs=1e-9)


@pytest.mark.parametrize("channel, electrons", [(AIRS, airs_electrons), (FGS1, fgs1_electrons)])
def test_levels_agree_with_the_real_frames(real_data, channel, electrons):
    path = real_data / "train" / "342072318" / f"{channel.name}_signal_0.parquet"
    counts = pl.read_parquet(path).to_numpy().astype(np.float64)
    exposure = (counts[1::2] - counts[::2]).mean(axis=0).reshape(channel.shape) / 0.4369
    science = slice(*channel.science_columns)
    simulated = np.atleast_1d(electrons(REFERENCE_TEMPERATURE))[science].sum()
    assert exposure[:, science].sum() == pytest.approx(simulated, rel=0.05)
