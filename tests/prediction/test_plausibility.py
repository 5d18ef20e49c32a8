"""What an answer may be at most: damage is seen, widened and flagged; planets like the training planets are not."""

import numpy as np
import pytest

from spectramind_kit.flags import Flag
from spectramind_kit.prediction.plausibility import plausible, plausible_range, without_outlying_wavelengths
from spectramind_kit.products import DepthEstimate

N = 283
RNG = np.random.default_rng(5)
LEVELS = np.exp(RNG.normal(np.log(0.0145), 0.5, 40)).clip(0.004, 0.05)
SHAPE = 1.0 + 0.01 * np.sin(np.linspace(0, 9, N))
LABELS = LEVELS[:, None] * (1.0 + RNG.normal(0, 0.5, (40, 1)) * (SHAPE - 1.0))
KNOWN = plausible_range(LABELS)
ERROR = np.full(N, 5e-5)


def judged(depth, flags=(), known=KNOWN, mean=None):
    mean, sigma, found = plausible(
        depth if mean is None else mean, ERROR.copy(), (depth, ERROR), dict.fromkeys(flags, ""), known
    )
    return mean, sigma, found


def test_training_planets_and_noise_are_left_as_they_are():
    for spectrum in LABELS:
        depth = spectrum + RNG.normal(0, 5e-5, N)
        mean, sigma, found = judged(depth)
        assert found == {} and (mean == depth).all() and (sigma == ERROR).all()


@pytest.mark.parametrize("wrong", ["AIRS-CH0", "FGS1"])
def test_of_two_channels_that_disagree_either_may_be_right(wrong):
    """Whichever was swapped, the error lies within two sigmas, where it was hundreds."""
    truth, other = np.full(N, 0.0145), np.full(N, 0.0300)
    depth = np.concatenate([truth[:1], other[1:]] if wrong == "AIRS-CH0" else [other[:1], truth[1:]])
    mean, sigma, found = judged(depth)
    assert Flag.CHANNELS_DISAGREE in found
    assert (np.abs(mean - truth) < 2.0 * sigma).all() and np.median(sigma) < 0.012
    _, saturated, found = judged(depth, [Flag.FGS1_SATURATED])
    assert found == {} and (saturated == ERROR).all(), "FGS1 is known to be the wrong one"


def test_few_labels_allow_more_difference():
    few = plausible_range(LABELS[:3])
    depth = np.full(N, 0.02)
    depth[0] *= 1.08
    assert judged(depth)[2].keys() == {Flag.CHANNELS_DISAGREE} and judged(depth, known=few)[2] == {}


@pytest.mark.parametrize("level", [0.0, 1e-6, -0.01, 0.2, 0.9])
def test_depths_of_no_planet_are_clamped_and_widened(level):
    depth = np.full(N, level)
    mean, sigma, found = judged(depth)
    assert Flag.DEPTH_CLAMPED in found and (mean >= KNOWN.levels[0]).all() and (mean <= KNOWN.levels[1]).all()
    assert (sigma >= np.abs(mean - level)).all()


def estimate(depth):
    covariance = 1e-10 * np.ones((N, N)) + 2.5e-9 * np.eye(N)
    return DepthEstimate(7, depth, covariance, 1)


@pytest.mark.parametrize("size", [0.05, -0.05, 1.0, -3.0])
@pytest.mark.parametrize("place", [1, 100, 282])
def test_a_wavelength_far_off_its_neighbours_loses_its_weight(size, place):
    depth = 0.0145 * SHAPE
    found = without_outlying_wavelengths(estimate(np.where(np.arange(N) == place, depth * (1.0 + size), depth)))
    assert abs(found.depth[place] / depth[place] - 1.0) < 0.01 and found.covariance[place, place] == 1.0
    assert Flag.WAVELENGTHS_OUTLYING in found.flags
    others = np.arange(N) != place
    np.testing.assert_array_equal(found.covariance[np.ix_(others, others)], estimate(depth).covariance[1:, 1:])


def test_spectra_and_noise_lose_nothing():
    for spectrum in LABELS:
        one = estimate(spectrum + RNG.normal(0, 5e-5, N))
        assert without_outlying_wavelengths(one) is one
    fgs1 = estimate(np.concatenate([[0.5], np.full(N - 1, 0.0145)]))
    assert without_outlying_wavelengths(fgs1) is fgs1, "FGS1 has no neighbours"


@pytest.mark.parametrize("flag, part", [(Flag.FGS1_NOT_LINEAR, slice(0, 1)), (Flag.AIRS_NOT_LINEAR, slice(1, None))])
def test_a_channel_whose_linearity_is_not_corrected_is_widened_and_no_other(flag, part):
    mean, sigma, _ = judged(LABELS[0], [flag])
    widened = sigma > ERROR
    assert widened[part].all() and widened.sum() == widened[part].sum()
    np.testing.assert_allclose(sigma[part], np.hypot(ERROR[part], 0.025 * mean[part]))
