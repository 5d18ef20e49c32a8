"""Joining visits: one star and one orbit, its prior counted once, and a wider covariance where visits disagree."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.laplace import uninformative
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visit_posterior import visit_prior
from spectramind_kit.fitting.visits import join_visits, with_population
from spectramind_kit.flags import Flag
from spectramind_kit.products import DepthEstimate, TransitFit
from tests.fitting.linear_visits import linear_visit
from tests.fitting.transit_light_curves import light_curves, standardised_level_error

N = 40


def covariance(rng, sigma=100e-6, common=30e-6):
    own = sigma * rng.uniform(0.7, 1.4, N)
    return np.diag(own**2) + common**2


def visit(number, depth, cov, planet=1, **more):
    model = np.ones((3, N))
    flux = model + 1e-6 * number  # no two visits have the same noise
    return TransitFit(
        planet, number, np.linspace(2, 4, N), depth, cov, {}, np.arange(3.0), flux, model, np.ones(N), **more
    )


def draw(rng, covs, shift=0.0, spread=1.0):
    true = np.full(N, 0.0147)
    noises = [spread * np.linalg.cholesky(c) @ rng.standard_normal(N) for c in covs]
    return true, [visit(i, true + n + i * shift, c) for i, (n, c) in enumerate(zip(noises, covs))]


def test_one_visit_passes_unchanged():
    rng = np.random.default_rng(0)
    _, (only,) = draw(rng, [covariance(rng)])
    joined = join_visits([visit(0, only.depth, only.covariance, flags={Flag.OUTLIERS: "2 %"})])
    assert joined.n_visit == 1 and joined.flags == {Flag.OUTLIERS: "2 %"}
    assert (joined.depth == only.depth).all() and (joined.covariance == only.covariance).all()


def test_agreeing_visits_give_the_inverse_variance_mean():
    rng = np.random.default_rng(1)
    a, b = covariance(rng), covariance(rng, 200e-6)
    true = np.full(N, 0.0147)
    difference = 0.3 * np.linalg.cholesky(a + b) @ rng.standard_normal(N)
    joined = join_visits([visit(0, true + difference, a), visit(1, true, b)])
    expected = np.linalg.inv(np.linalg.inv(a) + np.linalg.inv(b))
    assert joined.covariance == pytest.approx(expected, rel=1e-6)
    weighted = expected @ (np.linalg.solve(a, true + difference) + np.linalg.solve(b, true))
    assert joined.depth == pytest.approx(weighted, rel=1e-9)
    assert joined.n_visit == 2 and joined.flags == {}


def test_a_visit_that_is_there_twice_counts_once_and_is_flagged():
    rng = np.random.default_rng(3)
    first, second = draw(rng, [covariance(rng)] * 2)[1]
    again = replace(first, visit=2)
    for fits in ([first], [first, second]):
        calm, joined = join_visits(fits), join_visits([*fits, again])
        assert joined.n_visit == len(fits) and joined.flags == {Flag.VISIT_TWICE: "visit 2 is visit 0"}
        assert (joined.depth == calm.depth).all() and (joined.covariance == calm.covariance).all()
        assert join_visits(joined.fits).flags == joined.flags  # under a population's prior as well


def test_joined_errors_match_their_sigmas():
    squares, levels = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        true, fits = draw(rng, [covariance(rng), covariance(rng)])
        joined = join_visits(fits)
        squares.append(np.mean((joined.depth - true) ** 2 / np.diag(joined.covariance)))
        weight = np.full(N, 1 / N)
        levels.append(weight @ (joined.depth - true) / np.sqrt(weight @ joined.covariance @ weight))
    assert 0.85 < np.mean(squares) < 1.05
    assert 0.6 < np.mean(np.square(levels)) < 1.2


def test_visits_that_disagree_in_level_inflate_it_and_are_flagged():
    rng = np.random.default_rng(2)
    _, fits = draw(rng, [covariance(rng)] * 2, shift=400e-6)
    joined = join_visits(fits)
    weight = np.full(N, 1 / N)
    assert np.sqrt(weight @ joined.covariance @ weight) > 3 * np.sqrt(weight @ fits[0].covariance @ weight) / np.sqrt(2)
    assert Flag.VISITS_DIFFER_IN_LEVEL in joined.flags


def test_visits_that_disagree_in_shape_inflate_it_and_are_flagged():
    rng = np.random.default_rng(3)
    _, fits = draw(rng, [covariance(rng)] * 2, spread=2.5)
    joined = join_visits(fits)
    calm = join_visits(draw(np.random.default_rng(3), [f.covariance for f in fits], spread=0.8)[1])
    assert np.median(np.diag(joined.covariance) / np.diag(calm.covariance)) > 3
    assert Flag.VISITS_DIFFER_IN_SHAPE in joined.flags


def test_a_lost_visit_carries_no_weight():
    rng = np.random.default_rng(4)
    _true, (good, _) = draw(rng, [covariance(rng)] * 2)
    lost = visit(
        1, np.zeros(N), covariance(rng) + 0.02**2 * (1 + np.eye(N)), flags={Flag.NO_TRANSIT: "", Flag.OUTLIERS: "3 %"}
    )
    joined = join_visits([replace(good, flags={Flag.OUTLIERS: "2 %"}), lost])
    assert joined.depth == pytest.approx(good.depth, abs=2e-6)
    assert joined.flags == {Flag.OUTLIERS: "visit 0: 2 %; visit 1: 3 %", Flag.NO_TRANSIT: "visit 1"}


def test_fits_that_do_not_belong_together_are_refused():
    rng = np.random.default_rng(5)
    _, fits = draw(rng, [covariance(rng)])
    with pytest.raises(FitError, match="one planet"):
        join_visits([fits[0], visit(1, fits[0].depth, fits[0].covariance, planet=2)])
    with pytest.raises(FitError, match="one planet"):
        join_visits([])


STAR = ("impact_squared", "log_axis", "airs_u1")
NAMES = (*STAR, "mid_time", "drift_airs_0/1")
CENTRE, SCATTER = np.array([1.5, 2.3, 0.0, 13_500.0, 0.0]), np.array([0.2, 0.5, 0.1, 9000.0, 1e-3])
SPECTRUM = 0.0147 + 1e-4 * np.sin(np.arange(N))


def linear_visits(seed=0, errors=(0.2, 0.2), depth_errors=(1e-4, 1e-4), noise=0.3):
    """Two visits of one star with a drift and a mid-time each; errors are relative to the prior's scatter."""
    rng = np.random.default_rng(seed)
    star, found = CENTRE + SCATTER * rng.standard_normal(5), []
    for number, (error, depth_error) in enumerate(zip(errors, depth_errors)):
        own = CENTRE + SCATTER * rng.standard_normal(5)
        likelihood = linear_visit(
            rng,
            NAMES,
            np.where(np.arange(5) < 3, star, own),
            SPECTRUM,
            error=error * SCATTER,
            response=(2.0 + rng.standard_normal((N, 5))) * 1e-4 / SCATTER,
            depth_error=depth_error,
            prior_mean=CENTRE,
            prior_scatter=SCATTER,
            reference=CENTRE + 0.1 * SCATTER,
            noise=noise,
        )
        found.append(visit(number, likelihood.depth, np.diag(likelihood.variance), likelihood=likelihood))
    return found


