"""Populations of simulated systems against those of the real tables, and against real labels."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.products import Star
from spectramind_kit.simulation.planets import DAY, scale_height
from spectramind_kit.simulation.simulated_folder import draw_planet_ids, draw_systems
from spectramind_kit.simulation.starlight import label_wavelengths
from spectramind_kit.simulation.system import POPULATION, draw_mid_transit
from spectramind_kit.transit.orbit import transit_duration


@pytest.fixture(scope="module")
def systems():
    return draw_systems(400, 0, seed=4, edition="2025")["train"]


@pytest.fixture(scope="module")
def labels(systems):
    return np.array([system.label() for system in systems])


@pytest.fixture(scope="module")
def real_labels_2024(real_data):
    table = real_data.parent / "real_2024" / "train_labels_2024.csv"
    if not table.is_file():
        pytest.skip(f"no real labels of 2024 in {table}")
    return pl.read_csv(table).drop("planet_id").to_numpy()


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
    assert airs.min() > 0.95e-3 and labels.min() > 0.8e-3


def test_spectra_vary_as_much_as_real_ones(labels):
    """Ten public labels of 2025: within AIRS-CH0 5 to 168 ppm, median 35; FGS1's offset up to 497 ppm, median 79."""
    airs = labels[:, 1:] * 1e6
    within, offset = airs.std(axis=1), labels[:, 0] * 1e6 - airs.mean(axis=1)
    assert np.median(within) == pytest.approx(35, rel=0.3)
    assert np.percentile(within, 8) < 8 and 110 < np.percentile(within, 92) < 280
    assert np.median(np.abs(offset)) == pytest.approx(79, rel=0.3)
    assert 300 < np.percentile(np.abs(offset), 92) < 800
    assert 0.2 < (offset < 0).mean() < 0.6, "haze deepens the visible, a clear sky there does the opposite"
    step = np.abs(np.diff(airs, axis=1)).max(axis=1) / np.ptp(airs, axis=1)
    assert np.median(step) == pytest.approx(0.14, rel=0.3), "673 real labels: .065 to .26"


def test_offsets_follow_the_scale_height_not_the_depth(systems, labels):
    """What a prior may learn of FGS1 from the star table: the scatter in scale heights is the same for all planets."""
    depth = labels[:, 1:].mean(axis=1)
    height = np.array([s.air.scale_height for s in systems])
    in_heights = np.abs(labels[:, 0] - depth) / (2 * height * depth)
    light = height > np.median(height)
    assert np.median(in_heights[light]) == pytest.approx(np.median(in_heights[~light]), rel=0.35)
    assert np.abs(labels[:, 0] / depth - 1).max() > 0.07, "the largest of ten real offsets"


def test_scale_heights_are_those_of_the_real_table(systems, real_data):
    """Of the real table's stars, orbits and masses, with planets of 1.3 Jupiter radii; no ceiling."""
    real = pl.read_csv(real_data / "train_star_info.csv")
    depth = (1.3 * 0.1028 / real["Rs"].to_numpy()) ** 2
    star = [Star(r, m, t) for r, m, t in real.select("Rs", "Ms", "Ts").iter_rows()]
    cooler = POPULATION.cooler
    theirs = np.array([scale_height(s, *rest, cooler) for s, *rest in zip(star, real["Mp"], depth, real["sma"])])
    ours = np.array([s.air.scale_height for s in systems])
    for percentile in (10, 25, 50, 75, 90):
        assert np.percentile(ours, percentile) == pytest.approx(np.percentile(theirs, percentile), rel=0.3)
    assert len(np.unique(ours)) == len(ours)


def test_shapes_are_at_least_as_various_as_the_real_ones(labels, real_labels_2024):
    """What seven principal components of one half of the planets leave of the variance of the other half's shapes."""

    def shapes(spectra):
        centred = spectra[:, 1:] - spectra[:, 1:].mean(axis=1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True))

    def left(known, judged):
        components = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:7]
        centred = judged - known.mean(axis=0)
        return ((centred - centred @ components.T @ components) ** 2).sum() / (centred**2).sum()

    ours, real = shapes(labels), shapes(real_labels_2024)
    assert left(ours[::2], ours[1::2]) > left(real[::2], real[1::2])
    assert left(ours, real) < 0.3


def test_transits_fit_the_visit_and_true_orbits_differ_from_the_table(systems):
    impact = np.array([s.impact_parameter for s in systems])
    assert (impact >= 0).all() and (impact < 0.9).all()
    speed = np.log([s.orbit.semi_major_axis / s.planet.orbit.semi_major_axis for s in systems])
    assert speed.std() == pytest.approx(0.03, rel=0.15), "the table is right about a / P"
    published = [s.planet.orbit.semi_major_axis * np.cos(np.radians(s.planet.orbit.inclination)) for s in systems]
    assert np.sqrt(np.mean((impact - published) ** 2)) == pytest.approx(0.17, abs=0.04), "and wrong about b"
    duration = [
        float(transit_duration(s.orbit.period * DAY, s.orbit.semi_major_axis, s.impact_parameter, np.sqrt(s.depth)))
        for s in systems
    ]
    assert min(duration) > 1.0 * 3600 and max(duration) < 5.7 * 3600
    rng = np.random.default_rng(0)
    mid = np.array([draw_mid_transit(rng) for _ in range(300)]) / 3600
    assert mid.min() > 2.4 and mid.max() < 5.1


def test_2024_has_two_stars_and_shallower_planets():
    systems = draw_systems(200, 0, seed=4, edition="2024")["train"]
    stars = {(s.star_index, s.planet.star.temperature) for s in systems}
    assert len(stars) == 2
    depth = np.array([s.label("2024").mean() for s in systems])
    assert np.median(depth) == pytest.approx(1.9e-3, rel=0.2)
    assert depth.max() < 9e-3
    offset = np.array([s.label("2024")[0] for s in systems]) - depth
    assert np.median(np.abs(offset)) == pytest.approx(27e-6, rel=0.3), "673 real labels: 27 ppm"
    assert label_wavelengths("2024")[0] == 0.705 and label_wavelengths()[0] == 0.7


def test_ids_are_different_and_exceed_31_bits():
    ids = draw_planet_ids(500, np.random.default_rng(1))
    assert len(set(ids)) == 500
    assert max(ids) > 2**31 and max(ids) < 2**32


def test_a_longer_split_starts_with_the_same_planets(systems):
    short = draw_systems(3, 0, seed=4, edition="2025")["train"]
    assert [s.depth for s in short] == [s.depth for s in systems[:3]]
