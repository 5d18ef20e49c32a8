"""Detector effects one by one, and what they do together."""

import numpy as np
import pytest

from spectramind_kit.calibration.adc import counts_to_electrons
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames, draw_linearity
from spectramind_kit.simulation.detector import (
    add_cosmic_rays,
    add_read_noise,
    apply_response,
    draw_cosmic_rays,
    draw_photons,
    expected_reads,
    invert_linearity,
    read_out,
    saturate,
    to_counts,
)

GAIN, OFFSET = 0.4369, -1000.0
NO_HITS = (np.array([], dtype=int), np.array([], dtype=int))


@pytest.fixture
def rng():
    return np.random.default_rng(23)


def plain_frames(n_pixel, read_noise=13.0, dark=0.0):
    """Tables of a detector whose only flaw is its read noise and dark current."""
    linearity = np.zeros((6, n_pixel))
    linearity[1] = 1.0
    return CalibrationFrames(
        dark=np.full(n_pixel, dark),
        dead=np.zeros(n_pixel, dtype=bool),
        flat=np.ones(n_pixel),
        read_noise=np.full(n_pixel, read_noise),
        linearity=linearity,
        gain=GAIN,
        offset=OFFSET,
    )


def test_response_takes_the_light_of_dead_pixels():
    light = np.full((3, 4), 100.0)
    out = apply_response(light, np.array([1.02, 0.98, 1.0]), np.array([False, False, True]))
    assert out[:, 0] == pytest.approx([102.0, 98.0, 0.0])


@pytest.mark.parametrize("channel, ratio", [(AIRS, 46.0), (FGS1, 2.0)])
def test_second_read_holds_what_the_first_had(channel, ratio):
    first, added = expected_reads(np.full((1, 2), 4600.0, dtype=np.float32), np.array([0.5]), channel)
    assert (first + added)[0, 0] / first[0, 0] == pytest.approx(ratio)
    dark_only, _ = expected_reads(np.zeros((1, 1), dtype=np.float32), np.array([0.5]), channel)
    assert dark_only[0, 0] == pytest.approx(0.05)


@pytest.mark.parametrize("mean", [0.7, 20.0, 5000.0])
@pytest.mark.parametrize("n_average", [1, 25])
def test_photon_noise_has_poisson_mean_and_variance(mean, n_average, rng):
    drawn = draw_photons(np.full((4, 50_000), mean, dtype=np.float32), n_average, rng)
    assert drawn.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / n_average / drawn.size))
    assert drawn.var() == pytest.approx(mean / n_average, rel=0.03)


def test_cosmic_rays_fill_pixels_at_the_wanted_rate(rng):
    counts = [len(draw_cosmic_rays(AIRS.n_pixel, 225, 60.0, rng)[0]) for _ in range(200)]
    assert np.mean(counts) == pytest.approx(60.0, abs=4 * np.sqrt(60 / 200))
    electrons = np.full((5, 6), 2000.0)
    struck = add_cosmic_rays(electrons, np.array([3]), np.array([2]), n_average=1)
    assert struck[3, 2] == FULL_WELL
    assert np.count_nonzero(struck != electrons) == 1
    averaged = add_cosmic_rays(electrons, np.array([3]), np.array([2]), n_average=25)
    assert averaged[3, 2] - 2000.0 == pytest.approx((FULL_WELL - 2000.0) / 25)


def test_a_full_pixel_reads_about_83000_electrons():
    coefficients = draw_linearity(AIRS, np.random.default_rng(1)).reshape(6, -1)
    full = saturate(np.full((AIRS.n_pixel, 1), 1e6))
    assert np.median(invert_linearity(full, coefficients)) == pytest.approx(83_000, rel=0.015)


def test_inverted_linearity_is_what_linearise_undoes(rng):
    coefficients = draw_linearity(AIRS, rng).reshape(6, -1)[:, :500]
    linear = rng.uniform(0, FULL_WELL, (500, 1)) * rng.uniform(0.95, 1.0, (500, 40))
    linear[::7, 5] = FULL_WELL  # cosmic rays far from the pixel's mean
    back = linearise(invert_linearity(linear, coefficients), coefficients)
    assert back == pytest.approx(linear, abs=0.01)
    single = linear.astype(np.float32)
    measured = invert_linearity(single, coefficients)
    assert measured.dtype == np.float32
    assert linearise(measured.astype(np.float64), coefficients) == pytest.approx(single, abs=0.1)


