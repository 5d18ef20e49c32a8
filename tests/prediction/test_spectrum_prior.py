"""The prior of spectra: sharper than the data, with calibrated uncertainties, open to spectra unlike its own."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from spectramind_kit.errors import FitError
from spectramind_kit.prediction.spectrum_prior import learn_spectrum_prior

WAVELENGTH = np.concatenate(([0.7], np.linspace(1.952, 3.895, 282)))
BANDS = np.exp(-((WAVELENGTH[:, None] - np.array([1.9, 2.7, 3.3])) ** 2) / (2 * 0.15**2)) * (WAVELENGTH > 1)[:, None]


def draw_spectra(rng, n, size=1.0):
    """Return spectra with three bands of random strength and a random FGS1 offset (n, 283)."""
    level = 0.0147 * np.exp(0.5 * rng.standard_normal(n))
    shape = size * 0.006 * rng.standard_normal((n, 3)) @ BANDS.T
    shape[:, 0] += size * 0.005 * rng.standard_normal(n)
    return level[:, None] * (1.0 + shape)


def measurement_covariance():
    sigma = np.concatenate(([100e-6], np.linspace(90e-6, 400e-6, 282)))
    covariance = np.diag(sigma**2)
    covariance[1:, 1:] += (35e-6) ** 2
    return covariance


def measure(rng, true, covariance):
    return true + np.linalg.cholesky(covariance) @ rng.standard_normal(283)


@pytest.mark.parametrize("n_train", [1, 5, 25, 400])
def test_posterior_is_sharper_than_the_data_and_calibrated(n_train):
    rng = np.random.default_rng(n_train)
    prior = learn_spectrum_prior(draw_spectra(rng, n_train), WAVELENGTH)
    covariance = measurement_covariance()
    errors, squares = [], []
    for true in draw_spectra(rng, 12):
        mean, posterior = prior.posterior(measure(rng, true, covariance), covariance)
        assert np.linalg.eigvalsh(posterior)[0] > 0
        errors.append((mean - true) ** 2)
        squares.append((mean - true) ** 2 / np.diag(posterior))
    measured = np.sqrt(np.diag(covariance)[1:].mean())
    assert np.sqrt(np.mean(np.array(errors)[:, 1:])) < 0.4 * measured
    assert 0.4 < np.mean(squares) < 1.8


@pytest.mark.parametrize("size", [0.0, 0.3, 4.0, 10.0])
def test_shapes_of_unseen_strength_are_recovered(size):
    rng = np.random.default_rng(7)
    prior = learn_spectrum_prior(draw_spectra(rng, 100), WAVELENGTH)
    covariance = measurement_covariance()
    squares = []
    for true in draw_spectra(rng, 8, size):
        mean, posterior = prior.posterior(measure(rng, true, covariance), covariance)
        squares.append(np.mean((mean - true)[1:] ** 2 / np.diag(posterior)[1:]))
    assert np.mean(squares) < 2.0


def test_marginals_are_those_of_the_whole_posterior():
    rng = np.random.default_rng(10)
    prior, covariance = learn_spectrum_prior(draw_spectra(rng, 30), WAVELENGTH), measurement_covariance()
    for true in draw_spectra(rng, 3):
        depth = measure(rng, true, covariance)
        mean, whole = prior.posterior(depth, covariance)
        same, variance, _ = prior.marginals(depth, covariance, np.ones((283, 1)))
        assert np.array_equal(same, mean)
        assert variance == pytest.approx(np.diag(whole), rel=1e-9)


def test_the_mean_changes_with_the_measurement_as_said():
    rng = np.random.default_rng(9)
    prior, covariance = learn_spectrum_prior(draw_spectra(rng, 60), WAVELENGTH), measurement_covariance()
    (true,) = draw_spectra(rng, 1)
    error = np.where(WAVELENGTH < 1.0, 2e-6, -1e-6)
    mean, _, change = prior.marginals(true, covariance, error[:, None])
    moved, predicted = prior.posterior(true + error, covariance)[0] - mean, change[:, 0]
    assert np.abs(moved - predicted).max() < 0.05 * np.abs(moved).max()  # the rest: one family gains on another


def test_spectra_are_the_more_probable_the_more_they_are_like_the_training_planets():
    rng = np.random.default_rng(3)
    prior, noise = learn_spectrum_prior(draw_spectra(rng, 200), WAVELENGTH), (10e-6) ** 2 * np.eye(283)
    alike = draw_spectra(rng, 1)[0]
    shuffled = np.concatenate((alike[:1], rng.permutation(alike[1:])))
    assert prior.log_probability(alike, noise) > prior.log_probability(shuffled, noise) + 100.0


def test_where_the_noise_drowns_the_shapes_the_probability_is_that_of_one_gaussian():
    rng = np.random.default_rng(4)
    prior, covariance = learn_spectrum_prior(draw_spectra(rng, 200), WAVELENGTH), 0.1**2 * np.eye(283)
    depth = 0.1 * rng.standard_normal(283)
    mean, total = prior.level_mean * np.ones(283), covariance + prior.level_variance
    expected = multivariate_normal.logpdf(depth, mean, total)
    assert prior.log_probability(depth, covariance) == pytest.approx(expected, abs=0.05)


def test_a_molecule_that_no_training_planet_had_is_seen():
    rng = np.random.default_rng(8)
    prior = learn_spectrum_prior(draw_spectra(rng, 400), WAVELENGTH)
    band = 0.05 * np.exp(-((WAVELENGTH - 2.3) ** 2) / (2 * 0.08**2)) * (WAVELENGTH > 1)
    true = 0.0147 * (1.0 + band)
    covariance = measurement_covariance()
    mean, posterior = prior.posterior(measure(rng, true, covariance), covariance)
    peak = np.argmin(np.abs(WAVELENGTH - 2.3))
    assert mean[peak] - np.median(mean) > 0.8 * (true[peak] - np.median(true))
    assert np.mean((mean - true) ** 2 / np.diag(posterior)) < 2.5


def test_an_unmeasured_planet_gets_the_population():
    rng = np.random.default_rng(9)
    spectra = draw_spectra(rng, 200)
    prior = learn_spectrum_prior(spectra, WAVELENGTH)
    nothing = measurement_covariance() + 1.0 * (np.ones((283, 283)) + np.eye(283))
    mean, posterior = prior.posterior(np.zeros(283), nothing)
    levels = spectra[:, 1:].mean(axis=1)
    assert mean.mean() == pytest.approx(levels.mean(), rel=0.02)
    assert np.sqrt(np.diag(posterior)).mean() == pytest.approx(levels.std(), rel=0.05)


def test_an_uninformative_wavelength_is_filled_from_its_neighbours():
    rng = np.random.default_rng(10)
    prior = learn_spectrum_prior(draw_spectra(rng, 25), WAVELENGTH)
    covariance = measurement_covariance()
    true = draw_spectra(rng, 1)[0]
    depth = measure(rng, true, covariance)
    covariance[150], covariance[:, 150] = 0.0, 0.0
    covariance[150, 150], depth[150] = 0.02**2, 0.05
    mean, posterior = prior.posterior(depth, covariance)
    assert abs(mean[150] - true[150]) < 4 * np.sqrt(posterior[150, 150]) < 4e-4


def test_level_is_not_shrunk_to_the_population():
    rng = np.random.default_rng(11)
    prior = learn_spectrum_prior(draw_spectra(rng, 25), WAVELENGTH)
    mean, _ = prior.posterior(np.full(283, 0.045), measurement_covariance())
    assert mean[1:].mean() == pytest.approx(0.045, abs=5e-6)


@pytest.mark.parametrize("spectra", [np.zeros((0, 283)), np.full((2, 283), np.nan), np.full((3, 283), -0.01)])
def test_training_without_a_usable_spectrum_is_refused(spectra):
    with pytest.raises(FitError, match="training spectra"):
        learn_spectrum_prior(spectra, WAVELENGTH)


def test_a_measurement_that_is_not_finite_is_refused():
    prior = learn_spectrum_prior(draw_spectra(np.random.default_rng(12), 3), WAVELENGTH)
    with pytest.raises(FitError, match="measured depths"):
        prior.posterior(np.full(283, np.nan), measurement_covariance())


def test_spectra_of_few_bands_leave_little_to_the_smooth_kernel():
    """What no training planet showed is not expected of the next one, and sigmas are as narrow as that."""
    rng, covariance = np.random.default_rng(11), measurement_covariance()
    prior = learn_spectrum_prior(draw_spectra(rng, 120), WAVELENGTH)
    off, expected = [], []
    for true in draw_spectra(rng, 40):
        mean, spread = prior.posterior(measure(rng, true, covariance), covariance)
        flat = np.eye(282) - 1.0 / 282
        off.append(np.mean((flat @ (mean - true)[1:]) ** 2))
        expected.append(np.trace(flat @ spread[1:, 1:] @ flat) / 282)
    assert 0.7 < np.mean(off) / np.mean(expected) < 1.3
