"""The table and the ranking that the report shows."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.symbolic.violations import rank_planets, violations


@pytest.fixture(scope="module")
def prediction(rough_spectra):
    """Means and sigmas (40, 283)."""
    return rough_spectra.numpy(), np.full(rough_spectra.shape, 5e-5)


def test_a_number_a_planet_and_term(prediction, wavelength, physical_spectra):
    found = violations(*prediction, wavelength)
    assert "sigma_calibration" not in found
    with_truth = violations(*prediction, wavelength, physical_spectra.numpy())
    assert set(with_truth) - set(found) == {"sigma_calibration"}
    assert all(values.shape == (40,) and (values >= 0).all() for values in with_truth.values())
    assert with_truth["sigma_calibration"].max() < 0.1  # the noise is what sigma says


def test_worst_planet_comes_first_whatever_the_sizes_of_terms():
    order, score = rank_planets({"large": np.array([0.0, 900.0, 1000.0]), "small": np.array([0.0, 3e-6, 1e-6])})
    assert order.tolist() == [1, 2, 0]
    np.testing.assert_allclose(score, [0.0, 0.5, 0.5])


def test_a_planet_that_is_rougher_than_the_rest_is_found(physical_spectra, wavelength):
    mean = physical_spectra.numpy().copy()
    mean[17] += np.random.default_rng(0).normal(scale=1e-3, size=283)
    order, _ = rank_planets(violations(mean, np.abs(mean) * 0.01, wavelength))
    assert order[0] == 17


def test_shapes_that_differ_are_refused(prediction, wavelength):
    with pytest.raises(ProductError, match="sigma"):
        violations(prediction[0], prediction[1][:, 1:], wavelength)
    with pytest.raises(ProductError, match="mean"):
        violations(prediction[0][:, 1:], prediction[1][:, 1:], wavelength)
