"""Light curves without pixels against those that pixels, calibration and extraction give."""

import dataclasses
import itertools
import time

import numpy as np
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.photometry.light_curves import extract_light_curves
from spectramind_kit.simulation.disturbances import draw_disturbances
from spectramind_kit.simulation.light_curves import simulate_light_curves, simulate_training_planets
from spectramind_kit.simulation.simulated_folder import draw_systems, simulate_folder
from spectramind_kit.simulation.system import label_wavelengths

N_PLANET, SEED = 2, 5


@pytest.fixture(scope="module")
def setting():
    """Frames that are already as long as a time bin: every other exposure is averaged before it is stored."""
    overrides = ["simulation.airs_average=15", "simulation.fgs1_average=180", "simulation.two_visit_fraction=0"]
    return load_config(overrides)


@pytest.fixture(scope="module")
def pairs(setting, tmp_path_factory):
    """Light curves of the same planets from pixels and without, transits at other times."""
    root = tmp_path_factory.mktemp("pixels")
    simulate_folder(root, N_PLANET, 0, setting.simulation, seed=SEED)
    folder = open_competition(root)
    made = []
    for i, system in enumerate(draw_systems(N_PLANET, 0, SEED, "2025")["train"]):
        observation = folder.observations("train", system.planet.planet_id)[0]
        rng = np.random.default_rng(i)
        fast = simulate_light_curves(system, 13_500.0, setting.simulation, setting.photometry, rng)
        made.append((extract_light_curves(observation, setting.calibration, setting.photometry), fast))
    return made


def scatter(series):
    """Standard deviation from one time to the next: blind to transit and drift."""
    return np.diff(series, axis=0).std(axis=0) / np.sqrt(2)


def test_shape_names_and_times_are_the_pixel_paths(pairs):
    for pixels, fast in pairs:
        assert fast.flux.shape == (375, 283) and fast.bin_seconds == pytest.approx(72.0)
        assert fast.time == pytest.approx(pixels.time) and fast.wavelength == pytest.approx(pixels.wavelength)
        assert fast.wavelength == pytest.approx(label_wavelengths())
        assert fast.regressor_names == pixels.regressor_names


def test_levels_and_errors_agree_at_every_wavelength(pairs):
    for pixels, fast in pairs:
        assert np.median(fast.flux, axis=0) == pytest.approx(np.median(pixels.flux, axis=0), rel=0.01)
        ratio = fast.flux_err[0] / pixels.flux_err[0]
        assert ratio[0] == pytest.approx(1.0, abs=0.05)
        assert np.percentile(ratio[1:], [5, 95]) == pytest.approx([1.0, 1.0], abs=0.1), "dead pixels apart"


def test_scatter_agrees_at_every_wavelength(pairs):
    for pixels, fast in pairs:
        ratio = scatter(fast.flux) / scatter(pixels.flux)
        assert ratio[0] == pytest.approx(1.0, abs=0.15)
        assert np.median(ratio[1:]) == pytest.approx(1.0, abs=0.03)
        smooth = ratio[1:].reshape(6, 47).mean(axis=1)
        assert smooth == pytest.approx(1.0, abs=0.1)
        assert np.median(scatter(fast.flux) / fast.flux_err[0]) == pytest.approx(1.0, abs=0.03)


def test_pointing_moves_as_much_and_light_reacts_alike(pairs):
    names = pairs[0][0].regressor_names
    ratio = np.median([scatter(f.regressors) / scatter(p.regressors) for p, f in pairs], axis=0)
    centroids = [i for i, name in enumerate(names) if "centroid" in name]
    assert ratio[centroids] == pytest.approx(1.0, abs=0.15)
    assert (ratio > 0.6).all() and (ratio < 1.2).all(), "noisy pixels widen some real widths"
    mean = np.array([[c.regressors.mean(axis=0) for c in pair] for pair in pairs])
    assert mean[:, 0] == pytest.approx(mean[:, 1], abs=0.02)
    column = names.index("fgs1_column_centroid")
    together = [
        np.mean([np.corrcoef(np.diff(c.flux[:, 0]), np.diff(c.regressors[:, column]))[0, 1] for c in side])
        for side in zip(*pairs)
    ]
    assert together == pytest.approx([0.25, 0.25], abs=0.13)


