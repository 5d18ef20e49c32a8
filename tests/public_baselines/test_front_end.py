"""The public front end: electrons as the chain says, bins of 144 s, and depths of simulated planets."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels, read_calibration_frames
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.public_baselines.front_end import (
    BIN_SECONDS,
    FEATURE_NAMES,
    SCALE,
    baseline_features,
    binned_light,
    calibrated_exposures,
    measure_dip,
    white_light,
)


@pytest.fixture(scope="module")
def folder(competition):
    return open_competition(competition.data)


@pytest.fixture(scope="module")
def observation(folder):
    return folder.observations("train", folder.planet_ids("train")[0])[0]


def test_the_features_of_simulated_planets_tell_depth_star_and_orbit(folder):
    ids, spectra = folder.labels()
    for planet_id, spectrum in zip(ids.tolist(), spectra):
        observation = folder.observations("train", planet_id)[0]
        features = dict(zip(FEATURE_NAMES, baseline_features(observation)))
        star, orbit = observation.planet.star, observation.planet.orbit
        assert features["depth"] * 1e-4 == pytest.approx(spectrum[1:].mean(), rel=0.25)
        assert features["stellar_radius"] == star.radius and features["inclination"] == orbit.inclination
        assert features["impact_parameter"] == pytest.approx(
            orbit.semi_major_axis * np.sin(np.deg2rad(90 - orbit.inclination))
        )
        assert 1e-6 < features["airs_noise"] < features["fgs1_noise"] < 1e-2


def test_light_of_ideal_frames_is_the_star_s(write_competition, starlight):
    root = write_competition()
    observation = open_competition(root).observations("train", 34983)[0]
    airs, fgs1 = binned_light(observation, AIRS.name), binned_light(observation, FGS1.name)
    first, stop = AIRS.science_columns
    assert airs.shape == (282, 1) and fgs1.shape == (1, 1)
    np.testing.assert_allclose(airs[:, 0], starlight[AIRS.name][10:22, first:stop].mean(axis=0), rtol=2e-3, atol=2)
    np.testing.assert_allclose(fgs1[0, 0], starlight[FGS1.name][10:22, 10:22].mean(), rtol=2e-3, atol=2)
    assert np.isnan(baseline_features(observation)[0]), "one bin holds no dip"


def test_the_chain_is_the_package_s_own_where_no_read_is_below_zero(observation, config):
    row, column = (axis.ravel() for axis in np.meshgrid(np.arange(14, 17), np.arange(150, 160), indexing="ij"))
    cube, frames = (
        decode_pixels(observation, AIRS.name, row, column).cube(),
        read_calibration_frames(observation, AIRS.name),
    )
    public = replace(config.calibration, cosmic_rays=False, flat_minimum=-1.0)
    signal, good = calibrated_exposures(cube, frames)
    twin = calibrate(cube, frames, public)
    np.testing.assert_array_equal(good, twin.good)
    np.testing.assert_allclose(signal[good], twin.signal[good], rtol=1e-5)


def test_electrons_below_zero_are_clipped(observation):
    row, column = np.array([15]), np.array([150])
    cube, frames = (
        decode_pixels(observation, AIRS.name, row, column).cube(),
        read_calibration_frames(observation, AIRS.name),
    )
    unlit, zero = (replace(cube, counts=np.full_like(cube.counts, n)) for n in (0, 436))  # 436 counts are -2 electrons
    np.testing.assert_array_equal(calibrated_exposures(unlit, frames)[0], calibrated_exposures(zero, frames)[0])


def test_bins_are_144_s_or_one_exposure_where_that_is_longer(observation, competition):
    exposure = competition.config.simulation.airs_average * AIRS.pair_period
    n_exposure = len(observation.axis.frame_time[AIRS.name]) // 2
    per_bin = max(1, round(BIN_SECONDS / exposure))
    assert binned_light(observation, AIRS.name).shape == (282, n_exposure // per_bin)
    assert binned_light(observation, FGS1.name).shape[0] == 1


def test_dead_pixels_are_left_out_and_a_dead_column_is_nan(write_competition, starlight):
    root = write_competition()
    path = root / "train" / "34983" / "AIRS-CH0_calibration_0" / "dead.parquet"
    dead = pl.read_parquet(path).to_numpy().copy()
    dead[:, 100], dead[15, 120] = True, True
    pl.DataFrame(dead, schema=[f"column_{i}" for i in range(356)]).write_parquet(path)
    light = binned_light(open_competition(root).observations("train", 34983)[0], AIRS.name)[:, 0]
    assert np.isnan(light[100 - 39]) and np.isfinite(np.delete(light, 100 - 39)).all()
    others = np.delete(starlight[AIRS.name][10:22, 120], 15 - 10)
    assert light[120 - 39] == pytest.approx(others.mean(), rel=2e-3)


def test_white_light_is_an_average_that_outliers_and_noisy_columns_hardly_move():
    rng = np.random.default_rng(0)
    level = np.linspace(1e3, 3e4, 282)[:, None]
    dip = 1 - 0.01 * ((np.arange(187) > 60) & (np.arange(187) < 120))
    airs = level * dip * (1 + 1e-3 * rng.standard_normal((282, 187)))
    clean = white_light(airs)
    airs[7, 33], airs[90] = 1e9, np.nan
    spoiled = white_light(airs)
    relative = (spoiled / spoiled.mean()) / (clean / clean.mean()) - 1
    assert np.abs(relative).max() < 1e-2, "clipped to the brightest columns, not to its own level"
    inside = slice(70, 110)
    assert clean[inside].mean() / np.r_[clean[:50], clean[130:]].mean() == pytest.approx(0.99, abs=3e-4)
    assert np.isnan(white_light(np.full((282, 187), np.nan))).all()


def test_the_public_constant_scales_the_depth():
    dip = 1 - 0.02 * ((np.arange(187) > 60) & (np.arange(187) < 120))
    airs = 1e4 * np.linspace(0.9, 1.1, 282)[:, None] * dip
    assert measure_dip(1e4 * dip[None], airs).depth == pytest.approx(SCALE * 0.02 / 0.98, rel=5e-3)


def test_what_the_star_table_lacks_is_nan_and_the_depth_is_not(observation):
    nameless = replace(observation, planet=replace(observation.planet, star=None, orbit=None))
    features = dict(zip(FEATURE_NAMES, baseline_features(nameless)))
    assert np.isfinite(features["depth"])
    assert all(np.isnan(features[name]) for name in ("stellar_radius", "inclination", "impact_parameter"))


def test_a_visit_without_light_is_an_error(write_competition):
    observation = open_competition(write_competition()).observations("train", 34983)[0]
    path = observation.files[AIRS.name].signal
    table = pl.read_parquet(path)
    table.with_columns(pl.all() * 0).write_parquet(path)
    with pytest.raises(CompetitionDataError, match="AIRS-CH0 signal of planet 34983.*zero in every pixel"):
        baseline_features(observation)


def test_the_real_sample_reads(real_data):
    folder = open_competition(real_data)
    observation = folder.observations("train", 342072318)[0]
    light = binned_light(observation, AIRS.name)
    assert light.shape == (282, 1) and np.isfinite(light).all()
    assert np.isnan(baseline_features(observation)[0]), "25 exposures hold no dip"
