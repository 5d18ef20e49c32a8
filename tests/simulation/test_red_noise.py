"""Red noise: size, spectrum, memory, zero when off."""

import numpy as np
import pytest

from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.red_noise import draw_red_noise

TIME = 72.0 * (np.arange(375) + 0.5)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(4)
    return np.array([draw_red_noise(1e-4, rng).over(TIME, 72.0) for _ in range(400)])


def test_size_is_the_median_of_the_standard_deviations(series):
    """Noise whose memory is not much shorter than a visit varies less within it than over many visits."""
    assert 0.7e-4 < np.median(np.sqrt((series**2).mean(axis=1))) < 1.05e-4
    assert series[:, 0].std() == pytest.approx(series[:, -1].std(), rel=0.25), "stationary"
    assert (draw_red_noise(0.0, np.random.default_rng(1)).over(TIME, 72.0) == 0.0).all()


def test_power_falls_about_like_one_over_frequency(series):
    power = np.mean(np.abs(np.fft.rfft(series * np.hanning(375), axis=1)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(375, 72.0)
    band = (frequency > 1 / 20_000) & (frequency < 1 / 400)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert -1.7 < slope < -0.8


def test_visits_differ_in_size_and_memory(series):
    size = np.log(series.std(axis=1))
    assert size.std() > 0.5
    memory = np.array([np.corrcoef(s[1:], s[:-1])[0, 1] for s in series])
    assert np.log(1.0 - memory).std() > 0.5, "one mixture of memories for all visits leaves a scatter of 0.27"


def test_averaging_does_not_help_as_with_white_noise(series):
    blocks = series[:, :360].reshape(400, 24, 15).mean(axis=2)
    assert blocks.std() > 2.5 * series.std() / np.sqrt(15)


def test_a_visit_has_the_same_noise_at_every_cadence():
    noise = draw_red_noise(1e-4, np.random.default_rng(9))
    fine = noise.over(np.arange(0.2, OBSERVATION_TIME, 0.4), 0.1).reshape(-1, 180).mean(axis=1)
    assert fine == pytest.approx(noise.over(TIME, 72.0), abs=2e-5), "a fifth of its standard deviation"
    assert np.corrcoef(fine, noise.over(TIME, 72.0))[0, 1] > 0.99
