"""Spot crossings: found where a planet crosses a spot, and not where noise or an instrument look like one."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from spectramind_kit.fitting.posterior import fit_transit, white_light
from spectramind_kit.fitting.spot_crossing import Crossing, crossing_terms
from spectramind_kit.flags import Flag
from tests.fitting.transit_light_curves import (
    BIN_SECONDS,
    WAVELENGTH,
    light_curves,
    standardised_level_error,
    usual_correlated_noise,
)

SPEED = 2.0 * np.pi * 10.0 / (4.0 * 86400.0)
"""Of the planet of ``light_curves`` in the sky [R_star/s]."""


def shared_area(distance: float, one: float, other: float) -> float:
    """The area of two discs' overlap, by integrating the shorter of two chords."""

    def chord(x: float) -> float:
        return 2.0 * np.sqrt(max(min(one**2 - x**2, other**2 - (x - distance) ** 2), 0.0))

    return quad(chord, -one, one, limit=200, points=np.clip([distance - other, distance + other], -one, one))[0]


def crossed(curves, when, spot, fgs1, airs, aside=0.0):
    """Light curves with a spot crossing: heights are those of full overlap, in areas of the planet."""
    planet = np.sqrt(0.0147)
    away = np.hypot(SPEED * (curves.time - when), aside * planet)
    area = np.array([shared_area(d, planet, spot) if d < planet + spot else 0.0 for d in away]) / np.pi
    return replace(curves, flux=curves.flux * (1.0 + area[:, None] * np.where(WAVELENGTH < 1.0, fgs1, airs)))


@pytest.mark.parametrize("planet, spot", [(0.12, 0.05), (0.12, 0.12), (0.05, 0.2)])
def test_the_overlap_is_the_area_that_two_discs_share(planet, spot):
    crossing = Crossing(middle=9000.0, spot=spot, planet=planet, speed=SPEED)
    time = np.linspace(9000.0, 9000.0 + 1.1 * crossing.half_duration, 40)
    expected = [shared_area(SPEED * (t - 9000.0), planet, spot) for t in time]
    np.testing.assert_allclose(
        crossing.overlap(time[:, None]), np.array(expected) / (np.pi * min(planet, spot) ** 2), atol=1e-5
    )


def test_a_crossing_moves_by_its_terms():
    crossing = Crossing(middle=9000.0, spot=0.08, planet=0.12, speed=SPEED)
    instants = np.linspace(4000.0, 14000.0, 200)[:, None]
    terms = {term.name: term.function for term in crossing_terms(instants, WAVELENGTH, 1, [crossing], 2e-3)}
    later = crossing._replace(middle=9000.0 + 0.05 * crossing.half_duration).overlap(instants)
    larger = crossing._replace(spot=1.05 * crossing.spot).overlap(instants)
    for colour in ("fgs1", "airs_0", "airs_1"):
        height, middle, radius = (terms[f"spot_{colour}/0_{name}"] for name in ("height", "middle", "radius"))
        np.testing.assert_allclose(height + 0.05 * middle, later, atol=0.03)
        np.testing.assert_allclose(height + 0.05 * radius, larger, atol=0.01)
        assert np.abs(later - height).max() > 0.06 and np.abs(larger - height).max() > 0.02


@pytest.mark.parametrize("when, spot, aside", [(11_000.0, 0.06, 0.0), (14_500.0, 0.12, 0.0), (13_000.0, 0.2, 0.5)])
def test_a_crossing_is_found_and_costs_little(config, when, spot, aside):
    curves, planet, true = light_curves(seed=8)
    spotted = crossed(curves, when, spot, fgs1=0.5, airs=0.2, aside=aside)
    (found,) = white_light(spotted, planet, config.fit)[0].crossings
    assert found.middle == pytest.approx(when, abs=300.0)
    if aside == 0.0:
        assert found.spot == pytest.approx(spot, rel=0.35)
    fit, clean = fit_transit(spotted, planet, config.fit), fit_transit(curves, planet, config.fit)
    assert abs(float(fit.flags[Flag.SPOT_CROSSING].split()[1]) - when) < 300.0
    assert Flag.SPOT_CROSSING not in clean.flags and Flag.FLUX_JUMP not in fit.flags
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.0
    assert abs(fit.depth[0] - true[0]) < 3.0 * fit.sigma[0]
    assert fit.sigma[0] < 3.0 * clean.sigma[0]
    level, usual = (np.sqrt(each.covariance[1:, 1:].mean()) for each in (fit, clean))
    assert level < 3.0 * usual


