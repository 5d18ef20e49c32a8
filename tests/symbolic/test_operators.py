"""Rows measure what they say, on grids small enough to see, and are blind to what physics allows."""

import numpy as np
import pytest

from spectramind_kit.symbolic.bands import resolved_bands
from spectramind_kit.symbolic.operators import (
    asymmetry_operator,
    coherence_operator,
    continuity_operator,
    curvature_operator,
    height_operator,
    neighbour_edges,
    spectrum_operator,
)


def all_operators(wavelength):
    return {
        "curvature": curvature_operator(wavelength),
        "spectrum": spectrum_operator(wavelength),
        "asymmetry": asymmetry_operator(wavelength),
        "coherence": coherence_operator(wavelength),
        "height": height_operator(wavelength)[0],
        "continuity": continuity_operator(wavelength),
    }


def test_chord_of_uneven_neighbours():
    wavelength = np.array([0.7, 2.0, 2.0 * np.exp(0.1), 2.0 * np.exp(0.3)])
    np.testing.assert_allclose(curvature_operator(wavelength), [[0.0, -2 / 3, 1.0, -1 / 3]], atol=1e-12)


@pytest.mark.parametrize("name", ["curvature", "spectrum", "asymmetry", "coherence", "height", "continuity"])
def test_blind_to_a_constant(wavelength, name):
    operator = all_operators(wavelength)[name]
    assert len(operator) and np.abs(operator.sum(axis=1)).max() < 1e-10


@pytest.mark.parametrize("name", ["curvature", "spectrum", "asymmetry", "coherence", "height"])
def test_blind_to_a_haze(wavelength, name):
    operator = all_operators(wavelength)[name]
    assert np.abs(operator @ np.log(wavelength)).max() < 1e-4  # interpolated places are good to a fraction of a pixel


@pytest.mark.parametrize("name", ["curvature", "spectrum", "asymmetry", "coherence", "height"])
def test_no_row_looks_at_fgs1(wavelength, name):
    assert not all_operators(wavelength)[name][:, 0].any()


def test_coherence_is_blind_to_the_steady_turn_of_a_band(wavelength):
    parabola = -((np.log(wavelength) - np.log(2.7)) ** 2)
    assert np.abs(coherence_operator(wavelength) @ parabola).max() < 1e-12
    kink = -np.abs(np.log(wavelength) - np.log(2.7))
    assert np.abs(coherence_operator(wavelength) @ kink).max() > 1e-3


def test_an_even_band_has_equal_flanks_and_a_shifted_one_has_not(wavelength):
    band = next(b for b in resolved_bands(wavelength) if b.name == "CH4 3.31")
    index = resolved_bands(wavelength).index(band)
    x = np.log(wavelength)

    def difference(centre):
        profile = np.exp(-0.5 * ((x - centre) / 0.02) ** 2)
        return (
            np.abs(asymmetry_operator(wavelength) @ profile).reshape(len(resolved_bands(wavelength)), -1)[index].max()
        )

    assert difference(np.log(band.centre)) < 2e-3
    assert difference(np.log(band.centre) + 0.01) > 0.3


def test_height_of_a_band_over_a_tilted_continuum(wavelength):
    x = np.log(wavelength)
    raised = 0.02 - 0.01 * x + 0.005 * ((wavelength > 2.15) & (wavelength < 2.55))
    heights, red_share, molecules = height_operator(wavelength)
    shares = dict(zip((band.name for band in resolved_bands(wavelength)), red_share))
    assert shares["CH4 2.32"] == pytest.approx(np.log(2.32 / 2.12) / np.log(3.75 / 2.12), abs=0.02)
    found = dict(zip((band.name for band in resolved_bands(wavelength)), heights @ raised))
    assert found["CH4 2.32"] == pytest.approx(0.005, abs=1e-6)
    assert found["CH4 3.31"] == pytest.approx(0.0, abs=1e-6)
    assert sorted(len(rows) for rows in molecules) == [1, 2, 2, 2, 2]  # CO has one band


def test_continuity_compares_fgs1_with_the_blue_window():
    np.testing.assert_allclose(continuity_operator(np.array([0.7, 2.0, 2.10, 2.14, 2.3])), [[1, 0, -0.5, -0.5, 0]])


def test_a_grid_without_windows_measures_no_heights():
    heights, red_share, molecules = height_operator(np.array([0.7, 2.0, 2.2, 2.42]))
    assert heights.shape == (0, 4) and red_share.shape == (0,) and molecules == ()
    assert continuity_operator(np.array([0.7, 2.0, 2.2])).shape == (0, 3)


def test_neighbour_graph_joins_resolution_elements_and_never_fgs1(wavelength):
    edge_index, weight = neighbour_edges(wavelength)
    assert 0 not in edge_index
    distance = np.abs(np.diff(np.log(wavelength)[edge_index], axis=0))[0]
    np.testing.assert_allclose(weight, np.exp(-0.5 * (100 * distance) ** 2))
    assert {(i, i + 1) for i in range(1, 282)} <= set(map(tuple, edge_index.T.tolist()))
    assert distance.max() <= 0.01
