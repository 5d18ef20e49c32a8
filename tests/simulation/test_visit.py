"""One visit of a channel: light on the pixels and what becomes of it."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.competition.frames import detector_pixels
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import RawCube
from spectramind_kit.simulation import cadence as cadence_module
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.starlight import REFERENCE_TEMPERATURE
from spectramind_kit.simulation.visit import (
    brightest_allowed,
    channel_light,
    draw_pointing,
    simulate_channel,
    star_electrons,
    transit_curves,
)

ADC = (0.4369, -1000.0)
MID = OBSERVATION_TIME / 2


@pytest.fixture(scope="module")
def system():
    return draw_systems(1, 0, seed=8, edition="2025")["train"][0]


@pytest.fixture
def rng():
    return np.random.default_rng(77)


def test_transit_is_centred_and_as_deep_as_the_label(system):
    cadence = Cadence(AIRS, 25)
    curves = transit_curves(system, AIRS, MID, cadence)
    assert curves[:, :20] == pytest.approx(1.0)
    assert curves == pytest.approx(curves[:, ::-1], abs=1e-5), "symmetric about the middle of the visit"
    depth = system.depths(np.array([2.0, 3.8]))
    deepest = 1 - curves[[320, 45]].min(axis=1)
    assert (deepest > 0.85 * depth).all() and (deepest < 1.3 * depth).all()
    assert deepest[0] / depth[0] > deepest[1] / depth[1], "more limb darkening in the blue"


def test_averaged_transit_is_the_mean_of_the_real_exposures(system):
    """Ingress is smeared as in the real mean: the same light curve at every cadence."""
    real = Cadence(FGS1, 10).average(transit_curves(system, FGS1, MID, Cadence(FGS1, 1)))
    stored = transit_curves(system, FGS1, MID, Cadence(FGS1, 100))[0]
    assert stored == pytest.approx(real[0].reshape(-1, 10).mean(axis=1), abs=3e-6)


def test_drift_multiplies_the_light_and_is_weaker_in_the_red(system, config):
    cadence, halves = Cadence(AIRS, 25), []
    for seed in range(20):
        calm, drifting = (
            channel_light(system, MID, cadence, dataclasses.replace(config.simulation, drift=size), 7e4, rng).star
            for size, rng in ((0.0, np.random.default_rng(seed)), (1e-2, np.random.default_rng(seed)))
        )
        gain = drifting / calm - 1.0
        assert 1e-3 < np.abs(gain[320]).max() < 6e-2
        halves.append(gain[39, -1] / gain[320, -1])
    assert np.mean(halves) == pytest.approx(0.5, abs=0.12) and min(halves) > 0.15 and max(halves) < 0.85


def test_pointing_is_averaged_like_the_exposures(config, rng):
    airs = draw_pointing(Cadence(AIRS, 25), config.simulation, rng)
    assert airs.shape == (1, 225)
    assert airs.std() == pytest.approx(config.simulation.airs_jitter / 5, rel=0.15)
    fgs1 = draw_pointing(Cadence(FGS1, 1), config.simulation, rng)
    assert fgs1.shape == (2, 67_500)
    assert fgs1.std(axis=1) == pytest.approx(config.simulation.fgs1_jitter, rel=0.15)


def test_jitter_shakes_the_flanks_of_the_trace(system, config, rng):
    """On real frames the rows beside the peak vary some four times as much as photons and reads explain."""
    cadence = Cadence(AIRS, 1)
    light = channel_light(system, MID, cadence, config.simulation, 7e4, rng)
    out_of_transit = slice(0, 900)
    flank, peak = light.on_row(14)[300, out_of_transit], light.on_row(16)[300, out_of_transit]
    photons = flank.mean() + 2 * 13.0**2
    excess = np.diff(flank).var() / 2 / photons
    assert 1.0 < excess < 8.0
    assert np.diff(peak).std() / peak.mean() < np.diff(flank).std() / flank.mean()


def test_light_of_a_column_is_star_and_foreground(system, config, rng):
    still = dataclasses.replace(config.simulation, airs_jitter=0.0, drift=0.0)
    light = channel_light(system, MID, Cadence(AIRS, 25), still, 7e4, rng)
    summed = np.sum([light.on_row(row) for row in range(AIRS.n_row)], axis=0)[:, 0]
    star = star_electrons(system, AIRS)
    share = summed[39:321] / star[39:321] - 1
    assert 1e-3 < share.mean() < 0.02, "about 0.6 % of foreground"


@pytest.mark.parametrize("channel, average", [(AIRS, 25), (FGS1, 100)])
def test_the_brightest_star_stays_below_the_full_well_at_the_second_read(system, config, rng, channel, average):
    bright = dataclasses.replace(system, brightness={AIRS.name: 50.0, FGS1.name: 50.0})
    light = channel_light(
        bright, MID, Cadence(channel, average), config.simulation, brightest_allowed(channel, *ADC), rng
    )
    exposure = max(light.on_row(row).max() for row in range(channel.n_row))
    assert 0.8 * FULL_WELL < exposure * channel.read_times[1] / channel.exposure_time < FULL_WELL


def test_a_star_too_bright_is_dimmed(system, config, rng):
    bright = dataclasses.replace(system, brightness={AIRS.name: 50.0, FGS1.name: 50.0})
    light = channel_light(bright, MID, Cadence(AIRS, 25), config.simulation, 7e4, rng)
    assert max(light.on_row(row).max() for row in range(AIRS.n_row)) == pytest.approx(7e4, rel=0.02)


@pytest.mark.parametrize(
    "channel, first, second, white_ppm", [(AIRS, 33.5, 1582.0, (200, 320)), (FGS1, 215.4, 430.7, (3000, 5000))]
)
def test_reads_of_the_anchor_star_are_those_of_its_real_frames(
    system, config, rng, monkeypatch, channel, first, second, white_ppm
):
    """Means of both reads [e-] and scatter of the white light per exposure: planet 342072318, 25 real pairs."""
    monkeypatch.setattr(cadence_module, "OBSERVATION_TIME", 400 * channel.pair_period)
    star = dataclasses.replace(system.planet.star, temperature=REFERENCE_TEMPERATURE)
    planet = dataclasses.replace(system.planet, star=star)
    anchor = dataclasses.replace(system, planet=planet, brightness={AIRS.name: 1.0, FGS1.name: 1.0})
    quiet = dataclasses.replace(config.simulation, cosmic_rays=0.0)
    counts, _frames = simulate_channel(anchor, MID, Cadence(channel, 1), quiet, ADC, rng)
    electrons = counts / ADC[0] + ADC[1]
    assert electrons[:, ::2].mean() == pytest.approx(first, rel=0.1)
    assert electrons[:, 1::2].mean() == pytest.approx(second, rel=0.05)
    science = slice(*channel.science_columns)
    window = (electrons[:, 1::2] - electrons[:, ::2]).reshape(*channel.shape, -1)[8:24, science]
    white = window.sum(axis=(0, 1))
    assert white_ppm[0] < white.std() / white.mean() * 1e6 < white_ppm[1]


@pytest.mark.parametrize("channel, average", [(AIRS, 75), (FGS1, 300)])
def test_calibration_gives_the_light_back(system, config, rng, channel, average):
    """calibrate(simulate(x)) ~ x: pixel by pixel, unbiased and as noisy as the variances say."""
    quiet = dataclasses.replace(config.simulation, cosmic_rays=0.0, airs_jitter=0.0, fgs1_jitter=0.0)
    cadence = Cadence(channel, average)
    state = rng.bit_generator.state
    counts, frames = simulate_channel(system, MID, cadence, quiet, ADC, rng)
    rows, columns = detector_pixels(channel)
    cube = RawCube(channel.name, counts, rows, columns, cadence.frame_times())
    calibrated = calibrate(cube, frames, config.calibration)
    truth = expected_light(system, cadence, quiet, state)
    pull = (calibrated.signal - truth) / np.sqrt(calibrated.variance)
    good = calibrated.good & (truth.mean(axis=1) > 50)
    assert pull[good].mean() == pytest.approx(0.0, abs=0.05)
    assert pull[good].std() == pytest.approx(1.0, abs=0.08)


def expected_light(system, cadence, config, state):
    """Return the light (n_pixel, n_pair) that a visit with the same random numbers has."""
    rng = np.random.default_rng()
    rng.bit_generator.state = state
    draw_calibration_frames(cadence.channel, *ADC, config.read_noise, rng)
    light = channel_light(system, MID, cadence, config, brightest_allowed(cadence.channel, *ADC), rng)
    return np.concatenate([light.on_row(row) for row in range(cadence.channel.n_row)])