def test_counts_truncate_and_follow_the_official_sign():
    electrons = np.array([[-2000.0, 0.0, 33.5, 83_000.0, 1e9]])
    counts = to_counts(electrons, GAIN, OFFSET)
    assert counts.dtype == np.uint16
    assert counts[0, 0] == 0 and counts[0, -1] == 65_535
    back = counts_to_electrons(counts, GAIN, OFFSET)
    lost = (electrons - back)[0, 1:-1]
    assert (lost >= -0.01).all() and (lost < 1.01 / GAIN).all()


@pytest.mark.parametrize("n_average", [1, 25, 100])
def test_noise_of_digitised_reads_is_that_of_a_mean_of_reads(n_average, rng):
    level = 500.0 + rng.uniform(0, 3, (40, 1))
    noisy = add_read_noise(np.repeat(level, 20_000, axis=1).astype(np.float32), np.full(40, 13.0), n_average, GAIN, rng)
    back = counts_to_electrons(to_counts(noisy, GAIN, OFFSET), GAIN, OFFSET)
    rounding = 1 / (12 * GAIN**2)
    assert back.var(axis=1).mean() == pytest.approx((13.0**2 + rounding) / n_average, rel=0.02)


@pytest.mark.parametrize("channel, exposure", [(AIRS, 4600.0), (AIRS, 30.0), (FGS1, 9000.0)])
@pytest.mark.parametrize("n_average", [1, 25])
def test_exposures_have_photon_and_read_noise(channel, exposure, n_average, rng):
    light = np.full((8, 30_000), exposure, dtype=np.float32)
    counts = read_out(light, plain_frames(8), channel, NO_HITS, n_average, rng)
    electrons = counts_to_electrons(counts, GAIN, OFFSET).astype(np.float64)
    signal = electrons[:, 1::2] - electrons[:, ::2]
    assert signal.mean() == pytest.approx(exposure, rel=2e-3, abs=0.05)
    expected = (exposure + 2 * (13.0**2 + 1 / (12 * GAIN**2))) / n_average
    assert signal.var(axis=1).mean() == pytest.approx(expected, rel=0.02)


def test_averaging_keeps_the_error_of_a_depth(rng):
    """The error of a depth does not depend on how many exposures one stored exposure is the mean of."""
    n_real, depth, error = 4000, 0.01, {}
    for n_average in (1, 20):
        n = n_real // n_average
        light = np.full((400, n), 3000.0, dtype=np.float32)
        light[:, n // 2 :] *= 1 - depth
        counts = read_out(light, plain_frames(400), AIRS, NO_HITS, n_average, rng)
        electrons = counts_to_electrons(counts, GAIN, OFFSET).astype(np.float64)
        signal = electrons[:, 1::2] - electrons[:, ::2]
        depths = 1 - signal[:, n // 2 :].mean(axis=1) / signal[:, : n // 2].mean(axis=1)
        error[n_average] = depths.std()
        assert depths.mean() == pytest.approx(depth, abs=5 * error[n_average] / 20)
    assert error[20] == pytest.approx(error[1], rel=0.15)


def test_read_pairs_of_a_real_detector_have_the_real_ratio(rng):
    """The ratio of the mean second to the mean first read, measured on real frames: 46 on AIRS-CH0, 2.0 on FGS1."""
    for channel, ratio in ((AIRS, 46.0), (FGS1, 2.0)):
        frames = draw_calibration_frames(channel, GAIN, OFFSET, 13.0, rng)
        pixels = frames.at(np.full(channel.n_column, 15), np.arange(channel.n_column))
        light = np.full((channel.n_column, 400), 20_000.0, dtype=np.float32)
        electrons = counts_to_electrons(read_out(light, pixels, channel, NO_HITS, 1, rng), GAIN, OFFSET)
        linear = linearise(electrons, pixels.linearity)[~pixels.dead] + 0.5 / GAIN
        assert linear[:, 1::2].mean() / linear[:, ::2].mean() == pytest.approx(ratio, rel=0.01)
