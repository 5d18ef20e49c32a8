"""Ramps, cycles, red noise and crossed spots: what they do to depths is told from the residuals they leave."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.depth_bias import Chord
from spectramind_kit.fitting.posterior import fit_transit
from tests.fitting.transit_light_curves import light_curves, usual_correlated_noise

CHORD = Chord(mid_time=12_000.0, duration=9_000.0, impact=0.3, radius=0.1)


def test_bumps_lie_within_the_transit_and_last_as_long_as_the_planet_touches_the_spot():
    time = np.arange(0.0, 24_000.0, 30.0)
    bumps = CHORD.bumps(time)
    assert bumps.min() == 0.0 and bumps.max() == 1.0
    assert (bumps[:, np.abs(time - CHORD.mid_time) > 4500.0] == 0.0).all()
    central = bumps[len(bumps) // 2]
    assert time[central.argmax()] + time[len(time) - 1 - central[::-1].argmax()] == pytest.approx(24_000.0, abs=60.0)
    half_chord = np.sqrt(1.1**2 - 0.3**2)
    assert (central > 0).sum() * 30.0 == pytest.approx(9000.0 * (0.1 + 0.06) / half_chord, abs=60.0)


def test_errors_that_noise_with_a_memory_makes_are_foreseen(config):
    draw = usual_correlated_noise()
    made, foreseen, sigma = [], [], []
    for seed in range(6):
        curves, planet, _ = light_curves(seed=seed)
        rng = np.random.default_rng(seed)
        noise = 4.0 * np.column_stack([draw(rng), draw(rng)])
        noisy = replace(curves, flux=curves.flux * (1.0 + noise[:, np.r_[0, np.ones(282, dtype=int)]]))
        quiet, shaken = (fit_transit(c, planet, config.fit) for c in (curves, noisy))
        assert (np.abs(quiet.stray_noise[:, 0]) < 0.5 * quiet.stray_noise[:, 1] ** 0.5 + 1e-5).all()
        made.append((shaken.depth - quiet.depth)[1:].mean())
        foreseen.append(shaken.stray_noise[1, 0])
        sigma.append(np.sqrt(shaken.stray_noise[1, 1]))
    assert np.corrcoef(made, foreseen)[0, 1] > 0.4
    assert np.abs((np.array(made) - foreseen) / sigma).max() < 4.0


def test_a_crossed_spot_is_known_to_have_made_the_transit_shallower(config):
    curves, planet, _ = light_curves(seed=3)
    fit = fit_transit(curves, planet, config.fit)
    way = (fit.parameters[name].value for name in ("mid_time", "duration", "impact_parameter"))
    bump = Chord(*way, radius=float(np.sqrt(fit.depth.mean()))).bumps(curves.time)[6]
    height = 5e-4 * np.r_[1.0, np.full(282, 0.5)]
    spotted = fit_transit(replace(curves, flux=curves.flux * (1.0 + bump[:, None] * height)), planet, config.fit)
    error, variance = (spotted.stray_noise - fit.stray_noise).T[0], spotted.stray_noise.T[1]
    made = np.array([part.mean() for part in np.split(spotted.depth - fit.depth, [1])])
    assert (made < -2e-5).all() and (error < 0.4 * made).all()
    assert (np.abs(error - made) < 4.0 * np.sqrt(variance)).all()
