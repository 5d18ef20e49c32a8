"""The table and the ranking that the report shows."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.symbolic.violations import rank_planets, violations, violations_by_wavelength


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


def test_wavelengths_add_up_to_their_planets_violation(prediction, wavelength):
    found, total = violations_by_wavelength(prediction[0], wavelength), violations(*prediction, wavelength)
    assert set(found) == set(total)
    for name, each in found.items():
        assert each.shape == (40, 283) and (each >= 0).all()
        np.testing.assert_allclose(each.sum(axis=1), total[name], rtol=1e-6, atol=1e-12)


def test_a_wild_wavelength_is_where_the_violation_lies(physical_spectra, wavelength):
    mean = physical_spectra.numpy()[:3].copy()
    mean[:, 120] *= 1.05
    found = violations_by_wavelength(mean, wavelength)["curvature"]
    assert found.argmax(axis=1).tolist() == [120, 120, 120] and found[:, 118:123].sum() > 0.4 * found.sum()
