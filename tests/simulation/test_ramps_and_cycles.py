"""Ramps and thermal cycles: size, shape, and that no polynomial of the fit's order follows."""

import numpy as np
import pytest

from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.ramps_and_cycles import RampAndCycle, draw_ramp_and_cycle

TIME = np.linspace(0.0, OBSERVATION_TIME, 375)


def test_ramp_and_cycle_by_hand():
    s = RampAndCycle(ramp=1e-3, time_scale=1000.0, cycle=2e-4, period=7200.0, phase=0.0, red=0.4)
    assert s.at(np.array([0.0, 1000.0, 1800.0])) == pytest.approx(
        [1e-3, 1e-3 / np.e + 2e-4 * np.sin(2 * np.pi * 1000 / 7200), 1e-3 * np.exp(-1.8) + 2e-4]
    )
    assert s.colour(np.array([0.0, 0.5, 1.0])) == pytest.approx([1.0, 0.7, 0.4])


def test_size_is_as_asked_and_zero_when_off():
    rng = np.random.default_rng(2)
    drawn = [draw_ramp_and_cycle(1e-3, rng) for _ in range(300)]
    assert np.median([abs(s.ramp) for s in drawn]) == pytest.approx(1e-3, rel=0.15)
    assert 0.3 < np.mean([s.ramp > 0 for s in drawn]) < 0.7
    assert np.log([abs(s.ramp) for s in drawn]).std() > 0.5, "a visit's size tells little of the next one's"
    assert (draw_ramp_and_cycle(0.0, rng).at(TIME) == 0.0).all()


def test_times_are_spread_over_decades():
    rng = np.random.default_rng(4)
    drawn = [draw_ramp_and_cycle(1e-3, rng) for _ in range(300)]
    for times in ([s.time_scale for s in drawn], [s.period for s in drawn]):
        assert max(times) / min(times) > 7.0 and np.log(times).std() > 0.5


def test_a_polynomial_of_order_four_leaves_some_of_it():
    rng = np.random.default_rng(3)
    left = []
    for _ in range(60):
        s = draw_ramp_and_cycle(1e-3, rng).at(TIME)
        left.append((s - np.polynomial.Legendre.fit(TIME, s, 4)(TIME)).std())
    assert 3e-5 < np.median(left) < 3e-4
