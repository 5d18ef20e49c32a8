"""A world is a pure function of its seed; its planets are as varied as real ones."""

import json

import numpy as np
import pytest

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.random_world.world import FAMILIES, draw_planets, draw_world


@pytest.fixture(scope="module")
def populations():
    return [draw_planets(draw_world(seed), 150, 0)["train"] for seed in range(6)]


def test_the_same_seed_gives_the_same_world_and_planets():
    first, again, other = draw_world(7), draw_world(7), draw_world(8)
    assert first.as_dict() == again.as_dict() != other.as_dict()
    one, two = (draw_planets(world, 3, 2) for world in (first, again))
    for split in ("train", "test"):
        np.testing.assert_array_equal([p.label() for p in one[split]], [p.label() for p in two[split]])
        assert [p.planet for p in one[split]] == [p.planet for p in two[split]]


def test_a_longer_split_starts_with_the_same_planets():
    world = draw_world(7)
    short, long = draw_planets(world, 2, 1)["train"], draw_planets(world, 4, 3)["train"]
    np.testing.assert_array_equal([p.label() for p in short], [p.label() for p in long[:2]])


def test_asking_for_a_kind_changes_that_family_only():
    drawn = draw_world(5).as_dict()
    for family, kinds in FAMILIES.items():
        for kind in kinds:
            asked = draw_world(5, [f"{family}={kind}"]).as_dict()
            assert asked["kinds"][family] == kind
            assert {f: asked[f] for f in FAMILIES if f != family} == {f: drawn[f] for f in FAMILIES if f != family}
            assert (kind != drawn["kinds"][family]) or asked == drawn


def test_seeds_draw_every_kind():
    worlds = [draw_world(seed).kinds for seed in range(60)]
    for family, kinds in FAMILIES.items():
        assert {world[family] for world in worlds} == set(kinds)


def test_a_world_can_be_written_down():
    told = json.loads(json.dumps(draw_world(1).as_dict()))
    assert set(told["kinds"]) == set(FAMILIES) and told["seed"] == 1


@pytest.mark.parametrize("asked", ["drift=sudden", "weather=fair"])
def test_unknown_families_and_kinds_are_named(asked):
    with pytest.raises(ConfigurationError, match=r"sudden|weather"):
        draw_world(0, [asked])


def test_labels_are_as_varied_as_real_ones(populations):
    """Ten real labels: AIRS-CH0 spreads by 5 to 168 ppm (median 35), FGS1 is off by 79 ppm (median), up to 497."""
    labels = [np.array([planet.label() for planet in planets]) for planets in populations]
    spread = np.concatenate([1e6 * own[:, 1:].std(axis=1) for own in labels])
    offset = np.concatenate([1e6 * np.abs(own[:, 0] - own[:, 1:].mean(axis=1)) for own in labels])
    assert 25 < np.median(spread) < 80 and np.quantile(spread, 0.95) > 168
    assert 40 < np.median(offset) < 120 and np.quantile(offset, 0.95) > 300
    assert 0.009 < np.mean([own[:, 1:].mean() for own in labels]) < 0.02


def test_shapes_have_more_variety_than_the_real_ones_of_2024(populations):
    """Their own seven principal components leave 1.0 % of the variance of the 673 real normalised shapes."""
    for planets in populations:
        shape = np.array([planet.label()[1:] for planet in planets])
        shape = shape - shape.mean(axis=1, keepdims=True)
        shape /= shape.std(axis=1, keepdims=True)
        power = np.linalg.svd(shape - shape.mean(axis=0), compute_uv=False) ** 2
        assert power[7:].sum() / power.sum() > 0.01


def test_the_star_table_is_as_wrong_as_published_ones(populations):
    speed, impact = [], []
    for planets in populations:
        for planet in planets:
            orbit = planet.planet.orbit
            published = orbit.semi_major_axis * np.cos(np.radians(orbit.inclination))
            speed.append(np.log(planet.semi_major_axis / orbit.semi_major_axis))
            impact.append(planet.impact - published)
    assert 0.015 < np.std(speed) < 0.05
    assert 0.08 < np.std(impact) < 0.25
