"""Jitter: size and spectrum."""

import numpy as np
import pytest

from spectramind_kit.simulation.pointing import OSCILLATION_PERIOD, oscillating_jitter, white_jitter


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
