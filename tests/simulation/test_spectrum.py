"""The nominal planets' airs: molecules at their places, windows in the visible, shifted populations."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.simulation.opacity import Air
from spectramind_kit.simulation.population_shift import population_shift
from spectramind_kit.simulation.spectrum import MOLECULES, draw_air, nominal_airs

AIRS_BAND = np.linspace(1.95, 3.9, 282)
NOTHING = Air((-30.0,) * len(MOLECULES), haze=-30.0, haze_slope=4.0, cloud=-30.0, broader=1.0, scale_height=0.002)


def air_of(molecule, abundance):
    return replace(NOTHING, abundance=tuple(abundance if m == molecule else -30.0 for m in MOLECULES))


@pytest.mark.parametrize("molecule, band", [("H2O", 2.66), ("CO2", 2.70), ("CH4", 3.32), ("CO", 2.34), ("NH3", 2.98)])
def test_each_molecule_absorbs_most_around_its_band(molecule, band):
    depth = nominal_airs().depths(air_of(molecule, -1.0), 0.014, AIRS_BAND, AIRS_BAND)
    near = (np.abs(AIRS_BAND - band) < 0.1) & (AIRS_BAND < 3.7)
    assert depth[near].mean() > np.percentile(depth[AIRS_BAND < 3.7], 75)


@pytest.mark.parametrize("molecule", MOLECULES)
def test_a_clear_sky_lies_lower_in_the_visible(molecule):
    at_fgs1 = nominal_airs().depths(air_of(molecule, -1.0), 0.014, np.array([0.7]), AIRS_BAND)[0]
    assert at_fgs1 < 0.014 * (1 - 2 * 0.002)


def test_a_shifted_population_has_the_same_draws_moved():
    plain, moved = (draw_air(0.002, population_shift(s), np.random.default_rng(1)) for s in (0.0, 1.0))
    shift = population_shift(1.0)
    assert moved.cloud - plain.cloud == pytest.approx(shift.cloud) and moved.broader == plain.broader
    assert np.subtract(moved.abundance, plain.abundance) == pytest.approx([shift.abundance[m] for m in MOLECULES])


def test_all_planets_have_the_same_molecules():
    assert nominal_airs() == nominal_airs()
