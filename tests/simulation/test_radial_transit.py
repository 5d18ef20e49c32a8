"""Transits of any radial law, against batman's numerical ones and our own closed forms."""

import batman
import numpy as np
import pytest

from spectramind_kit.simulation.limb_darkening_laws import radial_law
from spectramind_kit.simulation.radial_transit import RadialLaw, hidden_areas, radial_transit
from spectramind_kit.transit.light_curve import transit_flux
from spectramind_kit.transit.limb_darkening import quadratic_coefficients
from spectramind_kit.transit.overlap import overlap

WAVELENGTH = np.linspace(0.7, 3.9, 9)
SEPARATION = np.linspace(0.0, 1.3, 301)[:, None]
PERIOD, AXIS = 10.0, 20.0


def law_of(kind, temperature=4500.0):
    return radial_law(kind, temperature, WAVELENGTH, quadratic_coefficients(temperature, WAVELENGTH))


def batman_flux(kind, law, i, depth):
    star = batman.TransitParams()
    star.t0, star.per, star.a, star.inc, star.ecc, star.w = 0.0, PERIOD, AXIS, 90.0, 0.0, 90.0
    star.rp = np.sqrt(depth)
    if kind == "power2":
        star.limb_dark, star.u = "power2", [law.weights[i, 1], law.powers[1]]
    else:
        star.limb_dark, star.u = "nonlinear", list(law.weights[i, 1:])
    time = PERIOD / (2 * np.pi) * np.arcsin(SEPARATION[:, 0] / AXIS)
    return batman.TransitModel(star, time, max_err=0.05).light_curve(star)


@pytest.mark.parametrize("kind", ["power2", "atmosphere"])
@pytest.mark.parametrize("depth", [0.003, 0.0147, 0.05])
def test_agrees_with_batman(kind, depth):
    law, depths = law_of(kind), depth * np.linspace(0.98, 1.02, 9)
    flux = radial_transit(SEPARATION, depths, law)
    for i in (0, 4, 8):
        assert np.abs(flux[i] - batman_flux(kind, law, i, depths[i])).max() < 1e-6


@pytest.mark.parametrize("depth", [0.003, 0.0147, 0.03])
def test_the_quadratic_law_is_the_closed_forms(depth):
    u, depths = quadratic_coefficients(5500.0, WAVELENGTH), depth * np.linspace(0.98, 1.02, 9)
    exact = transit_flux(SEPARATION.T, *(a[:, None] for a in (depths, u[:, 0], u[:, 1])))
    flux = radial_transit(SEPARATION, depths, radial_law("quadratic", 5500.0, WAVELENGTH, u))
    assert np.abs(flux - exact.flux).max() < 1e-6


def test_areas_are_those_of_the_limb_integrals():
    k = 0.12
    edges = [0.0, 1e-9, k - 1e-7, k, k + 1e-7, 0.5, 1 - k - 1e-6, 1 - k, 1 - k + 1e-6, 1.0, 1 + k - 1e-6]
    s = np.array(edges)
    area = hidden_areas(s, np.full(len(s), k), np.array([0.0, 1.0, 2.0]))
    exact = np.stack(overlap(s, np.full(len(s), k)).area)
    assert area == pytest.approx(exact, abs=1e-7)


def test_no_light_is_hidden_apart_from_the_star_and_behind_it():
    flux = radial_transit(np.array([[1.2, np.inf], [0.0, 0.0]]), np.array([0.01]), law_one(1.0))
    assert flux[0, 0] == 1.0 and flux[0, 1] == pytest.approx(1 - 0.01, abs=1e-9), "a uniform star"
    assert radial_transit(np.full((3, 1), np.inf), np.array([0.01]), law_one(1.0)).min() == 1.0


def test_flux_is_averaged_over_the_instants():
    law, depth = law_of("atmosphere"), np.full(9, 0.0147)
    two = radial_transit(np.array([[0.9, 1.0]]), depth, law)
    each = radial_transit(np.array([[0.9], [1.0]]), depth, law)
    assert two[:, 0] == pytest.approx(each.mean(axis=1), abs=1e-12)


def law_one(weight):
    return RadialLaw(np.array([0.0]), np.array([[weight]]))
