"""The light curve against batman, against brute-force integration at the contacts, and against its own differences."""

import math
from typing import Any

import batman
import numpy as np
import pytest
from scipy.integrate import quad

from spectramind_kit.transit.light_curve import exposure_samples, transit_flux
from spectramind_kit.transit.orbit import sky_separation

LIMB_DARKENING = [(0.0, 0.0), (0.43, 0.11), (0.15, 0.08), (0.6, 0.3), (0.3, -0.1)]
CONTACTS = [0.0, 1e-9, "k", "1-k", "1-k-", "1-k+", "1", "1+k-", "1+k", 2.0, math.inf]


def flux_at(separation, depth, u):
    return transit_flux(np.asarray(separation), depth, *u).flux


def slopes_of(seen):
    return seen.by_separation, seen.by_depth, seen.by_u1, seen.by_u2


def separation_at(contact, k):
    named = {
        "k": k,
        "1-k": 1 - k,
        "1-k-": 1 - k - 1e-7,
        "1-k+": 1 - k + 1e-7,
        "1": 1.0,
        "1+k-": 1 + k - 1e-7,
        "1+k": 1 + k,
    }
    return named.get(contact, contact)


def brute_force_flux(separation, k, u):
    """Integrate I(r) times the hidden part of the circle of radius r, ring by ring."""

    def hidden_of_ring(r):
        mu = math.sqrt(max(0.0, 1.0 - r * r))
        cosine = (r * r + separation**2 - k * k) / max(2.0 * r * separation, 1e-300)
        return (1 - u[0] * (1 - mu) - u[1] * (1 - mu) ** 2) * 2.0 * math.acos(min(1.0, max(-1.0, cosine))) * r

    breaks = sorted({min(1.0, abs(x)) for x in (separation - k, separation + k)})
    hidden = sum(
        quad(hidden_of_ring, a, b, epsabs=1e-11, epsrel=1e-10, limit=400)[0]
        for a, b in zip([0.0, *breaks], [*breaks, 1.0])
        if b > a
    )
    return 1.0 - hidden / (math.pi * (1 - u[0] / 3 - u[1] / 6))


@pytest.mark.parametrize("k", [0.01, 0.05, 0.13, 0.25])
@pytest.mark.parametrize("b", [0.0, 0.06, 0.3, 0.7, 0.88, 1.0, 1.1])
def test_agrees_with_batman_along_a_transit(k, b):
    # No b equals a k: batman loses five digits where the planet's limb passes over the star's centre.
    time = np.linspace(-0.15, 0.15, 1501)
    for u in LIMB_DARKENING:
        orbit: Any = batman.TransitParams()  # its attributes begin as None
        orbit.t0, orbit.per, orbit.rp, orbit.a, orbit.ecc, orbit.w = 0.0, 4.0, k, 9.0, 0.0, 90.0
        orbit.inc = math.degrees(math.acos(b / orbit.a))
        orbit.limb_dark, orbit.u = "quadratic", list(u)
        expected = batman.TransitModel(orbit, time).light_curve(orbit)
        separation = sky_separation(time, 0.0, 4.0, 9.0, b)
        assert np.abs(flux_at(separation, k * k, u) - expected).max() < 1e-7


@pytest.mark.parametrize("k", [0.02, 0.13, 0.25])
@pytest.mark.parametrize("contact", CONTACTS)
def test_agrees_with_brute_force_at_contacts(k, contact):
    s = separation_at(contact, k)
    for u in LIMB_DARKENING:
        expected = brute_force_flux(s, k, u) if s < 1 + k else 1.0
        assert flux_at(s, k * k, u) == pytest.approx(expected, abs=2e-8)


def test_uniform_star_loses_the_planets_area():
    assert flux_at([0.0, 0.3, 0.89], 0.01, (0.0, 0.0)) == pytest.approx(0.99, abs=1e-12)


@pytest.mark.parametrize("k", [0.01, 0.1, 0.25])
def test_slopes_are_finite_everywhere_and_equal_differences(k):
    contacts = [separation_at(c, k) for c in CONTACTS] + list(np.linspace(0.01, 1.3, 41))
    arguments = [np.array(contacts), *(np.full(len(contacts), value) for value in (k * k, 0.4, 0.2))]
    for i, slope in enumerate(slopes_of(transit_flux(*arguments))):
        assert np.isfinite(slope).all()
        step = 1e-5 * (k * k if i == 1 else k if i == 0 else 1.0)
        up, down = ([a + sign * step if j == i else a for j, a in enumerate(arguments)] for sign in (1, -1))
        up[0], down[0] = np.abs(up[0]), np.abs(down[0])
        difference = (transit_flux(*up).flux - transit_flux(*down).flux) / (2 * step)
        scale = max(1.0, float(np.abs(slope).max())) if i == 1 else k
        smooth = (np.abs(arguments[0] - (1 - k)) > 1e-3 * k) & (np.abs(arguments[0] - (1 + k)) > 1e-3 * k)
        rounding = 1e-15 / step
        assert np.abs(slope - difference)[smooth].max() < 3e-4 * scale + rounding
        assert np.abs(slope - difference).max() < 0.03 * scale + rounding


@pytest.mark.parametrize("depth", [0.0, 1e-30, 1e-12])
def test_slopes_are_finite_for_a_vanishing_planet(depth):
    seen = transit_flux(np.array([0.0, 0.5, 1.0 - 1e-7, 1.0, 1.0 + 1e-7]), depth, 0.4, 0.2)
    assert all(np.isfinite(slope).all() for slope in slopes_of(seen))


def test_negative_depth_mirrors_the_transit_and_keeps_its_slope():
    seen = transit_flux(np.array(0.2), np.array([-0.01, 0.01]), 0.4, 0.1)
    assert float(seen.flux.sum()) == pytest.approx(2.0, abs=1e-14)
    assert float(seen.by_depth[0]) == pytest.approx(float(seen.by_depth[1]), rel=1e-12)


def test_broadcasts_and_shows_nan():
    flux = transit_flux(np.array([[0.1], [math.nan], [3.0]]), np.array([0.01, 0.02]), 0.3, 0.1).flux
    assert flux.shape == (3, 2)
    assert np.isnan(flux[1]).all() and np.isfinite(flux[[0, 2]]).all()


def test_exposure_samples_average_to_the_mean_flux():
    time = np.array([0.0, 3600.0, 5400.0])
    samples = exposure_samples(time, 600.0, 5)
    assert samples.shape == (3, 5)
    assert samples.mean(axis=1) == pytest.approx(time)
    fine = exposure_samples(time, 600.0, 2001)

    def mean_flux(instants):
        separation = sky_separation(instants, 0.0, 3.0e5, 10.0, 0.2)
        return transit_flux(separation, 0.01, 0.3, 0.1).flux.mean(axis=1)

    assert mean_flux(samples) == pytest.approx(mean_flux(fine), abs=2e-5)
