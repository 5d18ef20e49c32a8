"""What is done to the Gaussian: truncation, masked wavelengths, inflated covariances."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from spectramind_kit.fitting.laplace import (
    Posterior,
    channel_difference,
    fill_masked_wavelengths,
    inflate_fgs1,
    mean_depth,
    truncated_moments,
    with_uninformative_depths,
)

WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5])


def posterior():
    depth = np.array([0.012, 0.010, 0.011, 0.010, 0.011])
    covariance = np.diag(np.array([4.0, 1.0, 1.0, 2.0, 2.0]) * 1e-8) + 1e-9
    return Posterior(depth, covariance, np.zeros(3), np.eye(3), np.zeros((5, 3)))


@pytest.mark.parametrize("peak", [-3.0, -0.5, 0.0, 0.4, 5.0, -40.0])
def test_truncated_moments_are_those_of_the_truncated_normal(peak):
    mean, spread = truncated_moments(0.1 * peak, 0.1)
    expected = truncnorm(-peak, np.inf, loc=0.1 * peak, scale=0.1)
    assert mean == pytest.approx(expected.mean(), rel=1e-3)
    assert spread == pytest.approx(expected.std(), rel=0.05)


def test_mean_depth_weighs_by_variance_and_skips_the_masked():
    valid = np.array([False, True, True, True, True])
    depth, sigma = mean_depth(posterior(), valid)
    assert depth == pytest.approx((0.010 + 0.011 + 0.5 * 0.010 + 0.5 * 0.011) / 3, rel=1e-3)
    assert sigma == pytest.approx(np.sqrt(1e-8 / 3 + 1e-9), rel=0.02)


def test_masked_wavelengths_take_their_neighbours_depth_and_are_uninformative():
    valid = np.array([True, True, False, True, True])
    filled = fill_masked_wavelengths(posterior(), WAVELENGTH, valid)
    assert 0.010 <= float(filled.depth[2]) <= 0.011
    assert float(filled.depth_covariance[2, 2]) == pytest.approx(0.02**2)
    assert np.linalg.eigvalsh(filled.depth_covariance)[0] > 0


def test_a_masked_fgs1_takes_the_airs_depth():
    filled = fill_masked_wavelengths(posterior(), WAVELENGTH, np.array([False, True, True, True, True]))
    assert 0.010 <= float(filled.depth[0]) <= 0.011


def test_uninformative_depths_have_neither_level_nor_shape():
    covariance = with_uninformative_depths(posterior()).depth_covariance
    level, shape = np.full(5, 0.2), np.array([0.0, 1.0, -1.0, 0.0, 0.0])
    assert np.sqrt(level @ covariance @ level) >= 0.02
    assert np.sqrt(shape @ covariance @ shape) >= 0.02


def test_the_inflated_fgs1_covers_the_difference():
    valid = np.ones(5, dtype=bool)
    difference, sigma = channel_difference(posterior(), WAVELENGTH, valid)
    assert difference == pytest.approx(0.0015, rel=0.02) and 2e-4 < sigma < 2.4e-4
    added = inflate_fgs1(posterior(), WAVELENGTH, difference).depth_covariance - posterior().depth_covariance
    assert float(added[0, 0]) == pytest.approx(difference**2) and int((added != 0).sum()) == 1
