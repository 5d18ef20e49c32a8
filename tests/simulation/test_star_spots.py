"""Star spots: how much deeper transits get, where, and the bump of a crossed one."""

import numpy as np
import pytest

from spectramind_kit.simulation.star_spots import (
    CrossedSpot,
    StarSpots,
    crossed_area,
    draw_crossed_spot,
    draw_spots,
    lens_area,
    spotted,
)

STAR = 5500.0
WAVELENGTH = np.array([0.7, 2.0, 3.9])


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_unocculted_spots_deepen_transits_most_in_the_blue():
    spots = StarSpots(0.02, 4800.0)
    deepening = spots.deepening(STAR, WAVELENGTH)
    assert (np.diff(deepening) < 0).all() and (deepening > 1).all()
    # By hand: x = 14387.77 / (0.7 T); c = (exp(x_star) - 1) / (exp(x_spot) - 1).
    contrast = (np.exp(14387.77 / (0.7 * STAR)) - 1) / (np.exp(14387.77 / (0.7 * 4800.0)) - 1)
    assert deepening[0] == pytest.approx(1 / (1 - 0.02 * (1 - contrast)), rel=1e-12)
    assert StarSpots(0.0, 4800.0).deepening(STAR, WAVELENGTH) == pytest.approx(1.0)
    assert StarSpots(0.1, STAR).deepening(STAR, WAVELENGTH) == pytest.approx(1.0), "spots as hot as the star"


def test_a_spotted_transit_is_deeper_and_a_crossed_spot_a_bump():
    flux = np.array([[1.0, 0.985, 0.985], [1.0, 0.986, 0.986]])
    crossed = np.array([[0.0, 0.0, 0.002], [0.0, 0.0, 0.002]])
    deepening, contrast = np.array([1.01, 1.005]), np.array([0.5, 0.8])
    seen = spotted(flux, deepening, contrast, crossed)
    assert (seen[:, 0] == 1.0).all()
    assert 1 - seen[:, 1] == pytest.approx(deepening * [0.015, 0.014])
    bump = seen[:, 2] - seen[:, 1]
    assert bump == pytest.approx(deepening * (1 - contrast) * 0.002), "higher where spots are darker"


def test_the_typical_star_is_covered_as_asked_and_off_is_none(rng):
    spots = [draw_spots(STAR, 0.01, rng) for _ in range(400)]
    assert np.median([s.covering for s in spots]) == pytest.approx(0.01, rel=0.15)
    assert all(0.8 < s.temperature / STAR < 1.0 for s in spots)
    assert draw_spots(STAR, 0.0, rng) is None and draw_crossed_spot(None, rng) is None
    crossed = [draw_crossed_spot(s, rng) for s in spots]
    assert np.mean([c is not None for c in crossed]) == pytest.approx(0.35, abs=0.07)
    assert all(0.025 <= c.radius <= 0.22 for c in crossed if c)


def test_switching_spots_changes_no_other_draw():
    on, off = np.random.default_rng(1), np.random.default_rng(1)
    draw_spots(STAR, 0.01, on)
    draw_spots(STAR, 0.0, off)
    assert on.random() == off.random()


@pytest.mark.parametrize("radii", [(0.1, 0.05), (0.05, 0.1), (0.1, 0.1)])
def test_overlap_of_two_discs(radii):
    a, b = radii
    small = np.pi * min(radii) ** 2
    assert lens_area(np.array([0.0]), a, b) == pytest.approx(small, rel=1e-6)
    assert lens_area(np.array([a + b, np.inf]), a, b) == pytest.approx([0.0, 0.0], abs=1e-12)
    d = 0.8 * (a + b)
    angle_a = np.arccos((d * d + a * a - b * b) / (2 * d * a))
    angle_b = np.arccos((d * d + b * b - a * a) / (2 * d * b))
    lens = a * a * (angle_a - np.sin(2 * angle_a) / 2) + b * b * (angle_b - np.sin(2 * angle_b) / 2)
    assert lens_area(np.array([d]), a, b)[0] == pytest.approx(lens, rel=1e-6)


def test_a_spot_is_crossed_where_it_lies():
    along = np.linspace(-1.5, 1.5, 301)[:, None]
    area, mu = crossed_area(CrossedSpot(0.5, 0.0, 0.08), along, np.full_like(along, 0.3), 0.3, 0.12)
    half_chord = np.sqrt(1 - 0.3**2)
    assert np.average(along[:, 0], weights=area) == pytest.approx(0.5 * half_chord, abs=0.01)
    assert area.max() == pytest.approx(np.pi * 0.08**2, rel=1e-6), "wholly covered"
    assert mu == pytest.approx(np.sqrt(1 - 0.3**2 - (0.5 * half_chord) ** 2))
    assert (area > 0).sum() * 0.01 == pytest.approx(2 * (0.12 + 0.08), abs=0.03)
