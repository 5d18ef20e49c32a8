"""The likelihood for retrieval codes: the dense Gaussian where the rank is full, close to it where it is not."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from spectramind_kit.errors import ProductError
from spectramind_kit.exchange.retrieval import LARGEST_DIVERGENCE, spectrum_likelihood

N = 283
WAVELENGTH = np.r_[0.7, np.linspace(1.95, 3.9, N - 1)]


def covariance(kind, seed=0):
    """Of depths: white noise with a level in common, a drift over wavelength, or everything correlated."""
    rng = np.random.default_rng(seed)
    white = np.diag(rng.uniform(2e-5, 9e-5, N) ** 2)
    if kind == "level":
        return white + (5e-5) ** 2
    if kind == "level and slope":
        slope = 3e-5 * np.linspace(-1, 1, N)
        return white + (5e-5) ** 2 + np.outer(slope, slope)
    distance = np.abs(np.arange(N)[:, None] - np.arange(N))
    return 1e-9 * np.exp(-((distance / 6.0) ** 2)) + 0.01 * white


@pytest.mark.parametrize("kind, rank", [("level", N), ("level and slope", N - 1), ("smooth", N)])
def test_the_full_rank_is_the_dense_likelihood(kind, rank):
    dense, rng = covariance(kind), np.random.default_rng(1)
    mean = 0.0145 + 1e-4 * rng.standard_normal(N)
    models = mean + rng.standard_normal((5, N)) @ np.linalg.cholesky(dense).T
    found = spectrum_likelihood(WAVELENGTH, mean, dense, rank)
    wanted = multivariate_normal(mean, dense).logpdf(models)
    assert found.log_likelihood(models) == pytest.approx(wanted, rel=1e-10)
    assert found.log_likelihood(models[0]) == pytest.approx(wanted[0], rel=1e-10)
    np.testing.assert_allclose(found.covariance, dense, rtol=1e-9, atol=1e-20)
    assert found.divergence < 1e-6


@pytest.mark.parametrize("kind, rank", [("level", 1), ("level and slope", 2)])
def test_the_fewest_directions_are_found_and_suffice(kind, rank):
    dense, rng = covariance(kind), np.random.default_rng(2)
    found = spectrum_likelihood(WAVELENGTH, np.zeros(N), dense)
    assert rank <= found.factor.shape[1] <= rank + 3 and found.divergence < LARGEST_DIVERGENCE
    assert np.diag(found.covariance) == pytest.approx(np.diag(dense), rel=1e-9)
    models = rng.standard_normal((2000, N)) @ np.linalg.cholesky(dense).T
    difference = multivariate_normal(np.zeros(N), dense).logpdf(models) - found.log_likelihood(models)
    assert difference.mean() == pytest.approx(found.divergence, abs=0.02)


def test_less_rank_diverges_more_and_every_sigma_stays():
    dense = covariance("smooth")
    found = [spectrum_likelihood(WAVELENGTH, np.zeros(N), dense, rank) for rank in (0, 5, 20, 80)]
    assert [each.divergence for each in found] == sorted((each.divergence for each in found), reverse=True)
    for each in found:
        assert np.diag(each.covariance) == pytest.approx(np.diag(dense), rel=1e-9) and (each.diagonal > 0).all()


@pytest.mark.parametrize(
    "dense, rank, said",
    [
        (np.ones((3, 3)), None, "positive definite"),
        (np.diag([1.0, 0.0, 1.0]), None, "variances above 0"),
        (np.diag([1.0, np.nan, 1.0]), None, "variances above 0"),
        (np.eye(3), 4, "0 to 3, got 4"),
    ],
)
def test_what_is_no_covariance_or_rank_is_refused(dense, rank, said):
    with pytest.raises(ProductError, match=said):
        spectrum_likelihood(np.arange(3.0), np.zeros(3), dense, rank)


def test_a_model_at_other_wavelengths_is_refused():
    found = spectrum_likelihood(np.arange(3.0), np.zeros(3), np.eye(3))
    with pytest.raises(ProductError, match=r"\(..., 3\).*got shape \(4,\)"):
        found.log_likelihood(np.zeros(4))
