"""The table, the maps and the ranking that the report shows."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.symbolic.violations import rank_planets, violation_maps, violations


@pytest.fixture(scope="module")
def answer(rough_spectra):
    """Means and sigmas (40, 283)."""
    return rough_spectra.numpy(), np.full(rough_spectra.shape, 5e-5)


def test_a_number_a_planet_and_term(answer, wavelength, physical_spectra):
    found = violations(*answer, wavelength)
    assert "sigma_calibration" not in found
    with_truth = violations(*answer, wavelength, physical_spectra.numpy())
    assert set(with_truth) - set(found) == {"sigma_calibration"}
    assert all(values.shape == (40,) and (values >= 0).all() for values in with_truth.values())
    assert with_truth["sigma_calibration"].max() < 0.1  # the noise is what sigma says


def test_maps_add_up_to_the_violations(answer, wavelength):
    mean = answer[0].copy()
    mean[3, 50] = -0.01
    mean[4, 0] *= 1.5
    mean[5, (wavelength > 3.1) & (wavelength < 3.5)] *= 0.98
    found, maps = violations(mean, answer[1], wavelength), violation_maps(mean, wavelength)
    assert set(found) - set(maps) == {"fft_tail"}
    for name, image in maps.items():
        assert image.shape == mean.shape
        np.testing.assert_allclose(image.sum(axis=1), found[name], rtol=1e-9, atol=1e-15, err_msg=name)


def test_maps_show_where(physical_spectra, wavelength):
    mean = physical_spectra.numpy()[:1].copy()
    mean[0, 120] *= 1.01
    mean[0, 0] *= 1.3
    maps = violation_maps(mean, wavelength)
    for name in ("curvature", "graph_laplacian"):
        assert abs(int(maps[name][0].argmax()) - 120) <= 1
    assert maps["fgs1_continuity"][0].argmax() == 0
    assert maps["fgs1_continuity"][0, 1:].max() == 0.0


def test_the_fallen_band_shows_on_its_core(physical_spectra, wavelength):
    mean = physical_spectra.numpy()[:1].copy()
    hole = (wavelength > 2.85) & (wavelength < 3.15)
    mean[0, hole] *= 0.97
    where = violation_maps(mean, wavelength)["molecular_consistency"][0]
    assert where[hole].sum() > 0.8 * where.sum() > 0


def test_worst_planet_comes_first_whatever_the_sizes_of_terms():
    order, score = rank_planets({"large": np.array([0.0, 900.0, 1000.0]), "small": np.array([0.0, 3e-6, 1e-6])})
    assert order.tolist() == [1, 2, 0]
    np.testing.assert_allclose(score, [0.0, 0.5, 0.5])


def test_a_planet_that_is_rougher_than_the_rest_is_found(physical_spectra, wavelength):
    mean = physical_spectra.numpy().copy()
    mean[17] += np.random.default_rng(0).normal(scale=1e-3, size=283)
    order, _ = rank_planets(violations(mean, np.abs(mean) * 0.01, wavelength))
    assert order[0] == 17


def test_shapes_that_differ_are_refused(answer, wavelength):
    with pytest.raises(ProductError, match="sigma"):
        violations(answer[0], answer[1][:, 1:], wavelength)
    with pytest.raises(ProductError, match="mean"):
        violation_maps(answer[0][:, 1:], wavelength)
