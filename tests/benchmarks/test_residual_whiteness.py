"""Whiteness of residuals: white noise passes as what it is, correlated noise does not."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest


@pytest.fixture(scope="module")
def real(benchmark):
    """The benchmark of real data as a module."""
    return benchmark("real")


def test_white_noise_is_white(real):
    white = np.random.default_rng(1).standard_normal((400, 375))
    assert np.mean([real.beta(each, 25) for each in white]) == pytest.approx(1.0, abs=0.03)
    assert kstest([real.ljung_box(each, 25) for each in white], "uniform").pvalue > 0.01


def test_correlated_noise_is_not(real):
    white = np.random.default_rng(2).standard_normal((50, 375))
    correlated = lfilter([1.0], [1.0, -0.6], white, axis=1)
    # The mean of n points of an autoregression a has (1 + a) / (1 - a) - 2 a / (n (1 - a)^2) times the white variance.
    expected = np.sqrt(1.6 / 0.4 - 1.2 / (25 * 0.4**2))
    assert np.mean([real.beta(each, 25) for each in correlated]) == pytest.approx(expected, rel=0.08)
    assert max(real.ljung_box(each, 25) for each in correlated) < 1e-4
