"""Labels judged by the prior: spectra like those that it was learned from gain, and shapes keep their wavelengths."""

import numpy as np
import pytest

from spectramind_kit.prediction.population import label_statistics
from spectramind_kit.prediction.spectrum_prior import learn_spectrum_prior
from spectramind_kit.simulation.starlight import label_wavelengths


@pytest.fixture(scope="module")
def label_prior(benchmark):
    """The benchmark as a module."""
    return benchmark("label_prior")


def bands(rng: np.random.Generator, n: int) -> np.ndarray:
    """Spectra (n, 283) of a level and two bands of random strength."""
    wavelength = label_wavelengths()
    shape = np.exp(-(((wavelength[:, None] - np.array([2.5, 3.3])) / 0.2) ** 2)) @ rng.standard_normal((2, n))
    return rng.uniform(0.005, 0.03, (n, 1)) * (1.0 + 0.01 * shape.T + 1e-4 * rng.standard_normal((n, 283)))


def test_the_prior_gains_on_spectra_whose_wavelengths_go_together_and_on_no_others(label_prior):
    rng, wavelength = np.random.default_rng(1), label_wavelengths()
    known, alike = bands(rng, 100), bands(rng, 1)[0]
    levels = label_prior.levels_of(known, wavelength)
    shape = label_statistics(label_prior.shapes_of(known, wavelength))
    unlike = alike[1:].mean() * (1.0 + shape.mean + shape.spread * rng.standard_normal(283))
    prior = learn_spectrum_prior(known, wavelength)
    gains = [
        label_prior.prior_log_probability(each, levels, prior)
        - label_prior.plain_log_probability(each, levels, shape, wavelength)
        for each in (alike, unlike)
    ]
    assert gains[0] > 100.0
    assert gains[1] < 0.0


def test_spectra_at_other_wavelengths_are_on_the_line_between_neighbours(label_prior):
    here = np.r_[0.705, np.linspace(1.9, 3.9, 50)]
    there = np.r_[0.7, np.linspace(2.0, 3.8, 20)]
    spectra = np.vstack([2.0 + here, 1.0 - 0.1 * here])
    moved = label_prior.at_wavelengths(spectra, here, there)
    np.testing.assert_allclose(moved[:, 1:], np.vstack([2.0 + there, 1.0 - 0.1 * there])[:, 1:])
    np.testing.assert_array_equal(moved[:, 0], spectra[:, 0])
