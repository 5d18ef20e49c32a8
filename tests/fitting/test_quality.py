"""What is remarkable about a fit, by numbers that are written down."""

import pytest

from spectramind_kit.fitting.quality import grazing_excess
from spectramind_kit.products import Estimate

DEPTH = 0.01
"""Of a planet of a tenth of its star."""


def excess(impact, error, difference):
    return grazing_excess({"impact_parameter": Estimate(impact, error)}, difference * DEPTH, DEPTH)


@pytest.mark.parametrize("impact, error, grazes", [(0.95, 0.01, True), (0.80, 0.01, False), (0.80, 0.03, True)])
def test_channels_are_compared_where_the_planet_may_graze(impact, error, grazes):
    for sign in (-1.0, 1.0):
        assert excess(impact, error, sign * 0.13) == pytest.approx(0.1 if grazes else 0.0)


def test_a_difference_that_air_makes_is_none():
    assert excess(0.95, 0.01, 0.02) == 0.0


def test_no_depth_grazes_nothing():
    assert grazing_excess({"impact_parameter": Estimate(0.95, 0.01)}, 0.001, 0.0) == 0.0
