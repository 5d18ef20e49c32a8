"""Transmission spectra: bands, haze and cloud."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.simulation.opacity import Air, Airs, Molecule

AIRS_BAND = np.linspace(1.95, 3.9, 282)
ONE_BAND = Airs("mixed", (Molecule((2.7,), (0.1,), (5.0,)),))
NOTHING = Air((-30.0,), haze=-30.0, haze_slope=4.0, cloud=-30.0, broader=1.0, scale_height=0.002)


def depths(air, wavelength=AIRS_BAND):
    return ONE_BAND.depths(air, 0.014, wavelength, AIRS_BAND)


def test_a_thick_cloud_makes_the_spectrum_flat():
    assert depths(replace(NOTHING, abundance=(0.0,), cloud=12.0)) == pytest.approx(0.014, rel=1e-4)


def test_a_band_is_as_high_as_its_e_folds_of_opacity():
    radius = np.sqrt(depths(replace(NOTHING, abundance=(0.0,)), np.array([2.7, 2.8, 3.5])) / 0.014)
    assert radius - radius[2] == pytest.approx(0.002 * 5.0 * np.array([1.0, np.exp(-0.5), 0.0]), rel=1e-3)


def test_broader_bands_reach_further():
    narrow, broad = (depths(replace(NOTHING, abundance=(0.0,), broader=b), np.array([2.9, 3.5])) for b in (1.0, 1.5))
    assert (broad[0] - broad[1]) / (narrow[0] - narrow[1]) == pytest.approx(np.exp(2 * (1 - 1 / 1.5**2)), rel=0.02)


def test_rayleigh_haze_rises_by_four_scale_heights_per_e_fold_of_wavelength():
    blue, red = depths(replace(NOTHING, haze=0.0), np.array([0.7, 1.4]))
    assert (np.sqrt(blue) - np.sqrt(red)) / np.sqrt(0.014) == pytest.approx(4 * 0.002 * np.log(2), rel=1e-3)


def test_the_anchor_band_has_the_wanted_mean_radius():
    assert np.sqrt(depths(replace(NOTHING, abundance=(0.0,), haze=-1.0))).mean() == pytest.approx(np.sqrt(0.014))


def test_draws_differ_in_everything_but_the_height_asked_for():
    rng = np.random.default_rng(3)
    airs = [ONE_BAND.draw_air(0.004, rng) for _ in range(100)]
    assert {a.scale_height for a in airs} == {0.004}
    for name in ("haze", "haze_slope", "cloud", "broader"):
        assert len({getattr(a, name) for a in airs}) == 100
