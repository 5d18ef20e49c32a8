"""Transits by quadrature over the disc, against batman and closed forms."""

import batman
import numpy as np
import pytest

from spectramind_kit.random_world.disc import transit_flux
from spectramind_kit.simulation.darkening_law import DarkeningLaw

AXIS, PERIOD = 10.0, 3.0
LAWS = {
    "uniform": ([], [0.0], [1.0]),
    "quadratic": ([0.4, 0.2], [0.0, 1.0, 2.0], [0.4, 0.8, -0.2]),
    "nonlinear": ([0.5, 0.1, 0.1, -0.1], [0.0, 0.5, 1.0, 1.5, 2.0], [0.4, 0.5, 0.1, 0.1, -0.1]),
    "power2": ([0.5, 0.6], [0.0, 0.6], [0.5, 0.5]),
}


def law_of(name, n_wavelength=1):
    _, powers, weights = LAWS[name]
    return DarkeningLaw(np.array(powers), np.tile(weights, (n_wavelength, 1)))


def batman_flux(name, radius, impact, time):
    parameters = batman.TransitParams()
    known = {"t0": 0.0, "per": PERIOD, "a": AXIS, "rp": radius, "inc": np.degrees(np.arccos(impact / AXIS))}
    known |= {"ecc": 0.0, "w": 90.0, "limb_dark": name, "u": LAWS[name][0]}
    for attribute, value in known.items():
        setattr(parameters, attribute, value)
    return batman.TransitModel(parameters, time, max_err=1e-2).light_curve(parameters)


@pytest.mark.parametrize("impact", [0.0, 0.4, 0.8, 0.97])
@pytest.mark.parametrize("name", LAWS)
def test_batman_gives_the_same(name, impact):
    time = np.linspace(-0.15, 0.15, 61)
    phase = 2.0 * np.pi * time / PERIOD
    distance = np.hypot(AXIS * np.sin(phase), impact * np.cos(phase))[:, None]
    radius = np.array([0.05, 0.12, 0.25])
    flux = transit_flux(distance, radius, law_of(name, 3))
    for own, k in zip(flux, radius):
        np.testing.assert_allclose(own, batman_flux(name, k, impact, time), atol=1e-6)


def test_a_planet_before_the_centre_of_a_uniform_star_hides_its_area():
    distance = np.array([[0.0], [0.3], [2.0], [np.inf]])
    flux = transit_flux(distance, np.array([0.1]), law_of("uniform"))[0]
    np.testing.assert_allclose(flux, [0.99, 0.99, 1.0, 1.0], atol=1e-9)


def test_instants_are_averaged():
    distance = np.array([[0.0, 2.0]])
    assert transit_flux(distance, np.array([0.1]), law_of("uniform"))[0, 0] == pytest.approx(0.995)
