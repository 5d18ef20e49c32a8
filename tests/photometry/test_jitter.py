"""Moments of known images."""

import numpy as np
import pytest

from spectramind_kit.photometry.jitter import centroid, moments


def gaussian(position, centre, width):
    return 1e5 * np.exp(-0.5 * ((position - centre) / width) ** 2)


def test_centroid_of_a_symmetric_and_of_a_dark_profile():
    assert centroid(gaussian(np.arange(32), 15.4, 1.5)) == pytest.approx(15.4, abs=1e-6)
    assert centroid(np.zeros(32)) == 15.5
    assert centroid(np.array([-5.0, 0.0, 2.0])) == 2.0


def test_moments_of_a_gaussian_that_moves_and_widens():
    position = np.repeat(np.arange(32), 3)
    centres, widths = np.array([15.0, 15.25, 16.0]), np.array([1.5, 1.6, 2.0])
    signal = gaussian(position[:, None], centres, widths).astype(np.float32)
    mean, width = moments(signal, position, np.ones(len(position)))
    np.testing.assert_allclose(mean, centres, atol=1e-5)
    np.testing.assert_allclose(width, widths, rtol=1e-4)


def test_pixels_without_weight_have_no_say():
    signal = np.array([[10.0], [10.0], [1e9]])
    mean, width = moments(signal, np.array([0.0, 2.0, 30.0]), np.array([1.0, 1.0, 0.0]))
    assert (mean[0], width[0]) == (1.0, 1.0)


def test_an_exposure_without_light_has_no_moments():
    mean, width = moments(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0.0, 1.0]), np.ones(2))
    assert mean[0] == 0.5 and np.isnan(mean[1]) and np.isnan(width[1])
