"""Ranges of what training planets look like: none of them is outside, what is unlike all of them is."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.flags import Flag
from spectramind_kit.prediction.input_ranges import PARTS, STATISTICS, InputRanges, learn_input_ranges, statistics_of
from spectramind_kit.products import Estimate, Orbit, Planet, Star, TransitFit

RNG = np.random.default_rng(3)
N_TIME, N = 200, 20
WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, N - 1)])
TIME = 60.0 * np.arange(N_TIME)
PLANET = Planet(7, Star(1.0, 1.1, 5600.0), Orbit(3.3, 8.5, 89.1), 0.9)


def transit(mid, half=2000.0):
    """Return a model with smooth contacts, (n_time,)."""
    return 1.0 - 0.01 / (1.0 + np.exp((np.abs(TIME - mid) - half) / 150.0))


def fit_of(shift=(0.0,) * N, noise=1e-4, mid=6000.0):
    """Return a fit whose model is in the middle; the light of each wavelength may come later [s]."""
    model = np.repeat(transit(mid)[:, None], N, axis=1)
    flux = np.column_stack([transit(mid + late) for late in shift]) + RNG.normal(0, noise, (N_TIME, N))
    names = {"mid_time": mid, "duration": 4000.0, "semi_major_axis": 9.0, "impact_parameter": 0.3}
    parameters = {name: Estimate(value, 0.01 * value) for name, value in names.items()}
    depth = np.full(N, 0.01) * RNG.normal(1.0, 0.01, N)
    return TransitFit(7, 0, WAVELENGTH, depth, 1e-9 * np.eye(N), parameters, TIME, flux, model, np.ones(N))


def seen(**how):
    return statistics_of(fit_of(**how), PLANET)[None]


@pytest.fixture(scope="module")
def known():
    planets = [seen(mid=RNG.uniform(5000, 7000)) for _ in range(24)]
    return planets, learn_input_ranges(planets, np.arange(24) % 4)


def test_training_planets_and_their_like_are_within(known):
    planets, ranges = known
    others = [seen(mid=mid) for mid in (5500.0, 6000.0, 6500.0)]
    like = [*planets, *others, np.vstack(planets), np.zeros((0, 2, len(STATISTICS)))]
    assert all(ranges.beyond(one) == {} for one in like)
    assert (ranges.allowance >= 0.5).all() and np.isfinite(planets[0]).all()


def test_a_flag_that_no_training_planet_has_is_no_range(known):
    """It has a meaning of its own: counted, it made every flag an alarm where training planets had none."""
    fit = fit_of()
    for flag in Flag:
        flagged = dataclasses.replace(fit, flags={flag: "1.4"})
        beyond, alike = (known[1].beyond(statistics_of(one, PLANET)[None]) for one in (flagged, fit))
        assert beyond == alike


def unlike(planet_orbit, error=0.01, red=0.0):
    """Return what ranges say of a visit whose fitted orbit is another one, known to a part, with correlated noise."""
    fit = fit_of()
    waves = red * 1e-4 * np.cos(2.0 * np.pi * TIME / 1500.0)
    axis = Estimate(planet_orbit, error * planet_orbit)
    fit = dataclasses.replace(
        fit, parameters=fit.parameters | {"semi_major_axis": axis}, flux=fit.flux + waves[:, None]
    )
    return statistics_of(fit, PLANET)[None]


def test_what_a_visit_does_not_know_makes_it_unlike_nobody(known):
    """Shallow transits in a strong drift had another orbit than the published one, and sigmas a hundred times wider."""
    _, ranges = known
    name, distance = ranges.beyond(unlike(5.0))[Flag.UNLIKE_TRAINING]
    assert name == "axis over the published one" and distance > 2.0
    assert Flag.UNLIKE_TRAINING not in ranges.beyond(unlike(5.0, error=0.25))
    nearer = ranges.beyond(unlike(5.0, error=0.05))[Flag.UNLIKE_TRAINING]
    assert 0.5 < nearer[1] < distance - 1.0, "what is beyond for certain counts, and no more"


def test_correlated_noise_makes_orbits_less_certain():
    calm, rough = unlike(5.0, error=0.04), unlike(5.0, error=0.04, red=1.0)
    axis = STATISTICS.index("axis over the published one")
    assert rough[0, 1, axis] > 1.5 * calm[0, 1, axis]
    assert rough[0, 0, axis] == calm[0, 0, axis]


@pytest.mark.parametrize("depth, beyond", [(0.01, True), (3e-4, False)])
def test_channels_that_differ_by_what_noise_allows_are_like_others(known, depth, beyond):
    _, ranges = known
    fit = fit_of()
    both = np.where(np.arange(N) == 0, 0.6 * depth, depth)
    fit = dataclasses.replace(fit, depth=both, covariance=(5e-5) ** 2 * np.eye(N))
    found = {name for name, _ in ranges.beyond(statistics_of(fit, PLANET)[None]).values()}
    assert ("FGS1 over AIRS-CH0" in found) == beyond


@pytest.mark.parametrize("channel, part", [("FGS1", slice(0, 1)), ("AIRS-CH0", slice(1, N))])
def test_a_channel_whose_transit_comes_later_is_beyond(known, channel, part):
    """So does the light of another planet, whatever its depth is."""
    late = np.zeros(N)
    late[part] = 600.0
    name, distance = known[1].beyond(seen(shift=late))[Flag.UNLIKE_TRAINING]
    assert name.startswith(channel) and distance > 1.0


@pytest.mark.parametrize(
    "change, name",
    [
        ({"star": Star(40.0, 1.1, 5600.0)}, "radius"),
        ({"orbit": Orbit(3.3, 85.0, 89.1)}, "axis"),
        ({"mass": 80.0}, "planet mass"),
    ],
)
def test_a_star_that_no_training_planet_has_is_beyond(known, change, name):
    found = known[1].beyond(statistics_of(fit_of(), dataclasses.replace(PLANET, **change))[None])
    assert found[Flag.STAR_UNLIKE_TRAINING][0] == name


def test_what_could_not_be_measured_is_within_every_range(known):
    bare = statistics_of(fit_of(), None)
    assert np.isnan(bare[0, PARTS[Flag.STAR_UNLIKE_TRAINING]]).all() and known[1].beyond(bare[None]) == {}
    fit = fit_of()
    gone = dataclasses.replace(fit, flux=np.where(np.arange(N) == 0, np.nan, fit.flux))
    statistics = statistics_of(gone, PLANET)
    assert np.isnan(statistics[0, [i for i, s in enumerate(STATISTICS) if "FGS1" in s]]).all()
    assert known[1].beyond(statistics[None]) == {}
    every_other = np.where(np.arange(N_TIME)[:, None] % 2 == 0, np.nan, fit.flux)
    assert known[1].beyond(statistics_of(dataclasses.replace(fit, flux=every_other), PLANET)[None]) == {}
    never = learn_input_ranges([bare[None]] * 24, np.arange(24) % 4)
    assert Flag.STAR_UNLIKE_TRAINING not in never.beyond(seen()), "stars were never known"


def test_few_planets_teach_no_ranges():
    assert learn_input_ranges([seen()] * 7, np.arange(7)) is None
    assert learn_input_ranges([seen()] * 20, np.zeros(20)) is None, "nobody was held out"


def test_several_visits_count_by_the_farthest():
    n = len(STATISTICS)
    ranges = InputRanges(np.zeros(n), np.ones(n), np.full(n, 0.5))
    inside, outside = (np.stack([np.full((1, n), 0.5), np.zeros((1, n))], axis=1) for _ in range(2))
    place = STATISTICS.index("depth")
    outside[0, 0, place] = -1.0
    assert ranges.beyond(np.vstack([inside, outside])) == {Flag.UNLIKE_TRAINING: ("depth", 1.0)}
    outside[0, 0, place] = -0.4
    assert ranges.beyond(np.vstack([inside, outside])) == {}


def test_a_visit_that_was_cut_is_beyond_in_its_times_alone(known):
    whole = fit_of()
    first = {name: getattr(whole, name)[: N_TIME // 2] for name in ("time", "flux", "model")}
    found = known[1].beyond(statistics_of(dataclasses.replace(whole, **first), PLANET)[None])
    assert Flag.COVERAGE_UNLIKE_TRAINING in found and Flag.STAR_UNLIKE_TRAINING not in found
