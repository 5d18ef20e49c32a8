"""Jitter and drift: size, spectrum, shape."""

import numpy as np
import pytest

from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.pointing import (
    OSCILLATION_PERIOD,
    drift_colour,
    drift_shape,
    oscillating_jitter,
    white_jitter,
)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_white_jitter_has_no_memory(rng):
    x = white_jitter(50_000, 0.013, rng)
    assert x.std() == pytest.approx(0.013, rel=0.02)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 0.02


def test_fgs1_jitter_swings_with_its_period_and_averages_out(rng):
    x = oscillating_jitter(67_500, 0.10, 0.4, rng)
    assert x.std() == pytest.approx(0.10, rel=0.1)
    power = np.abs(np.fft.rfft(x)) ** 2
    frequency = np.fft.rfftfreq(len(x), 0.4)
    assert (power * frequency).sum() / power.sum() == pytest.approx(1 / OSCILLATION_PERIOD, rel=0.1)
    over_72_seconds = x.reshape(-1, 180).mean(axis=1).std()
    assert over_72_seconds < 0.5 * 0.10 / np.sqrt(180), "averages out faster than white noise"


def test_drift_is_smooth_and_has_unit_size(rng):
    time = np.linspace(0, OBSERVATION_TIME, 400)
    for _ in range(5):
        shape = drift_shape(time, OBSERVATION_TIME, rng)
        assert np.ptp(shape) == pytest.approx(1.0, abs=0.01)
        residual = shape - np.polyval(np.polyfit(time / OBSERVATION_TIME, shape, 4), time / OBSERVATION_TIME)
        assert np.abs(residual).max() < 1e-9


def test_drift_is_half_as_strong_at_the_red_end():
    assert drift_colour(np.array([1.95, 3.9]), 1.95, 3.9) == pytest.approx([1.0, 0.5])
