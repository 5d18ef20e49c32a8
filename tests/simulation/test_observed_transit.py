"""The observed transit of whole visits against the reference implementation of the quadrature."""

import dataclasses

import numpy as np
import pytest

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.random_world.disc import transit_flux
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence, exposure_instants
from spectramind_kit.simulation.limb_darkening_laws import LAWS
from spectramind_kit.simulation.observed_transit import observed_transit
from spectramind_kit.simulation.planets import DAY
from spectramind_kit.simulation.simulated_folder import draw_systems
from spectramind_kit.simulation.star_spots import StarSpots
from spectramind_kit.simulation.visit import column_wavelengths

MID = OBSERVATION_TIME / 2


@pytest.fixture(scope="module")
def systems():
    return draw_systems(4, 0, 8, "2025")["train"]


@pytest.mark.parametrize("channel, average", [(AIRS, 75), (FGS1, 900)])
@pytest.mark.parametrize("kind", LAWS)
def test_is_the_disc_behind_the_planet_wavelength_by_wavelength(systems, channel, average, kind):
    cadence, wavelength = Cadence(channel, average), column_wavelengths(channel)[::20]
    instants = exposure_instants(cadence.mid_times(), cadence.stored_exposure, 3)
    for plain in systems:
        system = dataclasses.replace(plain, darkening=dataclasses.replace(plain.darkening, kind=kind))
        phase = 2 * np.pi * (instants - MID) / (system.orbit.period * DAY)
        distance = np.hypot(system.orbit.semi_major_axis * np.sin(phase), system.impact_parameter * np.cos(phase))
        distance = np.where(np.cos(phase) > 0, distance, np.inf)
        law = system.darkening.law(system.star, channel.name, wavelength)
        exact = transit_flux(distance, np.sqrt(system.depths(wavelength)), law)
        ours = observed_transit(system, channel.name, wavelength, MID, instants)
        assert np.abs(ours - exact).max() < 1e-7
        assert ours.min() < 0.999


def test_spots_that_cover_nothing_change_nothing(systems):
    bare = dataclasses.replace(systems[0], spots=StarSpots(0.0, 5000.0))
    instants = MID + np.linspace(-9e3, 9e3, 60)[:, None]
    wavelength = np.array([2.0, 3.0])
    plain, spotted = (observed_transit(s, AIRS.name, wavelength, MID, instants) for s in (systems[0], bare))
    assert spotted == pytest.approx(plain, abs=1e-12)
