"""Bad pixels get the light that they would have had; slopes of the image are those of the image."""

import numpy as np
import pytest

from spectramind_kit.photometry.profile import fill_bad_pixels, shift_templates

ROW, COLUMN = np.indices((16, 18), dtype=float)


def spot(row=7.4, column=8.7, width=1.3):
    return 2e4 * np.exp(-0.5 * ((ROW - row) ** 2 + (COLUMN - column) ** 2) / width**2)


def trace(row=7.57, n_column=60):
    rows = np.arange(16.0)[:, None]
    width = np.linspace(1.5, 1.1, n_column)
    return np.exp(-0.5 * ((rows - row) / width) ** 2) / width * np.geomspace(5e3, 1e5, n_column)


@pytest.mark.parametrize("bad", [[(7, 9)], [(8, 8)], [(7, 8), (7, 9)], [(6, 9), (9, 7)]])
def test_a_gaussian_spot_is_filled_exactly(bad):
    image, good = spot(), np.ones((16, 18), dtype=bool)
    good[tuple(zip(*bad))] = False
    filled = fill_bad_pixels(np.where(good, image, np.nan), good, "FGS1")
    np.testing.assert_allclose(filled, image, rtol=1e-6)


@pytest.mark.parametrize("bad", [[(7, 30)], [(8, 0)], [(8, 59)], [(7, 30), (8, 30)], [(6, 12), (7, 12), (8, 12)]])
def test_a_trace_is_filled_from_its_columns(bad):
    image, good = trace(), np.ones((16, 60), dtype=bool)
    good[tuple(zip(*bad))] = False
    filled = fill_bad_pixels(np.where(good, image, 1e9), good, "AIRS-CH0")
    np.testing.assert_allclose(filled, image, rtol=0.05)
    np.testing.assert_array_equal(filled[good], image[good])


def test_a_dead_row_is_interpolated_and_a_dead_column_stays_dark():
    image, good = trace(), np.ones((16, 60), dtype=bool)
    good[5], good[:, 20] = False, False
    filled = fill_bad_pixels(image, good, "AIRS-CH0")
    between = 0.5 * (image[4] + image[6])
    np.testing.assert_allclose(np.delete(filled[5], 20), np.delete(between, 20))
    np.testing.assert_array_equal(filled[:, 20], 0.0)


@pytest.mark.parametrize("channel", ["AIRS-CH0", "FGS1"])
def test_nothing_good_is_nothing_told(channel):
    filled = fill_bad_pixels(spot(), np.zeros((16, 18), dtype=bool), channel)
    np.testing.assert_array_equal(filled, 0.0)


def test_noise_cannot_make_a_filled_pixel_outshine_its_neighbours():
    rng = np.random.default_rng(2)
    for _ in range(200):
        image, good = rng.normal(5.0, 10.0, (16, 18)), np.ones((16, 18), dtype=bool)
        good[8, 9] = False
        filled = fill_bad_pixels(image, good, "FGS1")[8, 9]
        assert 0.0 <= filled <= 1.5 * image[6:11, 7:12].max()


def test_templates_are_the_image_and_its_changes():
    image, row_slope, column_slope, row_row, row_column, column_column = shift_templates(spot(), "FGS1")
    step = 0.01
    np.testing.assert_array_equal(image, spot())
    brightest = np.abs(row_slope).max()
    moved = (spot(row=7.4 - step) - spot(row=7.4 + step)) / (2 * step)
    np.testing.assert_allclose(row_slope, moved, atol=0.03 * brightest)
    moved = (spot(column=8.7 - step) - spot(column=8.7 + step)) / (2 * step)
    np.testing.assert_allclose(column_slope, moved, atol=0.03 * brightest)
    curved = (spot(row=7.4 + step) + spot(row=7.4 - step) - 2 * spot()) / step**2
    np.testing.assert_allclose(row_row, curved, atol=0.15 * np.abs(curved).max())
    assert np.abs(row_column).max() > 0 and np.abs(column_column).max() > 0
    assert shift_templates(trace(), "AIRS-CH0").shape == (2, 16, 60)
