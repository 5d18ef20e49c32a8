"""Stars, orbits and scale heights, and what the star table says of them."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.products import Star
from spectramind_kit.simulation.planets import (
    DAY,
    HOUR,
    Population,
    draw_geometry,
    draw_mid_time,
    draw_star,
    scale_height,
)

POPULATION = Population(1.3, 0.2, 1.0, 0.5, speed_error=0.03, impact_error=0.17, cooler=0.7)


def test_scale_height_of_a_hot_jupiter():
    """By hand: gravity 27.8 m/s^2, 1,012 K and 2.3 proton masses a molecule give 132 km."""
    height = scale_height(Star(1.155, 1.12, 6065.0), 2.07, 0.0146, 8.8, 0.7)
    assert height * np.sqrt(0.0146) * 1.155 * 6.957e5 == pytest.approx(132, rel=0.03)
    assert scale_height(Star(1.155, 1.12, 6065.0), 20.7, 0.0146, 8.8, 0.7) == pytest.approx(height / 10)
    assert scale_height(Star(1.155, 1.12, 6065.0), 0.05, 0.0146, 8.8, 0.7) == pytest.approx(height * 41.4), "no ceiling"


def test_a_visit_holds_every_transit():
    rng = np.random.default_rng(1)
    for _ in range(100):
        star = draw_star(rng)
        orbit, axis, impact = draw_geometry(star, POPULATION, 0.12, rng)
        hours = orbit.period * DAY / np.pi * np.sqrt(1.12**2 - impact**2) / axis / HOUR
        assert 1.0 < hours < 5.6 and 0.0 <= impact < 0.88
        assert 0.3 < draw_mid_time(rng, 1.0) < 0.7


def test_a_table_without_errors_is_the_truth():
    exact = dataclasses.replace(POPULATION, speed_error=0.0, impact_error=0.0)
    rng = np.random.default_rng(2)
    orbit, axis, impact = draw_geometry(draw_star(rng), exact, 0.12, rng)
    assert axis == orbit.semi_major_axis
    assert impact == pytest.approx(axis * np.cos(np.radians(orbit.inclination)), abs=1e-9)
