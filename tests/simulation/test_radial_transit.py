"""Transits of any limb-darkening law, against batman's numerical ones and the reference implementation."""

import batman
import numpy as np
import pytest

from spectramind_kit.products import Star
from spectramind_kit.random_world.disc import transit_flux
from spectramind_kit.simulation.darkening_law import DarkeningLaw
from spectramind_kit.simulation.limb_darkening_laws import LAWS, StarDarkening
from spectramind_kit.simulation.radial_transit import hidden_areas, radial_transit

WAVELENGTH = np.linspace(1.95, 3.9, 60)
"""More than interpolation has nodes, but for the widest range of depths."""
SEPARATION = np.linspace(0.0, 1.3, 301)[:, None]
PERIOD, AXIS = 10.0, 20.0
STAR = Star(0.9, 0.85, 4500.0)


def law_of(kind):
    return StarDarkening(kind, {"AIRS-CH0": 0.9}, 0.2).law(STAR, "AIRS-CH0", WAVELENGTH)


def batman_flux(law, i, depth):
    star = batman.TransitParams()
    star.t0, star.per, star.a, star.inc, star.ecc, star.w = 0.0, PERIOD, AXIS, 90.0, 0.0, 90.0
    star.rp = np.sqrt(depth)
    if len(law.powers) == 2:
        star.limb_dark, star.u = "power2", [law.weights[i, 1], law.powers[1]]
    else:
        star.limb_dark, star.u = "nonlinear", list(law.weights[i, 1:])
    time = PERIOD / (2 * np.pi) * np.arcsin(SEPARATION[:, 0] / AXIS)
    return batman.TransitModel(star, time, max_err=0.01).light_curve(star)


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("depth", [0.003, 0.0147, 0.05])
def test_agrees_with_batman(kind, depth):
    law, depths = law_of(kind), depth * np.linspace(0.98, 1.02, 60)
    flux = radial_transit(SEPARATION, depths, law)
    for i in (0, 29, 59):
        assert np.abs(flux[i] - batman_flux(law, i, depths[i])).max() < 1.2e-7


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("spread", [0.0, 0.003, 0.03, 0.3])
def test_agrees_with_the_reference_however_much_the_depths_differ(kind, spread):
    """A third of the depth is what haze makes of the lightest airs."""
    law, depths = law_of(kind), 0.0147 * np.linspace(1.0 - spread, 1.0 + spread, 60)
    difference = radial_transit(SEPARATION, depths, law) - transit_flux(SEPARATION, np.sqrt(depths), law)
    assert np.abs(difference).max() < 1.2e-7


def test_a_uniform_star_loses_the_lens_that_two_discs_share():
    k = 0.12
    s = np.array([0.0, 1e-9, k - 1e-7, k, k + 1e-7, 0.5, 1 - k - 1e-6, 1 - k, 1 - k + 1e-6, 1.0, 1 + k - 1e-6])
    area = hidden_areas(s, np.full(len(s), k), np.array([0.0, 2.0]))
    with np.errstate(invalid="ignore", divide="ignore"):
        planet, star = (s * s + k * k - 1) / (2 * s * k), (s * s + 1 - k * k) / (2 * s)
        kite = np.sqrt(np.maximum((1 + k - s) * (s + k - 1) * (s - k + 1) * (s + k + 1), 0.0)) / 2
        lens = k * k * np.arccos(np.clip(planet, -1, 1)) + np.arccos(np.clip(star, -1, 1)) - kite
    inside = s <= 1 - k
    assert area[0] == pytest.approx(np.where(inside, np.pi * k * k, lens), abs=1e-7)
    # The mean of r^2 over a disc whose centre is at s is s^2 + k^2 / 2.
    assert area[1, inside] == pytest.approx((np.pi * k * k * (1 - s**2 - k**2 / 2))[inside], abs=1e-7)


def test_no_light_is_hidden_apart_from_the_star_and_behind_it():
    uniform = DarkeningLaw(np.array([0.0]), np.array([[1.0]]))
    flux = radial_transit(np.array([[1.2, np.inf], [0.0, 0.0]]), np.array([0.01]), uniform)
    assert flux[0, 0] == 1.0 and flux[0, 1] == pytest.approx(1 - 0.01, abs=1e-9), "a uniform star"
    assert radial_transit(np.full((3, 1), np.inf), np.array([0.01]), uniform).min() == 1.0


def test_flux_is_averaged_over_the_instants():
    law, depth = law_of("atmosphere"), np.full(60, 0.0147)
    two = radial_transit(np.array([[0.9, 1.0]]), depth, law)
    each = radial_transit(np.array([[0.9], [1.0]]), depth, law)
    assert two[:, 0] == pytest.approx(each.mean(axis=1), abs=1e-12)