@pytest.mark.parametrize("seed, when", [(8, 12_500.0), (8, 13_000.0), (9, 12_500.0), (9, 14_500.0)])
def test_a_crossing_that_slow_noise_would_explain_is_found(config, seed, when):
    """A large spot near the middle, where a fit that knows of none takes what it lets through for slow noise."""
    curves, planet, _ = light_curves(seed=seed, impact_parameter=0.43)
    spotted = crossed(curves, when, 0.16, fgs1=0.25, airs=0.2)
    assert [each.middle for each in white_light(spotted, planet, config.fit)[0].crossings] == [
        pytest.approx(when, abs=400.0)
    ]


@pytest.mark.parametrize("impact", [0.93, 0.97, 1.0])
@pytest.mark.parametrize("fgs1", [0.15, 0.4])
def test_a_spot_that_a_grazing_planet_crosses_makes_no_depth_sure(config, impact, fgs1):
    curves, planet, true = light_curves(seed=8, impact_parameter=impact)
    spotted = crossed(curves, 13_500.0, 0.18, fgs1, 0.8 * fgs1, aside=0.3)
    fit = fit_transit(spotted, planet, config.fit)
    assert Flag.SPOT_CROSSING not in fit.flags
    assert Flag.AT_THE_LIMB in fit.flags or Flag.GRAZING in fit.flags
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 5.0


def test_two_crossings_are_found(config):
    curves, planet, true = light_curves(seed=8)
    twice = crossed(crossed(curves, 11_000.0, 0.08, 0.5, 0.2), 15_500.0, 0.1, 0.5, 0.2)
    found = white_light(twice, planet, config.fit)[0].crossings
    assert sorted(each.middle for each in found) == pytest.approx([11_000.0, 15_500.0], abs=300.0)
    fit = fit_transit(twice, planet, config.fit)
    assert abs(standardised_level_error(fit.depth, fit.covariance, true)) < 3.0


def walk(rng: np.random.Generator, n_time: int, size: float) -> np.ndarray:
    """A random walk whose end has the given spread."""
    return 1.0 + size * rng.standard_normal(n_time).cumsum() / np.sqrt(n_time)


@pytest.mark.parametrize("size", [3e-4, 2e-3])
def test_a_random_walk_has_no_crossings(config, size):
    found = 0
    for seed in range(8):
        curves, planet, _ = light_curves(seed=60 + seed)
        rng = np.random.default_rng(seed)
        gain = np.column_stack([walk(rng, len(curves.time), size) for _ in range(2)])
        moved = replace(curves, flux=curves.flux * gain[:, np.r_[0, np.ones(282, dtype=int)]])
        found += len(white_light(moved, planet, config.fit)[0].crossings)
    assert found <= 1


@pytest.mark.parametrize("seed", range(3))
def test_ramps_and_red_noise_are_no_crossings(config, seed):
    curves, planet, _ = light_curves(seed=40 + seed)
    draw, rng = usual_correlated_noise(), np.random.default_rng(seed)
    noise = 3.0 * np.column_stack([draw(rng), draw(rng)])[:, np.r_[0, np.ones(282, dtype=int)]]
    noisy = replace(curves, flux=curves.flux * (1.0 + noise))
    assert not white_light(noisy, planet, config.fit)[0].crossings


@pytest.mark.parametrize("when", [9000.0, 13_500.0, 16_000.0])
def test_a_jump_is_no_crossing(config, when):
    curves, planet, _ = light_curves(seed=8)
    jump = 1.0 - 0.003 * (curves.time > when)
    fit = fit_transit(replace(curves, flux=curves.flux * jump[:, None]), planet, config.fit)
    assert Flag.FLUX_JUMP in fit.flags and Flag.SPOT_CROSSING not in fit.flags


def test_what_happens_out_of_transit_is_no_crossing(config):
    curves, planet, _ = light_curves(seed=12)
    pulse = 8e-4 * np.clip(1.0 - np.abs(curves.time - 3000.0) / (5.0 * BIN_SECONDS), 0.0, 1.0)
    moved = replace(curves, flux=curves.flux * (1.0 + pulse[:, None]))
    assert not white_light(moved, planet, config.fit)[0].crossings
