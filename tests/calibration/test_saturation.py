"""Pixels that are full again and again are kept apart from those a cosmic ray fills once."""

import numpy as np
import pytest

from spectramind_kit.calibration.saturation import full_count, saturated_pixels, saturation_flags
from spectramind_kit.config import load_config
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames
from spectramind_kit.simulation.detector import invert_linearity, to_counts
from spectramind_kit.simulation.visit import brightest_allowed

FULL = 35_000


def reads(n_full, n_exposure=400, level=20_000):
    """Counts of three pixels, the middle one full in some of its second reads."""
    counts = np.full((3, 2 * n_exposure), 600, dtype=np.uint16)
    counts[:, 1::2] = level
    counts[1, 1 : 2 * n_full : 2] = FULL + 10
    return counts


@pytest.mark.parametrize("n_full, trusted", [(0, True), (1, True), (5, True), (6, False), (400, False)])
def test_a_ray_fills_a_pixel_once_a_bright_star_again_and_again(n_full, trusted):
    np.testing.assert_array_equal(saturated_pixels(reads(n_full), FULL), [False, not trusted, False])


@pytest.mark.parametrize("n_exposure", [1, 2, 25])
def test_a_short_visit_full_throughout_is_noticed(n_exposure):
    np.testing.assert_array_equal(saturated_pixels(reads(n_exposure, n_exposure), FULL), [False, True, False])


def test_a_read_at_the_limit_is_full_and_one_below_is_not():
    np.testing.assert_array_equal(saturated_pixels(reads(0, level=FULL), FULL), True)
    np.testing.assert_array_equal(saturated_pixels(reads(0, level=FULL - 1), FULL), False)


@pytest.mark.parametrize("channel", [AIRS, FGS1], ids=lambda channel: channel.name)
@pytest.mark.parametrize("gain, offset", [(0.4369, -1000.0), (0.92, -779.0)])
def test_full_pixels_read_above_the_limit_and_bright_ones_below(channel, gain, offset):
    """On random detectors of either edition: the well's end is seen, the brightest star allowed is not."""
    frames = draw_calibration_frames(channel, gain, offset, 13.0, np.random.default_rng(1))
    limit = full_count(frames, load_config().calibration)
    assert limit <= 65_535
    coefficients = frames.linearity.reshape(6, -1)
    bright = brightest_allowed(channel, gain, offset) * channel.read_times[1] / channel.exposure_time
    for electrons, share in ((FULL_WELL, 1.0), (bright + 5 * np.sqrt(bright), 0.0)):
        filled = np.full((coefficients.shape[1], 1), electrons)
        counts = to_counts(invert_linearity(filled, coefficients).astype(np.float32), gain, offset)
        assert (counts >= limit).mean() == pytest.approx(share, abs=0.01)


def test_a_converter_that_ends_below_the_full_well_sets_the_limit():
    zero = np.zeros((2, 2))
    frames = CalibrationFrames(zero, zero > 0, zero + 1, zero, np.zeros((2, 2, 2)), gain=2.0, offset=-1000.0)
    assert full_count(frames, load_config().calibration) == 65_535


def test_flags_count_them():
    assert saturation_flags("FGS1", np.zeros(4, dtype=bool)) == {}
    assert saturation_flags("FGS1", np.array([True, False, True])) == {Flag.FGS1_SATURATED: "2 of 3"}
    assert saturation_flags("AIRS-CH0", np.array([True])) == {Flag.AIRS_SATURATED: "1 of 1"}
