"""One visit under a prior: sizes by evidence, what is its own marginalised, doubts that widen."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.fitting.noise_modes import N_MODE, usual_covariance
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.fitting.visit_posterior import given_star, star_names, visit_posterior, visit_prior
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.products import TransitFit
from tests.fitting.linear_visits import linear_visit

NOISE = tuple(f"noise_airs_0/{k}" for k in range(N_MODE))
NAMES = ("impact_squared", "log_axis", "airs_u1", "dilution_airs_0", "mid_time", "drift_airs_0/1", *NOISE)
N, N_SHARED = 6, len(NAMES)
PLACE = {name: i for i, name in enumerate(NAMES)}
USUAL = np.sqrt(np.diag(usual_covariance(27_000.0, N_MODE)))
SCATTER = np.r_[0.2, 0.5, 0.1, 1e-3, 9000.0, 1e-3, USUAL]
CENTRE = np.r_[1.5, np.zeros(N_SHARED - 1)]


def drawn(seed=0, noise_size=1.0, drift_size=1.0, error=0.2, **more):
    """A visit whose noise and drift are some times the usual ones; it measures all with a fraction of the scatter."""
    rng = np.random.default_rng(seed)
    size = np.r_[np.ones(5), drift_size, np.full(N_MODE, noise_size)]
    shared = CENTRE + size * SCATTER * rng.standard_normal(N_SHARED)
    response = rng.standard_normal((N, N_SHARED)) * 1e-4 / SCATTER
    settings = {"error": error * SCATTER, "response": response, "prior_mean": CENTRE, "prior_scatter": SCATTER}
    return linear_visit(rng, NAMES, shared, np.full(N, 0.0147), **settings | more)


def usual_population(spread=1.0):
    noise = np.isin(NAMES, NOISE)
    return NuisancePrior(NOISE, np.zeros(N_MODE), np.diag(SCATTER[noise] ** 2), {"drift": spread, "noise": spread})


def as_fit(visit):
    one, n = np.ones((3, len(visit.depth))), len(visit.depth)
    return TransitFit(
        planet_id=1,
        visit=0,
        wavelength=np.linspace(2.0, 3.9, n),
        depth=visit.depth,
        covariance=np.diag(visit.variance),
        parameters={},
        time=np.arange(3.0),
        flux=one,
        model=one,
        noise_scale=np.ones(n),
        likelihood=visit,
    )


def test_star_and_orbit_are_what_visits_share():
    assert star_names(NAMES) == ("impact_squared", "log_axis", "airs_u1", "dilution_airs_0")


def test_the_size_of_the_noise_follows_the_visit():
    found = [
        np.mean([visit_prior(drawn(seed, size), usual_population()).scale["noise"] for seed in range(8)])
        for size in (0.3, 1.0, 3.0)
    ]
    np.testing.assert_allclose(found, [0.3, 1.0, 3.0], rtol=0.35)


def test_a_population_whose_visits_are_alike_holds_the_size():
    free, held = (visit_prior(drawn(0, 3.0, error=3.0), usual_population(s)).scale["noise"] for s in (1.0, 0.05))
    assert held == pytest.approx(1.0, abs=0.02) and free > 1.3


def test_the_size_of_the_noise_is_not_that_of_the_drift():
    scale = visit_prior(drawn(1, 1.0, drift_size=8.0), usual_population()).scale
    assert scale["drift"] > 1.5 and scale["noise"] == pytest.approx(1.0, rel=0.35)


def test_a_noisy_visit_has_wider_depths():
    visits = [drawn(2, size, error=1.0) for size in (1.0, 3.0)]
    calm, noisy = (visit_posterior(v, visit_prior(v, usual_population())).depth_covariance.trace() for v in visits)
    assert noisy > 1.5 * calm


def test_the_population_replaces_the_prior_of_what_it_knows_alone():
    visit, mean = drawn(0), np.full(N_MODE, 1e-6)
    prior = visit_prior(visit, replace(usual_population(1e-3), mean=mean))
    noise = np.isin(NAMES, NOISE)
    np.testing.assert_array_equal(prior.mean[noise], mean)
    np.testing.assert_array_equal(prior.mean[~noise], CENTRE[~noise])
    np.testing.assert_allclose(np.diag(prior.covariance)[:5], SCATTER[:5] ** 2)


def test_star_and_own_marginalised_in_turn_are_all_marginalised_at_once():
    for seed in range(3):
        visit, population = drawn(seed), usual_population()
        at_once = visit_posterior(visit, visit_prior(visit, population))
        in_turn = join_visits([as_fit(visit)], population)
        sigma = np.sqrt(np.diag(at_once.depth_covariance))
        np.testing.assert_allclose((in_turn.depth - at_once.depth) / sigma, 0.0, atol=1e-5)
        np.testing.assert_allclose(
            (in_turn.covariance - at_once.depth_covariance) / np.outer(sigma, sigma), 0.0, atol=1e-5
        )


def test_a_doubted_visit_says_less_of_depths_and_of_the_star():
    visit, star = drawn(0), np.isin(NAMES, star_names(NAMES))
    prior = visit_prior(visit, None)
    whole = given_star(visit, prior, star)
    cut = given_star(
        replace(visit, growth=4.0, extra_variance=np.arange(N) * 1e-8, common_extra_variance=3e-8), prior, star
    )
    np.testing.assert_allclose(cut.covariance, 4.0 * whole.covariance + np.diag(np.arange(N) * 1e-8) + 3e-8)
    np.testing.assert_allclose(cut.information, whole.information / 4.0)
    np.testing.assert_allclose(cut.score, whole.score / 4.0)
    np.testing.assert_allclose(cut.depth, whole.depth)


def mean_square(noise_size, spread):
    """Mean squared error of depths, in sigmas, over visits whose noise is some times the population's."""
    squares = []
    for seed in range(60):
        visit = drawn(seed, noise_size, error=1.0)
        posterior = visit_posterior(visit, visit_prior(visit, usual_population(spread)))
        error = posterior.depth - 0.0147
        squares.append(error @ np.linalg.solve(posterior.depth_covariance, error) / N)
    return np.mean(squares)


def test_depths_are_as_wrong_as_their_sigmas_say():
    assert mean_square(1.0, 1.0) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("noise_size", [6.0, 12.0, 25.0])
def test_noise_unlike_all_the_population_knew_is_counted(noise_size):
    assert mean_square(noise_size, 0.5) == pytest.approx(1.0, abs=0.35)
