"""Joining visits: inverse variance, and a wider covariance where they disagree."""

from dataclasses import replace

import numpy as np
import pytest

from spectramind_kit.errors import FitError
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.flags import Flag
from spectramind_kit.products import TransitFit

N = 40


def covariance(rng, sigma=100e-6, common=30e-6):
    own = sigma * rng.uniform(0.7, 1.4, N)
    return np.diag(own**2) + common**2


def visit(number, depth, cov, planet=1, **more):
    one = np.ones((3, N))
    return TransitFit(
        planet, number, np.linspace(2, 4, N), depth, cov, {}, np.arange(3.0), one, one, np.ones(N), **more
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
