"""The population of stars and instruments: drawn, and found again from what visits say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from spectramind_kit.fitting.noise_modes import N_MODE, USUAL, kernel_covariances
from spectramind_kit.fitting.nuisance_learning import VisitStatistics, learn_nuisance_prior, visit_statistics
from spectramind_kit.fitting.nuisance_prior import NuisancePrior, blockwise_root, group_of
from spectramind_kit.fitting.visit_posterior import visit_posterior, visit_prior
from tests.fitting.linear_visits import linear_visit

LENGTH = 27_000.0
WHITE, MATERN, WALK = 0, 2, -1
"""Places of some kernels: the middle one of three memories."""
DARKENING = ("fgs1_u1", "airs_u1", "airs_u2")
DRIFT = tuple(f"drift_{way}/{n}" for n in (1, 2, 3) for way in ("airs_0", "fgs1"))
POINTING = ("pointing_airs_0/fgs1_row_centroid", "pointing_fgs1/fgs1_row_centroid")
WIDTH = ("width_airs_0/airs_row_width", "width_fgs1/fgs1_row_width")
DILUTION = ("dilution_airs_0", "dilution_airs_1", "dilution_fgs1")
RAMPS = tuple(f"ramp_{way}/{n}" for n in (0, 1) for way in ("airs_0", "fgs1"))
WAYS = ("airs_0", "fgs1")
NOISE = tuple(f"noise_{way}/{k}" for way in WAYS for k in range(N_MODE))
USUAL_NOISE = np.tile(
    np.sqrt(np.diag(np.tensordot(np.square(USUAL), kernel_covariances(LENGTH, N_MODE), axes=1))), len(WAYS)
)


def statistics(rng, names, truth, error, usual):
    """What a visit says that measures every parameter with some error, correlated in pairs."""
    root = np.linalg.cholesky(0.7 * np.eye(len(names)) + 0.3) / error[:, None]
    information = root @ root.T
    score = information @ truth + root @ rng.standard_normal(len(names))
    return VisitStatistics(names, information, score, usual, LENGTH)


def drawn(names, mean, covariance, error, usual, n_visit=150, seed=0, sizes=None):
    """Visits whose parameters are drawn from a population, each ``sizes`` times as far from zero."""
    rng, n = np.random.default_rng(seed), len(names)
    root = blockwise_root(covariance, [np.arange(n)])
    sizes = np.ones(n_visit) if sizes is None else sizes
    return [statistics(rng, names, mean + size * root @ rng.standard_normal(n), error, usual) for size in sizes]


def test_mean_and_covariance_of_stars_are_found():
    mean, scatter = np.array([0.03, -0.02, 0.05]), np.array([0.02, 0.03, 0.05])
    correlation = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, -0.5], [0.0, -0.5, 1.0]])
    truth = correlation * np.outer(scatter, scatter)
    prior = learn_nuisance_prior(drawn(DARKENING, mean, truth, 0.5 * scatter, np.full(3, 0.06), n_visit=300))
    # 300 stars: a mean is known to 0.07 scatters, a variance to 12 %; the usual one draws on it with four visits.
    np.testing.assert_allclose((prior.mean - mean) / scatter, 0.0, atol=0.25)
    found = prior.covariance / np.outer(scatter, scatter)
    np.testing.assert_allclose(np.diag(found), 1.0, atol=0.45)
    size = np.sqrt(np.diag(found))
    np.testing.assert_allclose(found / np.outer(size, size), correlation, atol=0.25)


def test_what_is_not_there_shrinks_to_almost_nothing():
    names = (*DARKENING, *DRIFT, *POINTING, *WIDTH, *NOISE)
    usual = np.r_[np.full(3, 0.1), np.full(6, 2e-3), np.full(4, 1e-3), USUAL_NOISE]
    nothing = np.zeros((len(names),) * 2)
    prior = learn_nuisance_prior(drawn(names, np.zeros(len(names)), nothing, 0.3 * usual, usual, n_visit=60))
    size = np.sqrt(np.diag(prior.covariance)) / usual
    groups = np.array([group_of(name) for name in names])
    for group, most in {"drift": 0.25, "pointing": 0.25, "width": 0.25, "noise": 0.25, "darkening": 0.5}.items():
        assert np.sqrt((size[groups == group] ** 2).mean()) < most, group


def test_the_size_of_every_kind_is_its_own():
    names, usual = (*POINTING, *DARKENING[:2]), np.full(4, 1e-3)
    truth = np.diag(np.square([3.0, 1.0, 0.1, 0.1])) * 1e-6
    prior = learn_nuisance_prior(drawn(names, np.zeros(4), truth, 0.3 * usual, usual))
    np.testing.assert_allclose(np.sqrt(np.diag(prior.covariance))[:2], [3e-3, 1e-3], rtol=0.25)
    assert (np.sqrt(np.diag(prior.covariance))[2:] < 3e-4).all()


BENDS = tuple(f"bend_{way}/{n}" for n in (6, 7) for way in ("airs_0", "fgs1"))
PARTS = {"dilution": DILUTION, "width": WIDTH, "ramp": RAMPS, "bend": BENDS, "clock": ("clock_fgs1",)}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_no_visit_shows_is_left_out(part):
    """Of what is always there, such as limb darkening, a little scatter stays."""
    names = (*DARKENING, *PARTS[part])
    mine, usual, found = np.isin(names, PARTS[part]), np.full(len(names), 1e-2), []
    for seed in range(6):
        visits = drawn(names, 0.0 * usual, np.zeros((len(names),) * 2), usual, usual, n_visit=60, seed=seed)
        found.append(np.sqrt(np.diag(learn_nuisance_prior(visits).covariance)) / usual)
    left = np.mean(found, axis=0)
    assert (left[mine] < 0.6 * left[~mine].min()).all(), left


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_visits_show_stays_whole(part):
    names = PARTS[part]
    usual, mean = np.full(len(names), 1e-2), np.full(len(names), 5e-3)
    prior = learn_nuisance_prior(drawn(names, mean, np.diag(usual**2), 0.3 * usual, usual, n_visit=60))
    np.testing.assert_allclose(prior.mean, mean, atol=4e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(prior.covariance)), usual, rtol=0.4)


def test_evidence_decides_in_doubt(monkeypatch):
    """One coefficient, against the visits' measurements as normal densities, with the coefficient and without."""
    names, usual, error, n_visit = ("clock_fgs1",), np.array([30.0]), np.array([10.0]), 25
    decisions = []
    for seed in range(12):
        visits = drawn(names, np.zeros(1), np.array([[6.0**2]]), error, usual, n_visit, seed)
        found = learn_nuisance_prior(visits)
        with monkeypatch.context() as patch:
            patch.setattr("spectramind_kit.fitting.nuisance_learning.OPTIONAL", ())
            always = learn_nuisance_prior(visits)
        measured = np.array([visit.score[0] * error[0] ** 2 for visit in visits])
        there = norm.logpdf(measured, always.mean[0], np.hypot(error[0], np.sqrt(always.covariance[0, 0]))).sum()
        without = norm.logpdf(measured, 0.0, error[0]).sum()
        gain = there - without - 0.5 * np.log(n_visit)
        if abs(gain) > 0.1:  # the decision falls before the last steps
            wanted = always if gain > 0.0 else NuisancePrior(names, np.zeros(1), np.zeros((1, 1)), {})
            np.testing.assert_array_equal(found.mean, wanted.mean)
            np.testing.assert_array_equal(found.covariance, wanted.covariance)
            decisions.append(gain > 0.0)
    assert 0.2 < np.mean(decisions) < 0.8 and len(decisions) > 6


