"""Moments of known images."""

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.photometry.jitter import centroid, centroid_and_width, image_series, moment_weights
from spectramind_kit.photometry.window import photometric_pixels

PHOTOMETRY = load_config().photometry


def gaussian(position, centre, width):
    return 1e5 * np.exp(-0.5 * ((position - centre) / width) ** 2)


def test_centroid_of_a_symmetric_and_of_a_dark_profile():
    assert centroid(gaussian(np.arange(32), 15.4, 1.5)) == pytest.approx(15.4, abs=1e-6)
    assert centroid(np.zeros(32)) == 15.5
    assert centroid(np.array([-5.0, 0.0, 2.0])) == 2.0


def test_moments_of_a_gaussian_that_moves_and_widens():
    row, column = photometric_pixels("AIRS-CH0", PHOTOMETRY)
    centres, widths = np.array([15.0, 15.25, 16.0]), np.array([1.5, 1.6, 1.4])
    signal = gaussian(row[:, None], centres, widths)
    series = image_series("AIRS-CH0", moment_weights("AIRS-CH0", row, column, PHOTOMETRY) @ signal)
    assert list(series) == ["airs_row_centroid", "airs_row_width"]
    np.testing.assert_allclose(series["airs_row_centroid"], centres, atol=1e-4)
    np.testing.assert_allclose(series["airs_row_width"], widths, rtol=1e-3)


def test_fgs1_has_moments_along_both_axes():
    row, column = photometric_pixels("FGS1", PHOTOMETRY)
    signal = gaussian(row[:, None], 15.2, 1.2) * gaussian(column[:, None], 14.7, 1.6)
    series = image_series("FGS1", moment_weights("FGS1", row, column, PHOTOMETRY) @ signal)
    told = {name: values[0] for name, values in series.items()}
    assert told == pytest.approx(
        {"fgs1_row_centroid": 15.2, "fgs1_row_width": 1.2, "fgs1_column_centroid": 14.7, "fgs1_column_width": 1.6},
        rel=1e-3,
    )


def test_pixels_outside_the_aperture_have_no_say():
    row, column = photometric_pixels("AIRS-CH0", PHOTOMETRY)
    weight = moment_weights("AIRS-CH0", row, column, PHOTOMETRY)
    first, stop = PHOTOMETRY.airs_rows
    outside = (row < first) | (row >= stop)
    assert outside.any() and (weight[:, outside] == 0).all() and (weight[:, ~outside] > 0).all()


def test_an_exposure_without_light_has_no_moments():
    mean, width = centroid_and_width(np.array([2.0, 0.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert (mean[0], width[0]) == (0.5, 0.5) and np.isnan(mean[1]) and np.isnan(width[1])
