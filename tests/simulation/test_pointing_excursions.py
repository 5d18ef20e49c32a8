"""Pointing excursions: decay, heavy tails, zero when off."""

import numpy as np
import pytest
from scipy.stats import kurtosis

from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.pointing_excursions import PointingExcursions, draw_excursions

TIME = np.linspace(0.0, OBSERVATION_TIME, 2000)


def test_an_excursion_starts_at_once_and_decays():
    excursions = PointingExcursions(np.array([100.0]), np.array([200.0]), np.array([[2.0], [-1.0]]))
    shift = excursions.at(np.array([99.0, 100.1, 300.0]))
    assert shift[:, 0] == pytest.approx([0.0, 0.0])
    assert shift[0, 1:] == pytest.approx([2.0, 2.0 / np.e], rel=1e-3)
    assert shift[1] == pytest.approx(-shift[0] / 2)


def test_shifts_are_far_from_gaussian_and_scale_with_the_switch():
    many = [draw_excursions(1.0, np.random.default_rng(i)) for i in range(100)]
    shifts = np.concatenate([b.at(TIME).ravel() for b in many])
    assert kurtosis(shifts) > 10
    assert np.mean([len(b.start) for b in many]) == pytest.approx(3.0, abs=0.6)
    twice = draw_excursions(2.0, np.random.default_rng(7))
    assert twice.at(TIME) == pytest.approx(2 * draw_excursions(1.0, np.random.default_rng(7)).at(TIME))
    assert (draw_excursions(0.0, np.random.default_rng(7)).at(TIME) == 0.0).all()