def dense(fits):
    """Return depths and covariance of visits together: all unknowns, of star and visits, in one system."""
    likelihoods = [fit.likelihood for fit in fits]
    n_own = len(NAMES) - len(STAR)
    size = N + len(STAR) + n_own * len(fits)
    precision, score = np.zeros((size, size)), np.zeros(size)
    for i, one in enumerate(likelihoods):
        prior = visit_prior(one, None)
        own = N + len(STAR) + n_own * i + np.arange(n_own)
        shared = np.r_[N + np.arange(len(STAR)), own]
        design = np.zeros((N, size))  # depth + response (shared - reference) = spectrum
        design[:, :N], design[:, shared] = np.eye(N), -one.response
        precision += design.T @ design / one.variance[0]
        score += design.T @ (one.depth - one.response @ one.reference) / one.variance[0]
        precision[np.ix_(shared, shared)] += one.information
        score[shared] += one.score + one.information @ one.reference
        of_own, mine = np.linalg.inv(prior.covariance[3:, 3:]), prior.mean[3:]
        precision[np.ix_(own, own)] += of_own
        score[own] += of_own @ mine
        if i == 0:  # the star's prior counts once
            star, of_star = N + np.arange(len(STAR)), np.linalg.inv(prior.covariance[:3, :3])
            precision[np.ix_(star, star)] += of_star
            score[star] += of_star @ prior.mean[:3]
    size = 1.0 / np.sqrt(np.diag(precision))
    covariance = np.linalg.inv(precision * np.outer(size, size)) * np.outer(size, size)
    return (covariance @ score)[:N], covariance[:N, :N]


@pytest.mark.parametrize("seed", range(3))
def test_visits_share_star_and_orbit_and_their_prior_counts_once(seed):
    fits = linear_visits(seed)
    joined, (depth, covariance) = join_visits(fits), dense(fits)
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((joined.depth - depth) / sigma, 0.0, atol=1e-4)
    np.testing.assert_allclose((joined.covariance - covariance) / np.outer(sigma, sigma), 0.0, atol=1e-4)
    assert joined.flags == {} and joined.fits == tuple(fits)


