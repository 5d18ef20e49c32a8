"""What is done to the Gaussian: the border, dead wavelengths, doubts."""

import numpy as np
import pytest
import torch
from scipy.stats import truncnorm

from spectramind_kit.fitting.laplace import (
    Posterior,
    channel_difference,
    distrust_fgs1,
    fill_dead_wavelengths,
    forget_depths,
    mean_depth,
    truncated_moments,
)

WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5])


def posterior():
    depth = torch.tensor([0.012, 0.010, 0.011, 0.010, 0.011]).double()
    covariance = torch.diag(torch.tensor([4.0, 1.0, 1.0, 2.0, 2.0]).double() * 1e-8) + 1e-9
    return Posterior(depth, covariance, torch.zeros(3).double(), torch.eye(3).double(), torch.zeros(5, 3).double())


@pytest.mark.parametrize("peak", [-3.0, -0.5, 0.0, 0.4, 5.0, -40.0])
def test_truncated_moments_are_those_of_the_truncated_normal(peak):
    mean, spread = truncated_moments(0.1 * peak, 0.1)
    expected = truncnorm(-peak, np.inf, loc=0.1 * peak, scale=0.1)
    assert mean == pytest.approx(expected.mean(), rel=1e-3)
    assert spread == pytest.approx(expected.std(), rel=0.05)


def test_mean_depth_weighs_by_variance_and_skips_the_dead():
    alive = np.array([False, True, True, True, True])
    depth, sigma = mean_depth(posterior(), alive)
    assert depth == pytest.approx((0.010 + 0.011 + 0.5 * 0.010 + 0.5 * 0.011) / 3, rel=1e-3)
    assert sigma == pytest.approx(np.sqrt(1e-8 / 3 + 1e-9), rel=0.02)


def test_dead_wavelengths_take_their_neighbours_depth_and_know_nothing():
    alive = np.array([True, True, False, True, True])
    filled = fill_dead_wavelengths(posterior(), WAVELENGTH, alive)
    assert 0.010 <= float(filled.depth[2]) <= 0.011
    assert float(filled.depth_covariance[2, 2]) == pytest.approx(0.02**2)
    assert np.linalg.eigvalsh(filled.depth_covariance.numpy())[0] > 0


def test_a_dead_fgs1_takes_the_airs_depth():
    filled = fill_dead_wavelengths(posterior(), WAVELENGTH, np.array([False, True, True, True, True]))
    assert 0.010 <= float(filled.depth[0]) <= 0.011


def test_forgotten_depths_know_neither_level_nor_shape():
    covariance = forget_depths(posterior()).depth_covariance.numpy()
    level, shape = np.full(5, 0.2), np.array([0.0, 1.0, -1.0, 0.0, 0.0])
    assert np.sqrt(level @ covariance @ level) >= 0.02
    assert np.sqrt(shape @ covariance @ shape) >= 0.02


def test_distrust_covers_the_difference():
    alive = np.ones(5, dtype=bool)
    difference, sigma = channel_difference(posterior(), WAVELENGTH, alive)
    assert difference == pytest.approx(0.0015, rel=0.02) and 2e-4 < sigma < 2.4e-4
    doubted = distrust_fgs1(posterior(), WAVELENGTH, difference).depth_covariance - posterior().depth_covariance
    assert float(doubted[0, 0]) == pytest.approx(difference**2) and int((doubted != 0).sum()) == 1
