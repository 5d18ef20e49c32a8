"""Limb-darkening laws: normalised, monotonous, matched to each other, darker in the blue and when cool."""

import numpy as np
import pytest
from scipy.integrate import quad, quad_vec

from spectramind_kit.instruments import AIRS, FGS1, FGS1_WAVELENGTH
from spectramind_kit.products import Star
from spectramind_kit.simulation.limb_darkening_laws import (
    LAWS,
    StarDarkening,
    atmosphere_coefficients,
    atmosphere_intensity,
    draw_darkening,
)
from spectramind_kit.simulation.starlight import planck_quotient

WAVELENGTH = np.array([1.95, 2.4, 2.9, 3.9])
MU = np.linspace(0.02, 1.0, 50)
SUN = Star(1.0, 1.0, 5772.0)


def law_of(kind, star=SUN, strength=1.0, channel=AIRS.name, wavelength=WAVELENGTH):
    return StarDarkening(kind, {channel: strength}, 0.2).law(star, channel, wavelength)


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("temperature", [4235.0, 5539.0, 6980.0])
def test_every_law_falls_to_the_limb_and_holds_its_light(kind, temperature):
    law = law_of(kind, Star(1.0, 1.0, temperature))
    intensity = law.intensity(MU[None])
    assert law.intensity(np.ones((1, 1))) == pytest.approx(1.0)
    assert (np.diff(intensity, axis=1) > 0).all() and (intensity > 0).all()
    assert (np.diff(intensity[:, 0]) > 0).all(), "darker in the blue"
    light, _ = quad_vec(lambda r: 2 * np.pi * r * law.intensity(np.array([[np.sqrt(1 - r * r)]]))[:, 0], 0, 1)
    assert law.disc_light == pytest.approx(light, rel=1e-6)


def test_both_laws_are_as_dark_where_they_are_matched():
    power2, atmosphere = (law_of(kind).intensity(np.array([[0.5, 0.25]])) for kind in LAWS)
    assert power2[:, 0] == pytest.approx(atmosphere[:, 0], abs=2e-3)
    assert power2[:, 1].mean() == pytest.approx(atmosphere[:, 1].mean(), abs=3e-3)


@pytest.mark.parametrize("kind", LAWS)
def test_cool_stars_and_strong_darkening_are_darker(kind):
    half = np.array([[0.5]])
    cool, warm = (law_of(kind, Star(1.0, 1.0, t)).intensity(half) for t in (4500.0, 6500.0))
    assert (cool < warm).all()
    assert 1 - law_of(kind, strength=0.8).intensity(half) == pytest.approx(0.8 * (1 - law_of(kind).intensity(half)))


def test_gravity_tells_a_subgiant_from_a_dwarf():
    dwarf, subgiant = (law_of("atmosphere", Star(radius, 1.0, 5500.0)).intensity(MU[None]) for radius in (1.0, 2.5))
    assert 1e-3 < np.abs(dwarf - subgiant).max() < 0.05


def test_stars_are_as_dark_as_the_real_one_and_differ():
    """Planet 1103775's star, 5,539 K: 1 - u1 / 2 - u2 / 4 is .76 at FGS1 and .905 in the middle of AIRS-CH0."""
    rng = np.random.default_rng(2)
    stars = [draw_darkening(0.5, rng) for _ in range(200)]
    places = ((FGS1.name, FGS1_WAVELENGTH, 0.2425), (AIRS.name, 2.9, 0.095))
    for channel, wavelength, lost in places:
        laws = [s.law(Star(0.965, 0.959, 5539.0), channel, np.array([wavelength])) for s in stars]
        ours = np.array([1 - law.intensity(np.array([[0.5]]))[0, 0] for law in laws])
        assert ours.mean() == pytest.approx(lost, rel=0.1)
        assert 0.05 < ours.std() / ours.mean() < 0.2


def test_the_four_parameter_law_is_as_frequent_as_asked():
    rng = np.random.default_rng(3)
    kinds = {fraction: [draw_darkening(fraction, rng).kind for _ in range(200)] for fraction in (0.0, 0.7, 1.0)}
    assert set(kinds[0.0]) == {"power2"} and set(kinds[1.0]) == {"atmosphere"}
    assert kinds[0.7].count("atmosphere") / 200 == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize("kind", LAWS)
def test_no_quadratic_law_spreads_the_darkness_alike(kind):
    """Even the quadratic law that is closest, weighed by area, leaves something, most at the limb."""
    mu = np.sqrt(np.linspace(0.001, 1.0, 200))
    lost = 1.0 - law_of(kind, channel=FGS1.name, wavelength=np.array([0.7])).intensity(mu[None])[0]
    basis = np.column_stack([1 - mu, (1 - mu) ** 2])
    left = np.abs(lost - basis @ np.linalg.lstsq(basis, lost, rcond=None)[0])
    assert 0.01 < left.max() < 0.2
    assert mu[left.argmax()] < 0.2


def test_an_atmosphere_shines_as_its_layers_do():
    """By direct integration of the source function along the line of sight, at one wavelength and angle."""
    star, wavelength, mu = Star(1.0, 1.0, 5000.0), 0.7, 0.3
    bound_free = 1.2 * np.exp(-0.5 * (np.log(0.7 / 0.85) / 0.4) ** 2)
    opacity = bound_free + 0.12 * 0.7**2

    def emergent(mu):
        def source(tau):
            local = 5000.0 * (0.75 * (tau + 0.71 - 0.3 * np.exp(-tau / 0.09))) ** 0.25
            return planck_quotient(local, 5000.0, wavelength) * np.exp(-tau * opacity / mu) / mu

        return quad(source, 0, 60 * mu)[0]

    direct = emergent(mu) / emergent(1.0)
    ours = atmosphere_intensity(star, np.array([wavelength]), np.array([mu]), 0.3)
    assert ours[0, 0] == pytest.approx(direct, rel=3e-4)
    limb = atmosphere_intensity(SUN, WAVELENGTH, np.array([0.01]), 0.3)[:, 0]
    assert (limb > 0.1).all() and (limb < 0.9).all() and (np.diff(limb) > 0).all()


def test_four_coefficients_hold_an_atmospheres_profile():
    c = atmosphere_coefficients(SUN, WAVELENGTH, 0.3)
    law = 1.0 - c @ (1.0 - MU[:, None] ** (np.arange(1, 5) / 2)).T
    assert law == pytest.approx(atmosphere_intensity(SUN, WAVELENGTH, MU, 0.3), abs=5e-3)