def test_what_a_population_of_stars_does_not_have_is_the_limit_of_what_it_hardly_has():
    fits = linear_visits(2)

    def joined(scatter):
        covariance, spread = np.diag([scatter**2, SCATTER[4] ** 2]), {"drift": 0.3, "noise": 0.3}
        return with_population(join_visits(fits), NuisancePrior(("airs_u1", NAMES[4]), np.zeros(2), covariance, spread))

    absent, small, usual = joined(0.0), joined(1e-4 * SCATTER[2]), joined(SCATTER[2])
    sigma = np.sqrt(np.diag(absent.covariance))
    np.testing.assert_allclose((absent.depth - small.depth) / sigma, 0.0, atol=1e-4)
    np.testing.assert_allclose((absent.covariance - small.covariance) / np.outer(sigma, sigma), 0.0, atol=1e-4)
    assert np.trace(usual.covariance) > 1.01 * np.trace(absent.covariance)


def test_the_orbit_of_one_visit_makes_the_depths_of_the_other_surer():
    """One visit measures the orbit, the other the depths: together better than apart."""
    fits = linear_visits(errors=(0.01, np.r_[1.0, 1.0, 1.0, 0.01, 0.01]), depth_errors=(3e-3, 1e-5))
    # Each as if there were a second one like it, and still worse.
    alone = [join_visits([fit, replace(fit, visit=2, flux=fit.flux + 1e-6)]) for fit in fits]
    together = join_visits(fits)
    for each in alone:
        assert np.sqrt(together.covariance.trace() / each.covariance.trace()) < 0.5
    assert np.abs(together.depth - SPECTRUM).max() < 3.0 * np.sqrt(np.diag(together.covariance)).max()


def test_two_fitted_visits_are_better_than_one(config):
    true, fits = np.zeros(283), []
    for number in range(2):
        curves, planet, true = light_curves(seed=71 + number, darkening_scatter=0.0, impact_parameter=0.5)
        fits.append(replace(fit_transit(curves, planet, config.fit), visit=number))
    joined = join_visits(fits)
    assert all(joined.covariance.trace() < 0.65 * fit.covariance.trace() for fit in fits)
    assert abs(standardised_level_error(joined.depth, joined.covariance, true)) < 3.0
    assert np.mean((joined.depth - true) ** 2 / np.diag(joined.covariance)) == pytest.approx(1.0, abs=0.3)


def test_visits_with_likelihoods_that_disagree_are_widened_and_flagged():
    fits = linear_visits(errors=(0.01, 0.01))
    calm = join_visits(fits)
    moved = replace(fits[1].likelihood, depth=fits[1].likelihood.depth + 3e-3)
    torn = join_visits([fits[0], replace(fits[1], likelihood=moved)])
    weight = np.full(N, 1.0 / N)
    assert weight @ torn.covariance @ weight > 4.0 * (weight @ calm.covariance @ weight)
    assert Flag.VISITS_DIFFER_IN_LEVEL in torn.flags and Flag.VISITS_DIFFER_IN_LEVEL not in calm.flags


def test_a_visit_without_transit_says_nothing_of_the_star_either():
    """Its orbit is that of something else, and may be as sure as it is wrong."""
    good, other = linear_visits(errors=(0.2, 0.01))
    wrong = replace(other.likelihood, score=other.likelihood.score + 50.0 * 0.01**-1 / SCATTER)
    joined = join_visits([good, replace(other, likelihood=uninformative(wrong))])
    depth, covariance = dense([good])
    sigma = np.sqrt(np.diag(covariance))
    assert np.abs((joined.depth - depth) / sigma).max() < 0.1
    np.testing.assert_allclose(np.sqrt(np.diag(joined.covariance)), sigma, rtol=0.01)


def test_fits_of_which_one_has_no_likelihood_are_joined_by_inverse_variance():
    first, second = linear_visits()
    mixed = join_visits([first, replace(second, likelihood=None)])
    plain = join_visits([replace(first, likelihood=None), replace(second, likelihood=None)])
    np.testing.assert_array_equal(mixed.depth, plain.depth)
    np.testing.assert_array_equal(mixed.covariance, plain.covariance)


def test_without_population_or_fits_an_estimate_stays_as_it_is():
    estimate = join_visits(linear_visits())
    assert with_population(estimate, None) is estimate
    bare = DepthEstimate(1, estimate.depth, estimate.covariance, 2)
    assert with_population(bare, None) is bare
