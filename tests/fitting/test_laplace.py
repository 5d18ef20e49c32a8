"""What is done to the Gaussian: truncation, masked wavelengths, inflated covariances."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from spectramind_kit.fitting.laplace import (
    Posterior,
    channel_difference,
    fill_masked_wavelengths,
    inflated_fgs1,
    mean_depth,
    partially_observed,
    truncated_at_zero,
    truncated_moments,
    uninformative,
    widened_at_the_limb,
)
from spectramind_kit.fitting.visit_posterior import given_star, visit_prior
from spectramind_kit.likelihood import VisitLikelihood

WAVELENGTH = np.array([0.7, 2.0, 2.5, 3.0, 3.5])


def posterior():
    depth = np.array([0.012, 0.010, 0.011, 0.010, 0.011])
    covariance = np.diag(np.array([4.0, 1.0, 1.0, 2.0, 2.0]) * 1e-8) + 1e-9
    return Posterior(depth, covariance, np.zeros(3), np.eye(3), np.zeros((5, 3)))


@pytest.mark.parametrize("peak", [-3.0, -0.5, 0.0, 0.4, 5.0, -40.0])
def test_truncated_moments_are_those_of_the_truncated_normal(peak):
    mean, spread = truncated_moments(0.1 * peak, 0.1)
    expected = truncnorm(-peak, np.inf, loc=0.1 * peak, scale=0.1)
    assert mean == pytest.approx(expected.mean(), rel=1e-3)
    assert spread == pytest.approx(expected.std(), rel=0.05)


def test_mean_depth_weighs_by_variance_and_skips_the_masked():
    valid = np.array([False, True, True, True, True])
    depth, sigma = mean_depth(posterior(), valid)
    assert depth == pytest.approx((0.010 + 0.011 + 0.5 * 0.010 + 0.5 * 0.011) / 3, rel=1e-3)
    assert sigma == pytest.approx(np.sqrt(1e-8 / 3 + 1e-9), rel=0.02)


def filled(masked):
    return fill_masked_wavelengths(posterior().depth, posterior().depth_covariance, WAVELENGTH, np.array(masked))


def test_masked_wavelengths_take_their_neighbours_depth_and_are_uninformative():
    depth, covariance = filled([False, False, True, False, False])
    assert 0.010 <= float(depth[2]) <= 0.011
    assert float(covariance[2, 2]) == pytest.approx(0.02**2)
    assert np.linalg.eigvalsh(covariance)[0] > 0
    others = np.ix_([0, 1, 3, 4], [0, 1, 3, 4])
    np.testing.assert_array_equal(covariance[others], posterior().depth_covariance[others])


def test_a_masked_fgs1_takes_the_airs_depth():
    depth, _ = filled([True, False, False, False, False])
    assert 0.010 <= float(depth[0]) <= 0.011


def visit(**more):
    """A visit that measures star and orbit as little as its depths."""
    names = ("impact_squared",)
    none, one = np.zeros(1), np.ones(1)
    return VisitLikelihood(
        names=names,
        reference=none,
        information=np.eye(1),
        score=none,
        depth=posterior().depth,
        variance=np.diag(posterior().depth_covariance),
        response=np.zeros((5, 1)),
        prior_mean=none,
        prior_scatter=one,
        length=27_000.0,
        ln_likelihood=0.0,
        extra_variance=np.zeros(5),
        **more,
    )


def covariance_of(likelihood):
    """The covariance of the depths that follows from a visit."""
    prior = visit_prior(likelihood, None)
    return given_star(likelihood, prior, np.ones(1, dtype=bool)).covariance


def test_uninformative_depths_have_neither_level_nor_shape():
    doubted = uninformative(visit())
    level, shape = np.full(5, 0.2), np.array([0.0, 1.0, -1.0, 0.0, 0.0])
    for direction in (level, shape):
        assert np.sqrt(direction @ covariance_of(doubted) @ direction) >= 0.02
    assert doubted.inflated and not visit().inflated


def test_a_cut_transit_has_wider_errors_the_more_is_missing():
    widths = [np.diag(covariance_of(partially_observed(visit(), missing, 0.01))) for missing in (0.0, 0.5, 1.0)]
    assert (np.diff(widths, axis=0) > 0).all()
    np.testing.assert_allclose(widths[0], visit().variance)
    # Their level is unsure beyond what the errors grow by: in common, and in proportion to the depth.
    lost = partially_observed(visit(), 1.0, 0.01)
    assert covariance_of(lost)[1, 2] == pytest.approx(lost.common_extra_variance) and lost.common_extra_variance > 0
    assert partially_observed(visit(), 1.0, 0.02).common_extra_variance == pytest.approx(
        4.0 * lost.common_extra_variance
    )


def test_the_level_of_a_cut_transit_is_lost_only_with_its_middle():
    errors = [np.sqrt(partially_observed(visit(), missing, 0.01).common_extra_variance) for missing in (0.4, 0.7, 1.2)]
    assert errors[0] < 1e-6 and errors[1] < 1e-4 and errors[2] > 1e-3


def test_a_grazing_transit_has_a_wider_level_the_more_its_channels_differ():
    widths = [covariance_of(widened_at_the_limb(visit(), excess, 0.01)) for excess in (0.0, 0.05, 0.1)]
    np.testing.assert_allclose(widths[0], covariance_of(visit()))
    # The level alone: what all wavelengths have in common, and several times the difference.
    np.testing.assert_allclose(np.ptp(widths[2] - widths[0]), 0.0, atol=1e-16)
    assert np.sqrt(widths[2][1, 2]) == pytest.approx(2.0 * np.sqrt(widths[1][1, 2])) and widths[2][1, 2] > 1e-3**2


def test_the_doubted_fgs1_covers_the_difference():
    valid = np.ones(5, dtype=bool)
    difference, sigma = channel_difference(posterior(), WAVELENGTH, valid)
    assert difference == pytest.approx(0.0015, rel=0.02) and 2e-4 < sigma < 2.4e-4
    added = covariance_of(inflated_fgs1(visit(), WAVELENGTH, difference)) - covariance_of(visit())
    assert float(added[0, 0]) == pytest.approx(difference**2) and int((added != 0).sum()) == 1


def test_what_follows_b_squared_moves_with_it_where_it_is_truncated():
    """Against draws of the Gaussian, those below zero left out."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5)) * np.array([1e-4, 1e-4, 1e-4, 0.2, 0.1])[:, None]
    whole, mean = root @ root.T, np.array([0.012, 0.010, 0.011, 0.05, 0.3])
    gaussian = Posterior(mean[:3], whole[:3, :3], mean[3:], whole[3:, 3:], whole[:3, 3:])
    found = truncated_at_zero(gaussian, 0)
    drawn = rng.multivariate_normal(mean, whole, 200_000)
    drawn = drawn[drawn[:, 3] > 0]
    scale, covariance = np.sqrt(np.diag(whole)), np.cov(drawn.T)
    np.testing.assert_allclose(np.append(found.depth, found.shared) / scale, drawn.mean(axis=0) / scale, atol=0.02)
    for part, expected, size in (
        (found.depth_covariance, covariance[:3, :3], np.outer(scale[:3], scale[:3])),
        (found.shared_covariance, covariance[3:, 3:], np.outer(scale[3:], scale[3:])),
        (found.cross, covariance[:3, 3:], np.outer(scale[:3], scale[3:])),
    ):
        np.testing.assert_allclose(part / size, expected / size, atol=0.02)
