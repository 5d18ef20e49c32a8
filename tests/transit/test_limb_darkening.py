"""Expected limb darkening: the measured anchors and the trends around them."""

import numpy as np
import pytest

from spectramind_kit.transit.limb_darkening import quadratic_coefficients

WAVELENGTH = np.concatenate(([0.7], np.linspace(1.95, 3.9, 282)))


def test_passes_through_the_measured_star():
    u = quadratic_coefficients(5539.0, np.array([0.7, 2.9]))
    assert u == pytest.approx(np.array([[0.43, 0.11], [0.15, 0.08]]), abs=0.005)


def test_weaker_at_longer_wavelengths_and_for_hotter_stars():
    u = quadratic_coefficients(5000.0, WAVELENGTH)
    assert u.shape == (283, 2)
    assert (np.diff(u[:, 0]) < 0).all()
    assert (quadratic_coefficients(6500.0, WAVELENGTH)[:, 0] < u[:, 0]).all()


@pytest.mark.parametrize("temperature", [1000.0, 3000.0, 5500.0, 7000.0, 1e5])
def test_brightness_stays_positive_to_the_limb(temperature):
    u = quadratic_coefficients(temperature, WAVELENGTH)
    assert (u.sum(axis=1) < 1.0).all() and (u[:, 0] > 0).all()