def noise_covariance(ways, kernel):
    return np.kron(ways, kernel_covariances(LENGTH, N_MODE)[kernel])


@pytest.mark.parametrize("correlation", [0.9, 0.0])
def test_noise_that_both_channels_share_is_found(correlation):
    size = np.array([1e-4, 6e-5])
    truth = noise_covariance(np.outer(size, size) * [[1.0, correlation], [correlation, 1.0]], MATERN)
    prior = learn_nuisance_prior(drawn(NOISE, np.zeros(len(NOISE)), truth, 0.5 * USUAL_NOISE, USUAL_NOISE, n_visit=60))
    # The slowest cosines are left out: kernels that are not there fade from them last.
    slow = np.arange(2, 10)
    airs, fgs1 = prior.covariance[slow, slow], prior.covariance[N_MODE + slow, N_MODE + slow]
    np.testing.assert_allclose(airs / truth[slow, slow], 1.0, atol=0.4)
    np.testing.assert_allclose(fgs1 / truth[N_MODE + slow, N_MODE + slow], 1.0, atol=0.4)
    common = prior.covariance[slow, N_MODE + slow] / np.sqrt(airs * fgs1)
    np.testing.assert_allclose(common, correlation, atol=0.2)


def slow_part(covariance):
    """How much of the noise of AIRS-CH0 is in its four slowest cosines."""
    power = np.diag(covariance)[:N_MODE]
    return power[:4].sum() / power.sum()


