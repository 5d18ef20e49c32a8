"""The many-wavelength transit against its reference implementation, flux and slopes."""

import numpy as np
import pytest

from spectramind_kit.transit.light_curve import exposure_samples, transit_flux
from spectramind_kit.transit.orbit import sky_separation
from spectramind_kit.transit.spectroscopic import spectroscopic_transit

PERIOD = 4.0 * 86400.0


def reference(instants, mid_time, a, b_squared, depth, u1, u2):
    """Return the flux (n_wavelength, n_time), wavelength by wavelength and instant by instant."""
    separation = sky_separation(instants, mid_time, PERIOD, a, np.sqrt(b_squared))
    arguments = (np.asarray(value)[:, None, None] for value in (depth, u1, u2))
    return transit_flux(separation[None], *arguments).flux.mean(axis=2)


def by_difference(instants, arguments, place, step):
    """Return the slope of the reference by one argument."""
    up, down = ([a + sign * step if i == place else a for i, a in enumerate(arguments)] for sign in (1.0, -1.0))
    return (reference(instants, *up) - reference(instants, *down)) / (2.0 * step)


@pytest.mark.parametrize("b_squared", [1e-4, 0.09, 0.64, 0.95])
def test_agrees_with_the_reference(b_squared):
    instants = exposure_samples(np.arange(0.0, 27000.0, 120.0), 120.0, 3)
    depth = 0.015 * (1.0 + 0.08 * np.linspace(-1.0, 1.0, 7))
    arguments = [13000.0, 9.0, b_squared, depth, np.linspace(0.4, 0.1, 7), np.linspace(0.1, 0.2, 7)]
    fast = spectroscopic_transit(instants, arguments[0], PERIOD, *arguments[1:])
    steps = {
        "by_mid_time": 0.3,
        "by_semi_major_axis": 1e-4,
        "by_impact_squared": 1e-5,
        "by_depth": 1e-7,
        "by_u1": 1e-5,
        "by_u2": 1e-5,
    }
    assert np.abs(fast.flux - reference(instants, *arguments)).max() < 5e-7
    for place, (name, step) in enumerate(steps.items()):
        expected = by_difference(instants, arguments, place, step)
        error = (getattr(fast, name) - expected) / np.abs(expected).max()
        assert np.abs(error).max() < 0.03, name  # at a contact, where the slope bends within the range of k
        assert np.sqrt(np.square(error).mean()) < 2e-3, name


def test_depths_beyond_the_range_follow_the_tangent_and_stay_finite():
    instants = exposure_samples(np.arange(0.0, 27000.0, 300.0), 300.0, 3)
    depth = np.array([-0.002, 0.001, 0.0011, 0.0012, 0.02])
    fast = spectroscopic_transit(instants, 13000.0, PERIOD, 9.0, 0.1, depth, *np.full((2, 5), 0.2))
    assert np.isfinite(fast.flux).all()
    assert fast.flux[0].max() > 1.0 > fast.flux[1].min()
    missing = (fast.flux[4] - 1.0).min() / (fast.flux[2] - 1.0).min()
    assert float(missing) == pytest.approx(0.02 / 0.0011, rel=0.01)


def test_no_transit_in_the_window_is_flat():
    instants = exposure_samples(np.arange(0.0, 3600.0, 60.0), 60.0, 3)
    fast = spectroscopic_transit(instants, 40000.0, PERIOD, 9.0, 0.1, np.array([0.01, 0.02]), *np.zeros((2, 2)))
    assert (fast.flux == 1.0).all() and (fast.by_depth == 0.0).all()
