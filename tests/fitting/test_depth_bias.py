"""Ramps, cycles, red noise and spot crossings: the bias of the depths is inferred from the residuals they leave."""

from dataclasses import replace

import numpy as np
import pytest
from spectramind_kit.fitting.depth_bias import Chord

from spectramind_kit.fitting.posterior import fit_transit
from tests.fitting.transit_light_curves import light_curves, usual_correlated_noise

CHORD = Chord(mid_time=12_000.0, duration=9_000.0, impact=0.3, radius=0.1)


def test_crossings_lie_within_the_transit_and_last_as_long_as_the_planet_touches_the_spot():
    time = np.arange(0.0, 24_000.0, 30.0)
    crossings = CHORD.spot_crossings(time)
    assert crossings.min() == 0.0 and crossings.max() == 1.0
    assert (crossings[:, np.abs(time - CHORD.mid_time) > 4500.0] == 0.0).all()
    central = crossings[len(crossings) // 2]
    assert time[central.argmax()] + time[len(time) - 1 - central[::-1].argmax()] == pytest.approx(24_000.0, abs=60.0)
    half_chord = np.sqrt(1.1**2 - 0.3**2)
    assert (central > 0).sum() * 30.0 == pytest.approx(9000.0 * (0.1 + 0.06) / half_chord, abs=60.0)


def test_the_bias_from_correlated_noise_is_expected(config):
    draw = usual_correlated_noise()
    actual, expected, sigma = [], [], []
    for seed in range(6):
        curves, planet, _ = light_curves(seed=seed)
        rng = np.random.default_rng(seed)
        noise = 4.0 * np.column_stack([draw(rng), draw(rng)])
        noisy = replace(curves, flux=curves.flux * (1.0 + noise[:, np.r_[0, np.ones(282, dtype=int)]]))
        quiet, shaken = (fit_transit(c, planet, config.fit) for c in (curves, noisy))
        assert (np.abs(quiet.depth_bias[:, 0]) < 0.5 * quiet.depth_bias[:, 1] ** 0.5 + 1e-5).all()
        actual.append((shaken.depth - quiet.depth)[1:].mean())
        expected.append(shaken.depth_bias[1, 0])
        sigma.append(np.sqrt(shaken.depth_bias[1, 1]))
    assert np.corrcoef(actual, expected)[0, 1] > 0.4
    assert np.abs((np.array(actual) - expected) / sigma).max() < 4.0


def test_a_spot_crossing_is_known_to_have_made_the_transit_shallower(config):
    curves, planet, _ = light_curves(seed=3)
    fit = fit_transit(curves, planet, config.fit)
    path = (fit.parameters[name].value for name in ("mid_time", "duration", "impact_parameter"))
    crossing = Chord(*path, radius=float(np.sqrt(fit.depth.mean()))).spot_crossings(curves.time)[6]
    height = 5e-4 * np.r_[1.0, np.full(282, 0.5)]
    spotted = fit_transit(replace(curves, flux=curves.flux * (1.0 + crossing[:, None] * height)), planet, config.fit)
    error, variance = (spotted.depth_bias - fit.depth_bias).T[0], spotted.depth_bias.T[1]
    actual = np.array([part.mean() for part in np.split(spotted.depth - fit.depth, [1])])
    assert (actual < -2e-5).all() and (error < 0.4 * actual).all()
    assert (np.abs(error - actual) < 4.0 * np.sqrt(variance)).all()
