"""Another prior of the limb darkening in place of the fit's, without another fit; and one learned from stars."""

from dataclasses import replace

import numpy as np
from spectramind_kit.fitting.darkening_prior import (
    DarkeningPrior,
    conditional,
    learn_darkening_prior,
    likelihood,
    with_darkening_prior,
)

from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.products import DARKENING_NAMES, DepthEstimate, TransitFit
from tests.fitting.transit_light_curves import light_curves

N = len(DARKENING_NAMES)
LOOSE = np.full(N, 0.1)


def linear_problem(seed=0, n=12):
    """Depths and offsets measured together through a linear model: information (n + N, n + N) and score (n + N,)."""
    rng = np.random.default_rng(seed)
    design = rng.standard_normal((200, n + N))
    design[:, n:] *= 20.0
    return design.T @ design, design.T @ (design @ np.full(n + N, 0.02) + rng.standard_normal(200))


def solved(problem, mean, scatter, n=12):
    """Return the estimate under a prior of the offsets; its offsets count from the prior's mean."""
    information, score = problem[0].copy(), problem[1].copy()
    information[n:, n:] += np.diag(scatter**-2.0)
    score[n:] += scatter**-2.0 * mean
    covariance = np.linalg.inv(information)
    value = covariance @ score
    return DepthEstimate(
        planet_id=1,
        depth=value[:n],
        covariance=covariance[:n, :n],
        n_visit=1,
        darkening=np.column_stack([value[n:] - mean, scatter]),
        darkening_covariance=covariance[n:, n:],
        darkening_cross=covariance[:n, n:],
    )


def test_a_changed_prior_is_as_good_as_another_solution():
    prior = DarkeningPrior(np.linspace(-0.03, 0.03, N), np.linspace(0.01, 0.05, N))
    changed = with_darkening_prior(solved(linear_problem(), np.zeros(N), LOOSE), prior)
    expected = solved(linear_problem(), prior.mean, prior.scatter)
    for name in ("depth", "covariance", "darkening", "darkening_covariance", "darkening_cross"):
        np.testing.assert_allclose(getattr(changed, name), getattr(expected, name), rtol=1e-6, atol=1e-12)


def test_without_limb_darkening_or_prior_nothing_changes():
    with_darkening = solved(linear_problem(), np.zeros(N), LOOSE)
    assert with_darkening_prior(with_darkening, None) is with_darkening
    without = DepthEstimate(1, with_darkening.depth, with_darkening.covariance, 1)
    assert with_darkening_prior(without, DarkeningPrior(np.zeros(N), LOOSE)) is without


def test_more_variance_than_the_prior_had_is_no_information():
    information, score = likelihood(np.full(N, 0.02), LOOSE, 3.0 * np.diag(LOOSE**2))
    assert not information.any() and not score.any()


def test_the_light_curve_fit_gives_what_a_fit_under_the_sharper_prior_gives(config):
    curves, planet, _ = light_curves(seed=3, darkening_scatter=0.02)
    loose = fit_transit(curves, planet, config.fit)
    sharp = fit_transit(curves, planet, replace(config.fit, limb_darkening_scatter=0.02))
    changed = with_darkening_prior(join_visits([loose]), DarkeningPrior(np.zeros(N), sharp.darkening[:, 1]))
    sigma = sharp.sigma
    assert np.abs(changed.depth - sharp.depth)[1:].max() < 0.3 * np.median(sigma)
    assert abs(changed.depth[0] - sharp.depth[0]) < 0.5 * sigma[0]
    np.testing.assert_allclose(np.sqrt(np.diag(changed.covariance)), sigma, rtol=0.15)
    assert np.trace(changed.covariance) < np.trace(loose.covariance)


def test_two_visits_count_the_prior_of_their_star_once():
    one = solved(linear_problem(0), np.zeros(N), LOOSE)
    both = solved(tuple(a + b for a, b in zip(linear_problem(0), linear_problem(1))), np.zeros(N), LOOSE)
    fits = [as_fit(one, 0), as_fit(solved(linear_problem(1), np.zeros(N), LOOSE), 1)]
    joined = join_visits(fits)
    np.testing.assert_allclose(joined.depth, both.depth, rtol=1e-6)
    np.testing.assert_allclose(joined.darkening_covariance, both.darkening_covariance, rtol=1e-6)
    assert (np.diag(joined.covariance) >= np.diag(both.covariance) * (1.0 - 1e-9)).all()


def as_fit(estimate, visit):
    n, one = len(estimate.depth), np.ones((3, len(estimate.depth)))
    limb = {name: getattr(estimate, name) for name in ("darkening", "darkening_covariance", "darkening_cross")}
    return TransitFit(
        1,
        visit,
        np.linspace(2, 4, n),
        estimate.depth,
        estimate.covariance,
        {},
        np.arange(3.0),
        one,
        one,
        np.ones(n),
        **limb,
    )


def stars(n_star, mean, scatter, noise, seed=1):
    """Fitted offsets of stars: truth, noise, and shrinkage towards the loose prior's mean."""
    rng = np.random.default_rng(seed)
    true = mean + scatter * rng.standard_normal((n_star, N))
    information = noise**-2.0
    covariance = 1.0 / (information + LOOSE**-2.0)
    offset = covariance * information * (true + noise * rng.standard_normal((n_star, N)))
    darkening = np.stack([offset, np.broadcast_to(LOOSE, offset.shape)], axis=2)
    return darkening, np.broadcast_to(np.diag(covariance), (n_star, N, N)).copy()


def learned(darkening, covariance):
    """Return the prior of stars that leave no doubt that there is one."""
    prior = learn_darkening_prior(darkening, covariance)
    assert prior is not None
    return prior


def test_mean_and_spread_of_stars_are_found_under_noise_as_large():
    mean, scatter = np.linspace(-0.04, 0.04, N), np.linspace(0.02, 0.05, N)
    prior = learned(*stars(600, mean, scatter, np.full(N, 0.03)))
    np.testing.assert_allclose(prior.mean, mean, atol=0.01)
    np.testing.assert_allclose(prior.scatter, scatter, rtol=0.3)


def test_few_stars_leave_the_loose_prior_and_none_leave_no_prior():
    darkening, covariance = stars(1, 0.0, 0.02, np.full(N, 0.04))
    assert (learned(darkening, covariance).scatter > 0.8 * LOOSE).all()
    assert learn_darkening_prior(np.full((3, N, 2), np.nan), np.full((3, N, N), np.nan)) is None


def test_a_star_without_fit_is_left_out():
    darkening, covariance = stars(50, 0.0, 0.02, np.full(N, 0.04))
    expected = learned(darkening[1:], covariance[1:])
    darkening[0] = np.nan
    found = learned(darkening, covariance)
    np.testing.assert_allclose(found.scatter, expected.scatter)


def test_depths_given_the_offsets_are_surer():
    marginal = solved(linear_problem(), np.zeros(N), LOOSE)
    given = conditional(marginal)
    assert (np.diag(given.covariance) < np.diag(marginal.covariance)).all()
    assert np.linalg.eigvalsh(given.information)[0] >= -1e-6
