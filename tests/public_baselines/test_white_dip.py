"""The public depth: exact on clean light, blind to drift, and that of the public notebooks on a real planet."""

import numpy as np
import pytest

from spectramind_kit.instruments import AIRS
from spectramind_kit.public_baselines.white_dip import (
    Flanks,
    dip_depth,
    find_flanks,
    relative_noise,
    smooth_white,
)

INGRESS, EGRESS = 65, 120


def dip(depth=0.01, n=187, noise=0.0, drift=0.0, seed=0):
    """Return a box-shaped dip under a cubic drift, in electrons."""
    place = np.arange(n) * 187 / n
    x = place / 93.5 - 1.0
    inside = (place > INGRESS) & (place < EGRESS)
    light = (1 - depth * inside) * (1 + drift * (x - 2 * x**2 + x**3))
    return 4e4 * (light + noise * np.random.default_rng(seed).standard_normal(n))


@pytest.mark.parametrize("n", [75, 187, 225, 375])
def test_flanks_lie_where_light_falls_and_rises(n):
    flanks = find_flanks(dip(n=n, noise=1e-4))
    assert flanks.ingress * 187 / n == pytest.approx(INGRESS, abs=4)
    assert flanks.egress * 187 / n == pytest.approx(EGRESS, abs=4)


@pytest.mark.parametrize("depth", [0.002, 0.01, 0.04])
@pytest.mark.parametrize("drift", [0.0, 3e-3])
def test_the_depth_of_a_clean_dip_is_exact_whatever_cubic_it_rides_on(depth, drift):
    white = dip(depth, drift=drift)
    # 1 + s makes good for 1 - depth.
    assert dip_depth(white, Flanks(INGRESS, EGRESS)) == pytest.approx(depth / (1 - depth), rel=2e-3)


def test_smoothing_reaches_no_farther_than_the_bins_left_out():
    white = dip(0.01)
    smoothed = dip_depth(smooth_white(white), find_flanks(white))
    assert smoothed == pytest.approx(0.01 / 0.99, rel=2e-3)


def test_noise_moves_the_depth_by_its_error():
    noise = 2e-4
    depths = np.array([dip_depth(w, Flanks(INGRESS, EGRESS)) for w in (dip(noise=noise, seed=s) for s in range(40))])
    assert depths.mean() == pytest.approx(0.01 / 0.99, abs=4e-5)
    # 33 bins inside, and a cubic that wavers: a few times the error of a mean.
    assert noise / np.sqrt(33) < depths.std() < 6 * noise / np.sqrt(33)


def test_relative_noise_is_the_error_of_the_difference_of_means():
    noise = 2e-4
    seen = [relative_noise(dip(noise=noise, seed=s), Flanks(INGRESS, EGRESS)) for s in range(30)]
    n_out, n_in = 54 + 56, 33
    assert np.mean(seen) == pytest.approx(noise * np.sqrt(1 / n_out + 1 / n_in), rel=0.05)


def test_near_the_ends_or_in_a_short_dip_fewer_bins_are_left_out():
    white = dip()
    assert dip_depth(white, Flanks(5, 120)) != dip_depth(white, Flanks(12, 120))
    place = np.arange(187)
    short = 4e4 * (1 - 0.01 * ((place > 80) & (place < 98)))
    assert dip_depth(short, Flanks(80, 98)) == pytest.approx(0.01 / 0.99, rel=1e-2)


def test_no_light_and_too_few_bins_have_no_dip():
    assert find_flanks(dip(n=23)) is None
    assert find_flanks(np.where(np.arange(187) == 50, np.nan, dip())) is None
    assert np.isnan(dip_depth(-dip(), Flanks(INGRESS, EGRESS)))
    assert np.isnan(dip_depth(dip(), Flanks(0, 1)))
    assert np.isnan(relative_noise(np.full(187, np.nan), Flanks(INGRESS, EGRESS)))


def test_a_flat_curve_has_no_depth_and_raises_nothing():
    white = np.full(187, 4e4)
    flanks = find_flanks(white)
    assert np.isnan(dip_depth(white, flanks)) or abs(dip_depth(white, flanks)) < 1e-3


def test_the_real_planet_has_the_depth_the_public_notebook_printed(real_data):
    table = np.load(real_data / "light_curves_1103775.npy").astype(float)
    first, stop = AIRS.science_columns
    white = table[:, 1:][:, AIRS.n_column - stop : AIRS.n_column - first].mean(axis=1)
    depth = dip_depth(smooth_white(white), find_flanks(white))
    assert depth * 0.946 == pytest.approx(0.01585, rel=0.05), "the notebook's own light curve is calibrated otherwise"
