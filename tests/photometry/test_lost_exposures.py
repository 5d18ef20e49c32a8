"""Lost exposures are kept apart from transits, drifts and noise."""

import numpy as np

from spectramind_kit.flags import Flag
from spectramind_kit.photometry.lost_exposures import bins_with, lost_exposure_flags, lost_exposures


def test_transits_and_noise_are_no_loss():
    rng = np.random.default_rng(1)
    light = 2e5 * (1 + 0.003 * rng.standard_normal(5000))
    light[2000:3000] *= 0.94
    assert not lost_exposures(light).any()


def test_dark_halved_and_doubled_exposures_are_lost():
    light = np.full(100, 1e5)
    light[[3, 50, 99]] = [0.0, 4.9e4, 1.6e5]
    np.testing.assert_array_equal(np.flatnonzero(lost_exposures(light)), [3, 50, 99])


def test_without_any_light_nothing_is_lost():
    assert not lost_exposures(np.zeros(5)).any()


def test_bins_that_hold_a_lost_exposure():
    mid_time, edges = np.arange(10) + 0.5, np.array([0.0, 3.0, 6.0, 9.0])
    marked = np.zeros(10, dtype=bool)
    marked[[2, 6, 9]] = True  # the last lies behind the last bin
    np.testing.assert_array_equal(bins_with(marked, mid_time, edges), [True, False, True])
    assert lost_exposure_flags("FGS1", marked) == {Flag.FGS1_EXPOSURES_LOST: "3 of 10"}
    assert lost_exposure_flags("FGS1", marked & False) == {}
