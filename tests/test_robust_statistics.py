"""Robust statistics: the constant against scipy's Gaussian, and the shrinkage of variance ratios."""

import numpy as np
import pytest
from scipy.stats import norm

from spectramind_kit.robust_statistics import MAD_TO_SIGMA, shrunk_excess


def test_the_median_absolute_deviation_of_a_gaussian_becomes_its_standard_deviation():
    assert pytest.approx(1.0 / norm.ppf(0.75), rel=1e-4) == MAD_TO_SIGMA


def test_chance_is_not_taken_for_noise_and_noise_is_kept():
    ratios = 1.0 + np.sqrt(2.0 / 50.0) * np.random.default_rng(0).standard_normal(20_000)
    found = np.array([shrunk_excess(ratio, 50.0) for ratio in ratios])
    assert (found >= 1.0).all() and found.mean() < 1.0 + 0.5 * (np.maximum(ratios, 1.0).mean() - 1.0)
    assert shrunk_excess(4.0, 50.0) == pytest.approx(4.0, rel=0.01)
    assert shrunk_excess(0.5, 50.0) == 1.0
