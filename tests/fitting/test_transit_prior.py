"""Priors from the star table, and without it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.transit_prior import transit_prior
from spectramind_kit.flags import Flag
from spectramind_kit.products import Orbit, Planet, Star

ORBIT = Orbit(6.932871, 15.43293, 89.533139)
PLANET = Planet(1, Star(1.0, 1.0, 5539.0), ORBIT)


def test_table_row_sets_the_centre(config):
    prior = transit_prior(PLANET, config.fit)
    assert prior.period == pytest.approx(6.932871 * 86400.0)
    assert prior.log_axis == (pytest.approx(math.log(15.43293)), config.fit.semi_major_axis_scatter)
    assert prior.temperature == 5539.0 and prior.flags == {}


def test_impact_prior_has_the_moments_of_a_squared_normal(config):
    b = 15.43293 * math.cos(math.radians(89.533139))
    draws = (b + config.fit.impact_parameter_scatter * np.random.default_rng(0).standard_normal(400_000)) ** 2
    mean, scatter = transit_prior(PLANET, config.fit).impact_squared
    assert mean == pytest.approx(draws.mean(), rel=0.01) and scatter == pytest.approx(draws.std(), rel=0.02)


@pytest.mark.parametrize(
    "orbit",
    [None, Orbit(math.nan, 10.0, 89.0), Orbit(4.0, 0.5, 89.0), Orbit(-4.0, 10.0, 89.0), Orbit(4.0, 10.0, math.inf)],
)
def test_an_unusable_orbit_gives_a_broad_prior_with_a_note(config, orbit):
    prior = transit_prior(replace(PLANET, orbit=orbit), config.fit)
    assert np.isfinite([prior.period, *prior.log_axis, *prior.impact_squared]).all()
    assert prior.log_axis[1] > config.fit.semi_major_axis_scatter
    assert Flag.ORBIT_UNKNOWN in prior.flags


@pytest.mark.parametrize("star", [None, Star(1.0, 1.0, math.nan), Star(1.0, 1.0, 0.0)])
def test_an_unusable_star_gives_a_broad_prior_with_a_note(config, star):
    prior = transit_prior(replace(PLANET, star=star), config.fit)
    assert prior.darkening_scatter > config.fit.limb_darkening_scatter
    assert Flag.TEMPERATURE_UNKNOWN in prior.flags


def test_a_table_that_misses_the_star_is_brought_back(config):
    prior = transit_prior(replace(PLANET, orbit=Orbit(4.0, 10.0, 60.0)), config.fit)
    assert prior.impact_squared[0] <= 1.0 + config.fit.impact_parameter_scatter**2


def test_an_eccentric_orbit_has_an_unknown_speed(config):
    orbit = replace(ORBIT, eccentricity=0.6)
    circular, eccentric = (transit_prior(replace(PLANET, orbit=o), config.fit) for o in (ORBIT, orbit))
    scatter = [p.log_axis[1] for p in (circular, eccentric)]
    assert math.sqrt(scatter[1] ** 2 - scatter[0] ** 2) == pytest.approx(0.45, abs=0.05)
    assert eccentric.impact_squared[1] > circular.impact_squared[1]
