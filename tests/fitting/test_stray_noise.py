"""Ramps, cycles, red noise and crossed spots: what they do to depths is told from the residuals they leave."""

from dataclasses import replace

import numpy as np
import pytest
from transit_light_curves import N_TIME, light_curves

from spectramind_kit.fitting import stray_noise
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.stray_noise import Chord, _ways, ramps_and_cycles, red_covariance

TIME = np.arange(N_TIME) * 120.0
CHORD = Chord(mid_time=12_000.0, duration=9_000.0, impact=0.3, radius=0.1)


def a_channel(n=60):
    """Standard errors, levers, fitted directions and data of one channel."""
    rng = np.random.default_rng(0)
    root, lever, series = rng.uniform(5e3, 2e4, n), rng.standard_normal((2, n)), rng.standard_normal((n, 3))
    return rng.standard_normal(n) / root, root, lever, series


def one_way(monkeypatch):
    """Leave one ramp, one cycle and one size."""
    monkeypatch.setattr(stray_noise, "_RAMP_SECONDS", np.array([1800.0]))
    monkeypatch.setattr(stray_noise, "_CYCLE_SECONDS", np.array([7200.0]))
    monkeypatch.setattr(stray_noise, "_AMPLITUDES", (1.0,))


def usual_noise():
    """A light curve's correlated noise of usual size, with ramp and cycle drawn anew each time: (n_time,) a call."""
    factor = np.linalg.cholesky(red_covariance(TIME) + 1e-14 * np.eye(N_TIME))
    shapes = ramps_and_cycles(TIME)
    size = np.array([2e-4, 4e-5 / np.sqrt(2.0), 4e-5 / np.sqrt(2.0)])

    def draw(rng):
        ramp, cycle = rng.integers(6), rng.integers(12)
        return (
            factor @ rng.standard_normal(N_TIME)
            + (size * rng.standard_normal(3)) @ shapes[[ramp, 6 + cycle, 18 + cycle]]
        )

    return draw


def test_mean_and_variance_are_those_of_the_gaussian_they_come_from(monkeypatch):
    """Against conditioning by hand, the fitted directions left out as a flat prior on them leaves them out."""
    one_way(monkeypatch)
    data, root, lever, series = a_channel()
    time = TIME[: len(data)]
    shapes = ramps_and_cycles(time)
    size = np.array([2e-4, 4e-5 / np.sqrt(2.0), 4e-5 / np.sqrt(2.0)])
    kernel = red_covariance(time) + (shapes.T * size**2) @ shapes
    noise = kernel + np.diag(root**-2.0) + 1e6 * series @ series.T * root.mean() ** -2.0
    mean = lever @ kernel @ np.linalg.solve(noise, data)
    variance = np.diag(lever @ (kernel - kernel @ np.linalg.solve(noise, kernel)) @ lever.T)
    fitted = np.linalg.qr(root[:, None] * series)[0]
    found = _ways(root * data, root, fitted, lever, time, np.zeros((1, len(data))))
    assert found.mean[0] == pytest.approx(mean, rel=1e-3)
    assert found.variance[0] == pytest.approx(variance, rel=1e-3)


def test_a_bump_changes_what_is_expected_as_data_without_it_would():
    data, root, lever, series = a_channel()
    time, fitted, height = TIME[: len(data)], np.linalg.qr(root[:, None] * series)[0], 3e-4
    bump = np.exp(-0.5 * ((time - time.mean()) / 900.0) ** 2)[None]
    with_it = _ways(root * data, root, fitted, lever, time, bump)
    without = _ways(root * (data - height * bump[0]), root, fitted, lever, time, bump)
    gain = height * with_it.slope[:, 0] - 0.5 * height**2 * with_it.curvature[:, 0]
    assert without.ln_evidence - with_it.ln_evidence == pytest.approx(gain, rel=1e-6, abs=1e-9)
    moved = with_it.mean + height * with_it.move[:, 0]
    assert without.mean + height * (lever @ bump[0]) == pytest.approx(moved, rel=1e-6, abs=1e-12)


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
    draw = usual_noise()
    made, foreseen, sigma = [], [], []
    for seed in range(6):
        curves, planet, _ = light_curves(seed=seed)
        rng = np.random.default_rng(seed)
        noise = 3.0 * np.column_stack([draw(rng), draw(rng)])
        noisy = replace(curves, flux=curves.flux * (1.0 + noise[:, np.r_[0, np.ones(282, dtype=int)]]))
        quiet, shaken = (fit_transit(c, planet, config.fit) for c in (curves, noisy))
        assert (np.abs(quiet.stray_noise[:, 0]) < 0.6 * quiet.stray_noise[:, 1] ** 0.5 + 1e-5).all()
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