def test_depth_and_level_do_not_depend_on_the_extraction(setting):
    system = draw_systems(1, 0, SEED, "2025")["train"][0]
    curves = {}
    for extraction in ("sum", "optimal"):
        photometry = dataclasses.replace(setting.photometry, extraction=extraction)
        rng = np.random.default_rng(0)
        curves[extraction] = simulate_light_curves(system, 13_500.0, setting.simulation, photometry, rng)
    plain, optimal = curves["sum"], curves["optimal"]
    assert optimal.flux.mean(axis=0) == pytest.approx(plain.flux.mean(axis=0), rel=2e-3)
    assert (optimal.flux_err[0] <= plain.flux_err[0] * (1 + 1e-9)).all()
    assert optimal.flux_err[0, 0] < 0.97 * plain.flux_err[0, 0]


def test_bins_follow_the_photometry(setting):
    system = draw_systems(1, 0, SEED, "2025")["train"][0]
    photometry = dataclasses.replace(setting.photometry, bin_seconds=120.0)
    rng = np.random.default_rng(0)
    curves = simulate_light_curves(system, 13_500.0, setting.simulation, photometry, rng)
    assert curves.flux.shape == (225, 283) and curves.bin_seconds == pytest.approx(120.0)
    assert np.diff(curves.time) == pytest.approx(120.0)


def test_effects_are_in_the_light_curves(setting):
    system = draw_systems(1, 0, SEED, "2025")["train"][0]

    def white(**switches):
        simulation = dataclasses.replace(setting.simulation, **switches)
        rng = np.random.default_rng(0)
        drawn = draw_disturbances(system, simulation, rng)
        curves = simulate_light_curves(system, 13_500.0, simulation, setting.photometry, rng, drawn)
        return curves, drawn.channels["AIRS-CH0"]

    def light(curves):
        return curves.flux[:, 1:].sum(axis=1)

    plain, _ = white()
    noisy, airs = white(red_noise=1e-3)
    drawn = airs.red_noise.over(noisy.time, noisy.bin_seconds)
    assert light(noisy) / light(plain) - 1 == pytest.approx(drawn, abs=1e-6) and drawn.std() > 2e-4
    ramped, airs = white(drift_beyond=1e-2)
    assert np.ptp(light(ramped) / light(plain)) > 0.3 * np.ptp(airs.ramp.at(ramped.time))
    assert np.abs(white(jitter_tail=3.0)[0].regressors - plain.regressors).max() > 0.01


def test_training_planets_are_endless_reproducible_and_as_labelled():
    config = load_config(["simulation=beyond_fit", "simulation.two_visit_fraction=0.5"])
    planets = list(simulate_training_planets(6, config, seed=1))
    assert [p.planet_id for p, _, _ in planets] == [0, 1, 2, 3, 4, 5]
    assert {len(visits) for _, visits, _ in planets} == {1, 2}
    for planet, visits, label in planets:
        assert planet.star is not None and label.shape == (283,)
        assert [v.visit for v in visits] == list(range(len(visits)))
        low, high = np.percentile(visits[0].flux[:, 1:].sum(axis=1), [1, 98])
        dip = 1 - low / high
        assert 0.5 * label[1:].mean() < dip < 1.6 * label[1:].mean() + 2e-3
    later = next(itertools.islice(simulate_training_planets(2, config, seed=1, first=4), 1, None))
    assert np.array_equal(later[1][0].flux, planets[5][1][0].flux), "any range can be made anywhere"
    other = next(simulate_training_planets(1, config, seed=2))
    assert not np.array_equal(other[2], planets[0][2])


def test_a_visit_takes_less_than_fifty_milliseconds():
    config = load_config(["simulation=beyond_fit", "simulation.two_visit_fraction=0"])
    planets = simulate_training_planets(8, config, seed=3)
    next(planets)
    spent = []
    for _ in range(7):
        started = time.thread_time()
        next(planets)
        spent.append(time.thread_time() - started)
    assert min(spent) < 0.05
