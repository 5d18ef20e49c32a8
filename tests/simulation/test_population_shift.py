"""Test planets of a shifted population, training planets untouched."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.simulation.population_shift import population_shift
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.spectrum import MOLECULES


@pytest.fixture(scope="module")
def splits(config):
    shifted = dataclasses.replace(config.simulation, test_shift=1.0)
    return draw_systems(150, 150, 6, "2025", shifted), draw_systems(150, 150, 6, "2025", config.simulation)


def test_training_planets_are_the_same(splits):
    shifted, plain = splits
    assert shifted["train"] == plain["train"]
    assert plain == draw_systems(150, 150, 6, "2025"), "all off is as if there were no switches"


def test_test_stars_are_hotter_planets_smaller_and_their_air_another(splits):
    shifted, plain = (s["test"] for s in splits)
    temperature, log_radius, cloud, carbon_dioxide, methane = (
        np.mean([value(a) - value(b) for a, b in zip(shifted, plain)])
        for value in (
            lambda s: np.log(s.planet.star.temperature),
            lambda s: np.log(np.sqrt(s.depth) * s.planet.star.radius),
            lambda s: s.air.cloud,
            lambda s: s.air.abundance[MOLECULES.index("CO2")],
            lambda s: s.air.abundance[MOLECULES.index("CH4")],
        )
    )
    move = population_shift(1.0)
    assert temperature == pytest.approx(move.log_temperature, abs=0.01)
    assert log_radius == pytest.approx(move.log_planet_radius, abs=0.01)
    assert cloud == pytest.approx(move.cloud)
    assert carbon_dioxide == pytest.approx(move.abundance["CO2"]) and methane == pytest.approx(move.abundance["CH4"])


def test_strength_scales_every_move():
    none, half = population_shift(), population_shift(0.5)
    assert none.log_temperature == none.cloud == 0.0 and set(none.abundance.values()) == {0.0}
    assert half.haze == pytest.approx(0.5 * population_shift(1.0).haze)
