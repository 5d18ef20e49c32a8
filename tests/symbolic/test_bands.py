"""Bands lie where laboratory constants put them, and cut the spectrum into regions without a gap."""

import numpy as np
import pytest

from spectramind_kit.symbolic.bands import (
    BANDS,
    FGS1_BAND_PASS,
    REGIONS,
    WINDOWS,
    band_mask,
    region_names,
    resolved_bands,
    window_mask,
)

# Dunham coefficients of 12C16O, Y_k0 and Y_01, Y_11, Y_02 [1/cm] (Guelachvili et al. 1983)
VIBRATION = (2169.81358, -13.28831, 1.051127e-2, 5.744e-5)
ROTATION = (1.9312808724, -1.75044121e-2, -6.121468e-6)


def carbon_monoxide_level(v, j):
    """Energy of a level of CO [1/cm]."""
    vibration = sum(y * (v + 0.5) ** (k + 1) for k, y in enumerate(VIBRATION))
    rotation = j * (j + 1)
    return vibration + (ROTATION[0] + ROTATION[1] * (v + 0.5)) * rotation + ROTATION[2] * rotation**2


def named(name):
    return next(band for band in BANDS if band.name == name)


def test_carbon_monoxide_has_its_origin_and_its_head_where_its_constants_say():
    overtone = named("CO 2.35")
    assert overtone.centre == pytest.approx(1e4 / (carbon_monoxide_level(2, 0) - carbon_monoxide_level(0, 0)), abs=1e-5)
    head = max(carbon_monoxide_level(2, j + 1) - carbon_monoxide_level(0, j) for j in range(100))
    assert overtone.edges[0] == pytest.approx(1e4 / head, abs=0.005)


def test_hot_carbon_monoxide_stays_within_its_edges():
    j = np.arange(1, 60)
    population = (2 * j + 1) * np.exp(-1.438777 * (carbon_monoxide_level(0, j) - carbon_monoxide_level(0, 0)) / 1000.0)
    p_branch = 1e4 / (carbon_monoxide_level(2, j - 1) - carbon_monoxide_level(0, j))
    low, high = named("CO 2.35").edges
    assert population[(p_branch > low) & (p_branch < high)].sum() > 0.8 * population.sum()


def test_the_dioxide_pair_lies_within_its_edges():
    low, high = named("CO2 2.73").edges
    assert all(low < 1e4 / origin < high for origin in (3612.84, 3714.78))


@pytest.mark.parametrize("band", BANDS, ids=lambda band: band.name)
def test_every_band_is_seen_by_the_instrument_and_holds_its_centre(band):
    low, high = band.edges
    assert low < band.centre < high
    assert (low < FGS1_BAND_PASS[1] and high > FGS1_BAND_PASS[0]) or (low < 3.9 and high > 1.95)


def test_masks_follow_the_edges(wavelength):
    mask = band_mask(named("CH4 3.31"), wavelength)
    assert wavelength[mask].min() == pytest.approx(3.15, abs=0.01)
    assert wavelength[mask].max() == pytest.approx(3.50, abs=0.01)
    assert not mask[0]
    assert band_mask(named("H2O 0.72"), wavelength).tolist() == [True] + [False] * 282


def test_only_bands_with_both_flanks_in_the_band_pass_are_resolved(wavelength):
    names = {band.name for band in resolved_bands(wavelength)}
    assert "H2O 1.88" not in names and "NH3 1.98" not in names and "H2O 0.72" not in names
    assert {"H2O 2.66", "CO2 2.73", "CH4 2.32", "CH4 3.31", "CO 2.35", "NH3 3.00"} <= names
    assert resolved_bands(np.array([0.7])) == ()


def test_no_band_reaches_into_a_clear_window(wavelength):
    for window in WINDOWS:
        mask = window_mask(window, wavelength)
        assert mask.any()
        assert not any((band_mask(band, wavelength) & mask).any() for band in BANDS)


def test_regions_leave_no_wavelength_out(wavelength):
    names = region_names(wavelength)
    assert names[0] == "FGS1" and (names[1:] != "FGS1").all()
    assert set(names[1:]) == {name for name, _ in REGIONS}
    assert region_names(np.array([2.089, 2.09, 2.149, 2.151])).tolist() == [
        "2.0 um bands",
        "K window",
        "K window",
        "2.3 um bands",
    ]