@pytest.mark.parametrize("kernel", [WHITE, MATERN, WALK])
def test_the_memory_of_the_noise_is_found(kernel):
    truth = noise_covariance(np.eye(2) * 1e-4**2, kernel)
    visits = drawn(NOISE, np.zeros(len(NOISE)), truth, 0.3 * USUAL_NOISE, USUAL_NOISE, n_visit=40)
    prior = learn_nuisance_prior(visits)
    assert slow_part(prior.covariance) == pytest.approx(slow_part(truth), abs=0.15)
    power = [np.diag(covariance)[:N_MODE].sum() for covariance in (prior.covariance, truth)]
    assert power[0] == pytest.approx(power[1], rel=0.5)


def test_visits_of_many_sizes_have_a_wide_spread():
    names, usual = DRIFT, np.full(6, 2e-3)
    sizes = np.exp(np.random.default_rng(5).normal(0.0, 0.8, 100))
    population = np.zeros(6), np.diag(usual**2), 0.1 * usual, usual
    alike, unlike = (learn_nuisance_prior(drawn(names, *population, n_visit=100, sizes=s)) for s in (None, sizes))
    assert alike.spread["drift"] < 0.45 < 0.55 < unlike.spread["drift"]


def test_what_a_visit_lacks_it_says_nothing_of():
    names, usual, error = (*DARKENING, *POINTING), np.full(5, 0.1), np.full(5, 0.05)
    mean, covariance = np.array([0.03, -0.02, 0.05, 0.0, 0.0]), np.diag(np.full(5, 0.03**2))
    visits = drawn(names, mean, covariance, error, usual, n_visit=100)
    whole = learn_nuisance_prior(visits)
    without = [
        VisitStatistics(DARKENING, np.diag(error[:3] ** -2.0), np.zeros(3), usual[:3], LENGTH) for _ in range(100)
    ]
    mixed = learn_nuisance_prior([*visits, *without])
    assert mixed.names == whole.names
    np.testing.assert_allclose(mixed.mean[:3], 0.5 * whole.mean[:3], atol=0.006)  # half of the stars are at zero
    assert np.diag(mixed.covariance)[3:] == pytest.approx(np.diag(whole.covariance)[3:], rel=0.5)


def test_few_visits_leave_the_usual_prior_and_none_leave_no_prior():
    usual = np.full(3, 0.1)
    prior = learn_nuisance_prior(drawn(DARKENING, np.zeros(3), np.zeros((3, 3)), usual, usual, n_visit=1))
    assert (np.sqrt(np.diag(prior.covariance)) > 0.8 * usual).all()
    assert learn_nuisance_prior([]) is None


NAMES = ("impact_squared", "airs_u1", "dilution_airs_0")
SCATTER = np.array([0.05, 0.1, 1e-3])
N = 8


def labelled(seed=0, n_planet=120):
    """Planets of which more limb darkening means deeper looking transits: likelihoods and true spectra."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(n_planet):
        spectrum, star = np.full(N, 10.0 ** rng.uniform(-2.3, -1.7)), rng.standard_normal()
        shared = np.array(
            [0.5 + 0.05 * rng.standard_normal(), 0.03 * star, 0.01 * star + 0.001 * rng.standard_normal()]
        )
        response = np.column_stack([np.full(N, 1e-4), np.full(N, 1e-3), -spectrum])
        visit = linear_visit(
            rng,
            NAMES,
            shared,
            spectrum,
            error=np.array([0.02, 0.01, 1.0]),
            response=response,
            depth_error=2e-5,
            prior_mean=np.array([0.5, 0.0, 0.0]),
            prior_scatter=SCATTER,
        )
        found.append((visit, spectrum))
    return found


def relative_error(population, planets):
    """Root mean square error of the mean depth under a population's prior, over the depth."""
    errors = []
    for visit, spectrum in planets:
        depth = visit_posterior(visit, visit_prior(visit, population)).depth
        errors.append((depth - spectrum).mean() / spectrum[0])
    return float(np.sqrt(np.mean(np.square(errors))))


def test_labels_teach_what_no_light_curve_shows_and_permuted_ones_do_not():
    planets, new = labelled(0), labelled(1, 60)
    labels = [spectrum for _, spectrum in planets]
    of_others = [labels[place] for place in np.random.default_rng(2).permutation(len(labels))]
    taught, mistaught, untaught = (
        learn_nuisance_prior([visit_statistics(visit, spectrum) for (visit, _), spectrum in zip(planets, given)])
        for given in (labels, of_others, [None] * len(labels))
    )
    loose = relative_error(None, new)
    assert loose > 5e-3 and relative_error(taught, new) < 0.5 * loose
    assert relative_error(untaught, new) > 0.8 * loose
    assert relative_error(mistaught, new) > 0.8 * loose


