"""Transmission spectra: scale height, bands, haze and cloud."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.simulation.spectrum import Atmosphere, log_opacity, scale_height, transmission_depth

AIRS_BAND = np.linspace(1.95, 3.9, 282)
CLEAR = dict.fromkeys(("H2O", "CO2", "CH4", "CO", "NH3"), -30.0)


def atmosphere(cloud=-30.0, haze=-30.0, haze_slope=4.0, height=0.002, **abundance):
    return Atmosphere(CLEAR | abundance, haze, haze_slope, cloud, height)


def test_a_thick_cloud_makes_the_spectrum_flat():
    depth = transmission_depth(atmosphere(cloud=12.0, H2O=0.0), 0.014, AIRS_BAND, AIRS_BAND)
    assert depth == pytest.approx(0.014, rel=1e-4)


@pytest.mark.parametrize("molecule, band", [("H2O", 2.66), ("CO2", 2.70), ("CH4", 3.32), ("CO", 2.34), ("NH3", 2.98)])
def test_each_molecule_peaks_in_its_band(molecule, band):
    depth = transmission_depth(atmosphere(**{molecule: -1.0}), 0.014, AIRS_BAND, AIRS_BAND)
    inside = AIRS_BAND[np.abs(AIRS_BAND - band) < 0.1]
    peak = AIRS_BAND[(AIRS_BAND < 3.7)][depth[AIRS_BAND < 3.7].argmax()]
    assert inside[0] <= peak <= inside[-1]


def test_rayleigh_haze_rises_by_four_scale_heights_per_e_fold_of_wavelength():
    air = atmosphere(haze=0.0, haze_slope=4.0, height=0.002)
    blue, red = transmission_depth(air, 0.01, np.array([0.7, 1.4]), AIRS_BAND)
    assert (np.sqrt(blue) - np.sqrt(red)) / 0.1 == pytest.approx(4 * 0.002 * np.log(2), rel=1e-3)


def test_the_anchor_band_has_the_wanted_mean_radius():
    air = atmosphere(H2O=0.0, CO2=-2.0)
    radius = np.sqrt(transmission_depth(air, 0.014, AIRS_BAND, AIRS_BAND))
    assert radius.mean() == pytest.approx(np.sqrt(0.014), rel=1e-12)
    assert log_opacity(air, AIRS_BAND).shape == (282,)


def test_scale_height_of_a_hot_jupiter():
    """By hand: gravity 27.8 m/s^2, 1,012 K and 2.33 proton masses a molecule give 130 km."""
    planet = Planet(1, Star(1.155, 1.12, 6065.0), Orbit(3.52, 8.8, 86.7), 2.07)
    height = scale_height(planet, 0.0146) * np.sqrt(0.0146) * 1.155 * 6.957e5
    assert height == pytest.approx(130, rel=0.03)
    heavy = replace(planet, mass=20.7)
    assert scale_height(heavy, 0.0146) == pytest.approx(scale_height(planet, 0.0146) / 10)


def test_very_light_planets_keep_a_thin_atmosphere():
    planet = Planet(1, Star(1.155, 1.12, 6065.0), Orbit(3.52, 8.8, 86.7), 0.05)
    assert scale_height(planet, 0.0146) == 0.0025
