"""What the fit leaves out, in whole visits: nothing when off, each effect where it belongs when on."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.config import load_config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence
from spectramind_kit.simulation.disturbances import draw_disturbances
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.star_spots import CrossedSpot, StarSpots
from spectramind_kit.simulation.tables import ADC
from spectramind_kit.simulation.visit import channel_light, simulate_channel, transit_curves

SWITCHES = ("limb_darkening_laws", "star_spots", "drift_beyond", "jitter_tail", "red_noise", "test_shift")
MID = OBSERVATION_TIME / 2


@pytest.fixture(scope="module")
def system():
    return draw_systems(1, 0, 8, "2025")["train"][0]


def light(system, channel, config, average, **switches):
    rng = np.random.default_rng(3)
    chosen = dataclasses.replace(config.simulation, **switches)
    disturbances = draw_disturbances(system, chosen, rng)
    return channel_light(system, MID, Cadence(channel, average), chosen, 7e4, rng, disturbances)


def test_everything_is_off_but_in_its_own_configuration(config):
    full, small, beyond = (load_config([f"simulation={n}"]).simulation for n in ("full", "small", "beyond_fit"))
    assert {getattr(c, name) for c in (full, small) for name in SWITCHES} == {0.0}
    assert all(getattr(beyond, name) > 0 for name in SWITCHES)
    assert dataclasses.replace(beyond, **dict.fromkeys(SWITCHES, 0.0)) == small


@pytest.mark.parametrize("channel", [AIRS, FGS1])
def test_disturbances_of_size_zero_change_no_count(system, config, channel):
    """A visit with all switches off is bit for bit the visit without any switches."""
    cadence = Cadence(channel, coarse(channel))
    counts = []
    for with_switches in (False, True):
        rng = np.random.default_rng(11)
        drawn = draw_disturbances(system, config.simulation, rng) if with_switches else None
        made = simulate_channel(system, MID, cadence, config.simulation, ADC["2025"][channel.name], rng, drawn)
        counts.append(made[0])
    assert np.array_equal(*counts)


def test_planets_and_counts_stay_what_they_were(config):
    """Recorded numbers: the same seed is the same folder. A count may differ by rounding on another processor."""
    train, test = (draw_systems(1, 1, 8, "2025", config.simulation)[split][0] for split in ("train", "test"))
    drawn = [[s.depth, s.planet.star.temperature, s.air.cloud, s.brightness["FGS1"]] for s in (train, test)]
    recorded = (0.016718511073477743, 5572.296911937474, 0.4345271634846948, 0.4038576070733117)
    assert drawn[0] == pytest.approx(recorded, rel=1e-12)
    recorded = (0.001, 5980.0884965264395, 0.3051108723867022, 0.7815670771003236)
    assert drawn[1] == pytest.approx(recorded, rel=1e-12)
    counts = {
        AIRS: {6008: [811, 17434, 805, 17169, 812, 17444], 5521: [499, 3324, 498, 3275, 499, 3325]},
        FGS1: {496: [5965, 11454, 5866, 11260, 5962, 11450], 499: [518, 600, 517, 597, 518, 600]},
    }
    for channel, pixels in counts.items():
        rng = np.random.default_rng(11)
        cadence = Cadence(channel, coarse(channel))
        drawn = draw_disturbances(train, config.simulation, rng)
        made, _ = simulate_channel(train, MID, cadence, config.simulation, ADC["2025"][channel.name], rng, drawn)
        for pixel, expected in pixels.items():
            assert made[pixel].astype(int) == pytest.approx(np.array(expected), abs=1)


def coarse(channel):
    """Pairs averaged into one so that a visit has three."""
    return 1875 if channel == AIRS else 22_500


def test_each_channel_has_noise_and_ramp_of_its_own(system, config):
    drawn = draw_disturbances(
        system,
        dataclasses.replace(config.simulation, red_noise=1e-4, drift_beyond=1e-3),
        np.random.default_rng(1),
    )
    time = np.linspace(0, OBSERVATION_TIME, 375)
    airs, fgs1 = (drawn.channels[c.name].red_noise.over(time, 72.0) for c in (AIRS, FGS1))
    assert abs(np.corrcoef(airs, fgs1)[0, 1]) < 0.9 and not np.allclose(airs, fgs1)
    assert drawn.channels[AIRS.name].ramp != drawn.channels[FGS1.name].ramp


def test_one_switch_leaves_the_others_draws_alone(system, config):
    alone = draw_disturbances(
        system, dataclasses.replace(config.simulation, red_noise=1e-4), np.random.default_rng(1)
    ).channels[AIRS.name]
    both = draw_disturbances(
        system, dataclasses.replace(config.simulation, red_noise=1e-4, drift_beyond=1e-3), np.random.default_rng(1)
    ).channels[AIRS.name]
    assert np.array_equal(alone.red_noise.series, both.red_noise.series)


def test_the_ramp_has_a_colour_of_its_own_and_red_noise_none(system, config):
    plain = light(system, AIRS, config, 75)
    ratio = light(system, AIRS, config, 75, drift_beyond=1e-2).star / plain.star - 1
    drawn = draw_disturbances(
        system, dataclasses.replace(config.simulation, drift_beyond=1e-2), np.random.default_rng(3)
    )
    assert ratio[39] == pytest.approx(drawn.channels[AIRS.name].ramp.red * ratio[320], abs=2e-6)
    assert np.ptp(ratio[320]) > 1e-3
    noise = light(system, AIRS, config, 75, red_noise=1e-3).star / plain.star - 1
    assert noise[39] == pytest.approx(noise[320], abs=1e-6) and noise.std() > 2e-4
    assert np.array_equal(light(system, AIRS, config, 75, jitter_tail=3.0).star, plain.star), "pointing only"


def test_excursions_move_the_image(system, config):
    for channel, average, sigma in (
        (AIRS, 75, config.simulation.airs_jitter),
        (FGS1, 900, config.simulation.fgs1_jitter),
    ):
        plain, moved = (light(system, channel, config, average, jitter_tail=tail).shift for tail in (0.0, 2.0))
        assert moved.shape == plain.shape
        assert sigma < np.abs(moved - plain).max() < 100 * sigma


def test_stars_have_other_laws_and_spots_as_often_as_asked(config):
    beyond = dataclasses.replace(config.simulation, limb_darkening_laws=0.7, star_spots=0.01)
    systems = draw_systems(300, 0, 2, "2025", beyond)["train"]
    laws = [s.darkening.kind for s in systems]
    assert laws.count("power2") / 300 == pytest.approx(0.3, abs=0.08)
    assert all(s.spots is not None for s in systems)
    plain = draw_systems(300, 0, 2, "2025")["train"]
    assert all(np.array_equal(a.label(), b.label()) for a, b in zip(systems, plain)), "labels are the planets' own"


def test_another_law_bends_the_transit_and_leaves_the_rest(system):
    cadence = Cadence(AIRS, 25)
    plain = transit_curves(system, AIRS, MID, cadence)
    darkening = dataclasses.replace(system.darkening, kind="atmosphere")
    other = transit_curves(dataclasses.replace(system, darkening=darkening), AIRS, MID, cadence)
    assert (other[:, plain[0] == 1.0] == 1.0).all()
    assert 2e-6 < np.abs(other - plain)[39:321].max() < 1e-3


def test_spots_deepen_the_observed_transit_more_at_fgs1_and_a_crossing_brightens_it(system):
    spotty = dataclasses.replace(system, spots=StarSpots(0.03, 0.85 * system.planet.star.temperature))
    deeper = {}
    for channel, average in ((AIRS, 25), (FGS1, 300)):
        plain, seen = (transit_curves(s, channel, MID, Cadence(channel, average)) for s in (system, spotty))
        dip = 1 - plain.min(axis=1)
        deeper[channel.name] = ((1 - seen.min(axis=1)) / dip - 1).mean()
        crossed = CrossedSpot(0.0, 0.0, 0.1)
        bump = transit_curves(spotty, channel, MID, Cadence(channel, average), crossed) - seen
        assert bump.min() > -1e-12 and bump.max() > 1e-5
        assert bump.argmax() % bump.shape[1] == pytest.approx(bump.shape[1] / 2, abs=bump.shape[1] * 0.03)
    assert deeper["FGS1"] > 1.5 * deeper["AIRS-CH0"] > 0
