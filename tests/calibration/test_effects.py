"""Each correction against hand values and limits."""

import numpy as np
import pytest

from spectramind_kit.calibration.adc import counts_to_electrons, zero_point_flags
from spectramind_kit.calibration.bad_pixels import find_hot_pixels, trusted_pixels
from spectramind_kit.calibration.cds import cds_variance, correlated_double_sampling, exposure_mid_times
from spectramind_kit.calibration.dark_current import subtract_dark
from spectramind_kit.calibration.flat_field import divide_flat
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, FGS1

REAL_POLYNOMIAL = np.array([0.14, 1.0, -5.7e-9, 1.2e-11, -6.0e-17, 1.3e-22])
"""Median AIRS-CH0 coefficients of the real sample."""


@pytest.mark.parametrize(
    "dark_count, fits", [(437.0, True), (442.0, True), (218.0, False), (874.0, False), (0.0, False)]
)
def test_pixels_without_light_tell_whether_the_adc_s_constants_are_those_of_the_counts(dark_count, fits):
    found = zero_point_flags("FGS1", dark_count, 0.4369, -1000.0)
    assert found.keys() == (set() if fits else {Flag.FGS1_NOT_LINEAR})
    assert fits or f"at {dark_count:.0f} ADU, wanted 437" in found[Flag.FGS1_NOT_LINEAR]


def test_an_adc_without_offset_has_its_zero_at_zero():
    assert zero_point_flags("AIRS-CH0", 3.0, 0.4, 0.0) == {}


def test_adc_signs_by_hand():
    counts = np.array([[0, 500, 1000]], dtype=np.uint16)
    official = counts_to_electrons(counts, 0.5, -1000.0)
    np.testing.assert_array_equal(official, [[-1000, 0, 1000]])
    np.testing.assert_array_equal(counts_to_electrons(counts, 0.5, -1000.0, "inverse"), [[1000, 2000, 3000]])
    assert official.dtype == np.float32 and counts.dtype == np.uint16


def test_adc_in_single_precision_is_far_below_a_count():
    counts = np.arange(65536, dtype=np.uint16)[None]
    exact = counts / 0.4369 - 1000.0
    assert np.abs(counts_to_electrons(counts, 0.4369, -1000.0) - exact).max() < 0.02 / 0.4369


def test_linearity_is_the_polynomial_of_ascending_powers():
    electrons = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 3.0]])
    coefficients = np.array([[1.0, 0.5], [2.0, 1.0], [3.0, 0.0]])
    np.testing.assert_allclose(linearise(electrons, coefficients), [[1, 6, 17], [0.5, 1.5, 3.5]])
    np.testing.assert_array_equal(electrons[0], [0, 1, 2])


def test_linearity_in_single_precision_keeps_a_tenth_of_an_electron():
    electrons = np.linspace(-500, 90_000, 2001)
    exact = np.polynomial.Polynomial(REAL_POLYNOMIAL)(electrons)
    single = linearise(electrons.astype(np.float32)[None], REAL_POLYNOMIAL[:, None])
    assert single.dtype == np.float32
    assert np.abs(single[0] - exact).max() < 0.05
    assert exact[-1] - electrons[-1] > 1000, "the correction is large where the pixel is full"


def test_dark_gathers_with_the_time_since_reset():
    clean = subtract_dark(np.full((2, 4), 10.0), np.array([0.0, 2.0]), AIRS.time_since_reset(4))
    np.testing.assert_allclose(clean, [[10, 10, 10, 10], [9.8, 0.8, 9.8, 0.8]])


def test_read_times_are_the_measured_ones_or_the_axis_files_integration_times():
    np.testing.assert_array_equal(AIRS.time_since_reset(5), [0.1, 4.6, 0.1, 4.6, 0.1])
    np.testing.assert_array_equal(AIRS.time_since_reset(3, "integration"), [0.1, 4.5, 0.1])
    np.testing.assert_array_equal(FGS1.time_since_reset(4), [0.1, 0.2, 0.1, 0.2])
    assert AIRS.exposure_time == pytest.approx(4.5) and FGS1.exposure_time == pytest.approx(0.1)


def test_an_exposure_is_the_second_read_minus_the_first():
    np.testing.assert_array_equal(correlated_double_sampling(np.array([[1.0, 5.0, 2.0, 8.0]])), [[4, 6]])


def test_exposures_lie_in_the_middle_of_their_light():
    airs = exposure_mid_times(np.array([0.1, 0.2, 4.9, 5.0]), AIRS.exposure_time)
    np.testing.assert_allclose(airs, [2.45, 7.25])
    fgs1 = exposure_mid_times(np.array([0.1, 0.2, 0.5, 0.6]), FGS1.exposure_time)
    np.testing.assert_allclose(fgs1, [0.25, 0.65])


def test_variance_is_photons_and_two_reads():
    signal = np.array([[100.0, -5.0]])
    np.testing.assert_allclose(cds_variance(signal, np.array([3.0]), 1), [[118, 18]])
    np.testing.assert_allclose(cds_variance(signal, np.array([3.0]), 4), [[29.5, 4.5]])
    np.testing.assert_array_equal(signal, [[100, -5]])


def test_flat_divides_good_pixels_only():
    divided = divide_flat(np.full((2, 3), 6.0), np.array([1.5, 0.0]), np.array([True, False]))
    np.testing.assert_array_equal(divided, [[4, 4, 4], [6, 6, 6]])


def test_hot_pixels_stand_out_of_the_dark_map():
    dark = np.random.default_rng(0).normal(0.006, 0.0014, (32, 356))
    hot = np.zeros(dark.shape, dtype=bool)
    hot[[3, 17, 30], [5, 200, 355]] = True
    dark[hot] = [0.03, 1.0, 25.0]
    np.testing.assert_array_equal(find_hot_pixels(dark, 5.0), hot)


def test_an_even_dark_map_has_no_hot_pixel():
    assert not find_hot_pixels(np.full((4, 4), 0.006), 5.0).any()


def test_trust_ends_at_dead_pixels_and_weak_flats():
    trusted = trusted_pixels(np.array([True, False, False, False]), np.array([1.0, 1.0, 0.5, -0.1]), 0.5)
    np.testing.assert_array_equal(trusted, [False, True, False, False])
