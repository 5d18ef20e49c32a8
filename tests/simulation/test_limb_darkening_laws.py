"""Limb-darkening laws: normalised, monotonous, matched to the quadratic law, darker in the blue and when cool."""

import numpy as np
import pytest
from scipy.integrate import quad, quad_vec

from spectramind_kit.simulation.limb_darkening_laws import (
    OTHER_LAWS,
    atmosphere_coefficients,
    atmosphere_intensity,
    radial_law,
)
from spectramind_kit.simulation.starlight import planck_quotient
from spectramind_kit.transit.limb_darkening import quadratic_coefficients

WAVELENGTH = np.array([0.7, 1.95, 2.9, 3.9])
MU = np.linspace(0.02, 1.0, 50)


def law_of(kind, temperature):
    return radial_law(kind, temperature, WAVELENGTH, quadratic_coefficients(temperature, WAVELENGTH))


@pytest.mark.parametrize("kind", ["quadratic", *OTHER_LAWS])
@pytest.mark.parametrize("temperature", [4235.0, 5539.0, 6980.0])
def test_every_law_is_as_dark_at_half_mu_and_falls_to_the_limb(kind, temperature):
    law = law_of(kind, temperature)
    intensity = law.intensity(MU)
    assert law.intensity(1.0) == pytest.approx(1.0)
    assert (np.diff(intensity, axis=1) > 0).all() and (intensity > 0).all()
    assert (np.diff(intensity[:, 0]) > 0).all(), "darker in the blue"
    assert law.intensity(0.5) == pytest.approx(law_of("quadratic", temperature).intensity(0.5), abs=1e-9)
    light, _ = quad_vec(lambda r: 2 * np.pi * r * law.intensity(np.sqrt(1 - r * r)), 0, 1)
    assert law.light == pytest.approx(light, rel=1e-6)


@pytest.mark.parametrize("kind, difference", [("power2", 0.05), ("atmosphere", 0.04)])
def test_no_quadratic_law_spreads_the_darkness_alike(kind, difference):
    """Even the quadratic law that is closest, weighed by area, leaves something, most at the limb."""
    mu = np.sqrt(np.linspace(0.001, 1.0, 200))
    lost = 1.0 - law_of(kind, 5539.0).intensity(mu)[0]
    basis = np.column_stack([1 - mu, (1 - mu) ** 2])
    left = np.abs(lost - basis @ np.linalg.lstsq(basis, lost, rcond=None)[0])
    assert difference / 2 < left.max() < 0.2
    assert mu[left.argmax()] < 0.2


def test_an_atmosphere_shines_as_its_layers_do():
    """By direct integration of the source function along the line of sight, at one wavelength and angle."""
    temperature, wavelength, mu = 5000.0, 0.7, 0.3

    def emergent(mu):
        def source(tau):
            local = temperature * (0.75 * (tau + 0.71 - 0.35 * np.exp(-10 * tau))) ** 0.25
            return planck_quotient(local, temperature, wavelength) * np.exp(-tau / mu) / mu

        return quad(source, 0, 40 * mu)[0]

    direct = emergent(mu) / emergent(1.0)
    assert atmosphere_intensity(temperature, np.array([wavelength]), np.array([mu]))[0, 0] == pytest.approx(
        direct, rel=1e-4
    )
    limb = atmosphere_intensity(5539.0, WAVELENGTH, np.array([0.01]))[:, 0]
    assert (limb > 0.1).all() and (limb < 0.8).all() and (np.diff(limb) > 0).all()


def test_four_coefficients_hold_an_atmospheres_profile():
    c = atmosphere_coefficients(5000.0, WAVELENGTH)
    law = 1.0 - c @ (1.0 - MU[:, None] ** (np.arange(1, 5) / 2)).T
    assert law == pytest.approx(atmosphere_intensity(5000.0, WAVELENGTH, MU), abs=3e-3)
