"""Populations of simulated systems against those of the real tables."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.simulation.simulated_folder import draw_planet_ids, draw_systems
from spectramind_kit.simulation.system import DAY, draw_mid_transit, label_wavelengths
from spectramind_kit.transit.orbit import transit_duration


@pytest.fixture(scope="module")
def systems():
    return draw_systems(400, 0, seed=4, edition="2025")["train"]


@pytest.fixture(scope="module")
def labels(systems):
    return np.array([system.label() for system in systems])


def star_table(systems):
    return pl.DataFrame(
        {
            "Rs": [s.planet.star.radius for s in systems],
            "Ms": [s.planet.star.mass for s in systems],
            "Ts": [s.planet.star.temperature for s in systems],
            "P": [s.planet.orbit.period for s in systems],
            "sma": [s.planet.orbit.semi_major_axis for s in systems],
            "i": [s.planet.orbit.inclination for s in systems],
        }
    )


def test_star_table_is_like_the_real_one(systems, real_data):
    ours, real = star_table(systems), pl.read_csv(real_data / "train_star_info.csv")
    for column in ours.columns:
        spread = real[column].std()
        assert ours[column].mean() == pytest.approx(real[column].mean(), abs=0.2 * spread), column
        assert ours[column].std() == pytest.approx(spread, rel=0.2), column
    for pair in (("Rs", "Ts"), ("Rs", "sma"), ("P", "sma"), ("sma", "i")):
        ours_r, real_r = (np.corrcoef(t[pair[0]], t[pair[1]])[0, 1] for t in (ours, real))
        assert ours_r == pytest.approx(real_r, abs=0.12), pair


def test_depths_are_spread_like_the_real_labels(labels):
    airs = labels[:, 1:].mean(axis=1)
    assert airs.mean() == pytest.approx(0.0147, abs=0.002)
    assert airs.std() == pytest.approx(0.0107, rel=0.25)
    assert labels.min() > 1e-3


def test_spectra_have_bands_of_a_typical_size(labels):
    size = np.ptp(labels[:, 1:], axis=1) * 1e6
    assert 60 < np.median(size) < 200
    assert np.percentile(size, 5) < 40 and np.percentile(size, 95) > 250
    step = np.abs(np.diff(labels[:, 1:], axis=1)).max(axis=1) * 1e6
    assert (step < 0.2 * size).all(), "bands are resolved"
    centred = labels - labels.mean(axis=1, keepdims=True)
    power = np.linalg.svd(centred, compute_uv=False) ** 2
    assert power[:7].sum() / power.sum() > 0.99


def test_transits_fit_the_visit_and_true_orbits_differ_from_the_table(systems):
    impact = np.array([s.impact_parameter for s in systems])
    assert (impact >= 0).all() and (impact < 0.9).all()
    off = np.log([s.orbit.semi_major_axis / s.planet.orbit.semi_major_axis for s in systems])
    assert 0.1 < np.median(np.abs(off)) * 1.4826 < 0.2
    assert np.abs(off).max() > 0.4, "a few are far off"
    duration = [
        float(transit_duration(s.orbit.period * DAY, s.orbit.semi_major_axis, s.impact_parameter, np.sqrt(s.depth)))
        for s in systems
    ]
    assert min(duration) > 1.1 * 3600 and max(duration) < 6.6 * 3600
    rng = np.random.default_rng(0)
    mid = np.array([draw_mid_transit(rng) for _ in range(300)]) / 3600
    assert mid.min() >= 2.5 and mid.max() <= 5.0


def test_2024_has_two_stars_and_shallower_planets():
    systems = draw_systems(200, 0, seed=4, edition="2024")["train"]
    stars = {(s.star_index, s.planet.star.temperature) for s in systems}
    assert len(stars) == 2
    depth = np.array([s.label("2024").mean() for s in systems])
    assert np.median(depth) == pytest.approx(1.9e-3, rel=0.2)
    assert depth.max() < 9e-3
    assert label_wavelengths("2024")[0] == 0.705 and label_wavelengths()[0] == 0.7


def test_ids_are_different_and_exceed_31_bits():
    ids = draw_planet_ids(500, np.random.default_rng(1))
    assert len(set(ids)) == 500
    assert max(ids) > 2**31 and max(ids) < 2**32


def test_a_longer_split_starts_with_the_same_planets(systems):
    short = draw_systems(3, 0, seed=4, edition="2025")["train"]
    assert [s.depth for s in short] == [s.depth for s in systems[:3]]