def test_the_orbit_is_marginalised_and_the_label_is_a_measurement():
    """Against the dense system of orbit and star, given the spectrum."""
    (visit, spectrum), *_ = labelled(3, 1)
    information = visit.information + visit.response.T @ visit.response / visit.variance[0]
    information[0, 0] += SCATTER[0] ** -2.0
    score = visit.score + visit.response.T @ (spectrum - visit.depth) / visit.variance[0]
    score[0] += 0.5 * SCATTER[0] ** -2.0
    covariance = np.linalg.inv(information)
    found = visit_statistics(visit, spectrum)
    assert found.names == NAMES[1:]
    np.testing.assert_allclose(np.linalg.inv(found.information), covariance[1:, 1:], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.solve(found.information, found.score), (covariance @ score)[1:], rtol=1e-6)


def test_where_the_likelihood_was_taken_does_not_matter():
    (visit, spectrum), *_ = labelled(4, 1)
    step = np.array([0.1, 0.02, 0.003])
    moved = replace(
        visit,
        reference=visit.reference + step,
        score=visit.score - visit.information @ step,
        depth=visit.depth + visit.response @ step,
    )
    here, there = (visit_statistics(one, spectrum) for one in (visit, moved))
    np.testing.assert_allclose(there.score, here.score, rtol=1e-9)
    np.testing.assert_allclose(there.information, here.information)


def test_what_visits_by_themselves_are_almost_without_is_found():
    """Bends of 2e-4 beside a random walk as large, where the prior of a visit allows 5e-6."""
    scatter, names = np.full(len(BENDS), 2e-4), (*BENDS, *NOISE)
    usual = np.r_[np.full(len(BENDS), 5e-6), USUAL_NOISE]
    covariance = np.zeros((len(names),) * 2)
    covariance[: len(BENDS), : len(BENDS)] = np.diag(scatter**2)
    covariance[len(BENDS) :, len(BENDS) :] = noise_covariance(5e-5**2 * np.eye(len(WAYS)), WALK - 1)
    error = np.r_[np.full(len(BENDS), 1e-4), np.full(len(NOISE), 1e-5)]
    found = learn_nuisance_prior(drawn(names, np.zeros(len(names)), covariance, error, usual, n_visit=60))
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance))[: len(BENDS)], scatter, rtol=0.4)


@pytest.mark.parametrize("rounding", [1e-12, 1e-9])
def test_rounding_where_visits_say_nothing_does_no_harm(rounding):
    """Two coefficients that always go together: one direction of them has information of either sign."""
    rng, names, scatter = np.random.default_rng(2), POINTING, np.array([1e-3, 1e-3])
    visits = []
    for size in rng.standard_normal(80):
        shared, error = size * scatter, np.array([1e-9, 1e-9])
        visit = linear_visit(rng, names, shared, np.zeros(2), error=error, response=np.zeros((2, 2)))
        together = np.full((2, 2), 0.5 * error[0] ** -2.0)
        worse = together - rounding * error[0] ** -2.0 * np.array([[1.0, -1.0], [-1.0, 1.0]])
        visits.append(replace(visit, information=worse, score=together @ shared, prior_scatter=2.0 * scatter))
    each = [visit_statistics(visit) for visit in visits]
    assert min(np.linalg.eigvalsh(one.information * np.outer(one.usual, one.usual))[0] for one in each) > -1e-3
    prior = learn_nuisance_prior(each)
    along = np.sqrt(np.ones(2) @ prior.covariance @ np.ones(2))
    assert along == pytest.approx(2e-3, rel=0.3)


@pytest.mark.parametrize("share, size", [(0.1, 30.0), (0.5, 10.0)])
def test_visits_without_noise_do_not_let_grow_what_they_hardly_show(share, size):
    """Sizes of visits are over all others'; what all have in common is the population's."""
    rng, drift, n_visit = np.random.default_rng(1), np.full(len(DRIFT), 1e-3), 60
    root = np.linalg.cholesky(noise_covariance(3e-5**2 * np.eye(len(WAYS)), MATERN + 1) + 1e-20 * np.eye(len(NOISE)))
    usual = np.r_[2.0 * drift, USUAL_NOISE]
    error = np.r_[drift * np.repeat([0.04, 0.6, 10.0], len(WAYS)), np.full(len(NOISE), 3e-6)]
    visits = []
    for noise in np.where(np.arange(n_visit) < share * n_visit, size, 0.0):
        truth = np.r_[drift * rng.standard_normal(len(drift)), noise * root @ rng.standard_normal(len(NOISE))]
        visits.append(statistics(rng, (*DRIFT, *NOISE), truth, error, usual))
    found = np.sqrt(np.diag(learn_nuisance_prior(visits).covariance))[: len(DRIFT)]
    np.testing.assert_allclose(found[:4] / drift[:4], 1.0, atol=0.35)
    assert (found[4:] < 1.55 * drift[4:]).all()
