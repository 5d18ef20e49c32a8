"""Contacts and durations of circular orbits."""

import math

import numpy as np
import pytest

from spectramind_kit.transit.orbit import semi_major_axis_from_duration, sky_separation, transit_duration, transit_speed

DAY = 86400.0


def test_closest_at_mid_transit_and_gone_behind_the_star():
    time = np.array([0.0, 0.5, 1.0]) * DAY
    separation = sky_separation(time, 0.0, 1.0 * DAY, 8.0, 0.4)
    assert float(separation[0]) == pytest.approx(0.4, abs=1e-9)
    assert math.isinf(float(separation[1]))
    assert float(separation[2]) == pytest.approx(0.4, abs=1e-9)


@pytest.mark.parametrize("b", [0.0, 0.5, 0.95])
def test_limbs_touch_at_first_and_fourth_contact(b):
    duration = transit_duration(3.0 * DAY, 9.0, b, 0.1)
    contacts = 100.0 + np.stack((-duration, duration)) / 2.0
    separation = sky_separation(contacts, 100.0, 3.0 * DAY, 9.0, b)
    assert separation == pytest.approx(1.1, abs=1e-9)


def test_the_real_planets_table_row_gives_its_published_duration():
    b = 15.43293 * math.cos(math.radians(89.533139))
    hours = float(transit_duration(6.932871 * DAY, 15.43293, b, math.sqrt(0.017))) / 3600.0
    assert hours == pytest.approx(3.86, abs=0.05)


def test_duration_and_semi_major_axis_are_inverse():
    duration = np.array([1.5, 2.5, 6.0]) * 3600.0
    a = semi_major_axis_from_duration(5.0 * DAY, duration, 0.3, 0.12)
    assert transit_duration(5.0 * DAY, a, 0.3, 0.12) == pytest.approx(duration)


def test_a_planet_that_misses_the_star_has_no_transit():
    assert float(transit_duration(3.0 * DAY, 9.0, 1.2, 0.1)) == 0.0


def test_a_circular_orbit_has_one_speed():
    for eccentricity in (0.0, math.nan, -0.1):
        assert transit_speed(eccentricity) == (0.0, 0.0)


@pytest.mark.parametrize("eccentricity", [0.05, 0.3, 0.6])
def test_speed_at_transit_scatters_with_the_periastron(eccentricity):
    mean, scatter = transit_speed(eccentricity)
    expected = math.log((1 + math.sqrt(1 - eccentricity**2)) / 2) - 0.5 * math.log(1 - eccentricity**2)
    assert mean == pytest.approx(expected, abs=1e-4)
    assert scatter == pytest.approx(eccentricity / math.sqrt(2), rel=0.15)
    fastest = math.log((1 + eccentricity) / math.sqrt(1 - eccentricity**2))
    assert scatter < fastest
