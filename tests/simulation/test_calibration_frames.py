"""Drawn calibration tables: the real ones' medians, scatter and outliers."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames, draw_linearity


def drawn(channel, n=1):
    rng = np.random.default_rng(5)
    return [draw_calibration_frames(channel, 0.4369, -1000.0, 13.0, rng) for _ in range(n)]


@pytest.mark.parametrize("channel, dark, flat_std", [(AIRS, 6.3e-3, 0.027), (FGS1, 6.9e-3, 0.047)])
def test_medians_and_scatter(channel, dark, flat_std):
    many = drawn(channel, 8 if channel == AIRS else 60)
    assert np.median([f.dark for f in many]) == pytest.approx(dark, rel=0.03)
    assert np.median([f.read_noise for f in many]) == pytest.approx(13.2, abs=0.3)
    assert np.std([f.flat for f in many]) == pytest.approx(flat_std, rel=0.35)
    assert np.mean([f.read_noise**2 for f in many]) == pytest.approx(217, rel=0.12), "a few noisy pixels"


def test_counts_of_dead_and_hot_pixels():
    many = drawn(AIRS, 10)
    dead, hot = sum(f.dead.sum() for f in many), sum((f.dark > 0.05).sum() for f in many)
    n = 10 * AIRS.n_pixel
    assert abs(dead - 1e-3 * n) < 4 * np.sqrt(1e-3 * n)
    assert abs(hot - 2e-3 * n) < 4 * np.sqrt(2e-3 * n)
    assert max(f.dark.max() for f in many) <= 25.0
    fgs1_dead = sum(f.dead.sum() for f in drawn(FGS1, 20))
    assert 30 <= fgs1_dead <= 95


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=lambda c: c.name)
def test_polynomials_rise_over_the_full_range(channel):
    coefficients = draw_linearity(channel, np.random.default_rng(2)).reshape(6, -1)
    measured = np.linspace(0, 0.97 * FULL_WELL, 200)
    linear = linearise(np.repeat(measured[None], channel.n_pixel, axis=0), coefficients)
    assert (np.diff(linear, axis=1) > 0).all()


def test_bend_is_as_strong_as_in_the_real_tables(real_data):
    for channel in CHANNELS.values():
        path = real_data / "train" / "342072318" / f"{channel.name}_calibration_0" / "linear_corr.parquet"
        real = pl.read_parquet(path).to_numpy().reshape(6, -1)
        simulated = draw_linearity(channel, np.random.default_rng(3)).reshape(6, -1)
        at = np.array([[1e4, 3e4, 8e4]])
        ratio = [np.median(linearise(np.repeat(at, c.shape[1], axis=0), c) / at, axis=0) for c in (real, simulated)]
        assert ratio[1] == pytest.approx(ratio[0], abs=2e-3)
        low, high = (np.percentile(linearise(np.full((c.shape[1], 1), 8e4), c), [16, 84]) for c in (real, simulated))
        assert np.ptp(high) == pytest.approx(np.ptp(low), rel=0.2)
