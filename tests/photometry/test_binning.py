"""Time bins: whole exposures, one grid for both channels, means that conserve light."""

import numpy as np
import pytest

from spectramind_kit.photometry.binning import bin_edges, bin_mean


def test_the_real_visit_has_375_bins_of_72_seconds():
    airs = 2.4 + 4.8 * np.arange(5625)
    edges = bin_edges(airs, 72.0)
    np.testing.assert_allclose(edges, 72.0 * np.arange(376), atol=1e-6)
    fgs1 = 0.15 + 0.4 * np.arange(67_500)
    assert set(bin_mean(airs[None], airs, edges)[1]) == {15}
    assert set(bin_mean(fgs1[None], fgs1, edges)[1]) == {180}


def test_exposures_that_do_not_fill_a_bin_are_dropped():
    time = 4.8 * np.arange(11)
    edges = bin_edges(time, 14.4)
    assert len(edges) == 4
    np.testing.assert_array_equal(bin_mean(time[None], time, edges)[1], [3, 3, 3])


@pytest.mark.parametrize("wanted, per_bin", [(1.0, 1), (120.0, 1), (170.0, 1), (190.0, 2), (240.0, 2)])
def test_a_bin_is_a_whole_number_of_exposures(wanted, per_bin):
    time = 120.0 * np.arange(8)
    assert np.diff(bin_edges(time, wanted)) == pytest.approx(120.0 * per_bin)


def test_a_visit_shorter_than_a_bin_is_one_bin():
    time = 2.4 + 4.8 * np.arange(5)
    np.testing.assert_allclose(bin_edges(time, 72.0), [0.0, 24.0])


def test_one_exposure_is_one_bin():
    edges = bin_edges(np.array([2.4]), 72.0)
    assert len(edges) == 2 and edges[0] < 2.4 < edges[1]


def test_means_by_hand():
    values = np.array([[1.0, 3.0, 5.0, 7.0], [0.0, 0.0, 4.0, 0.0]])
    mean, count = bin_mean(values, np.arange(4.0), np.array([-0.5, 1.5, 3.5]))
    np.testing.assert_array_equal(mean, [[2, 6], [0, 2]])
    np.testing.assert_array_equal(count, [2, 2])


def test_light_is_conserved_over_unequal_bins():
    rng = np.random.default_rng(0)
    time = np.sort(rng.uniform(0, 100, 1000))
    values = rng.normal(1e5, 10, (3, 1000)).astype(np.float32)
    mean, count = bin_mean(values, time, np.array([0.0, 10.0, 12.0, 55.0, 100.0]))
    np.testing.assert_allclose((mean * count).sum(axis=1), values.sum(axis=1, dtype=np.float64), rtol=1e-12)


def test_a_bin_without_exposures_is_nan():
    mean, count = bin_mean(np.array([[1.0, 2.0]]), np.array([0.5, 3.5]), np.arange(6.0))
    np.testing.assert_array_equal(count, [1, 0, 0, 1, 0])
    np.testing.assert_array_equal(mean, [[1, np.nan, np.nan, 2, np.nan]])


def test_an_exposure_that_is_not_a_number_spoils_its_own_bin_only():
    values = np.array([[1.0, np.nan, 3.0, 5.0]])
    mean, _ = bin_mean(values, np.arange(4.0), np.array([-0.5, 1.5, 3.5]))
    np.testing.assert_array_equal(mean, [[np.nan, 4.0]])
