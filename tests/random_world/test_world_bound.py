"""The information bound of random worlds, where it has a formula."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
N_IN, N_OUT, SIGMA, DEPTH = 40, 85, 3e-4, 0.015


@pytest.fixture(scope="module")
def bound():
    """The benchmark's module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("world_bound")
    sys.modules.pop("world_bound", None)


@pytest.fixture
def box(bound):
    """A visit with a box for a transit, a known orbit, a constant baseline and white noise of two sizes."""

    def make(colour=None, curve=None, shared=None):
        n = N_IN + N_OUT
        hidden = np.repeat([0.0, 1.0, 0.0], [N_OUT // 2, N_IN, N_OUT - N_OUT // 2])
        colour = np.zeros((0, 3)) if colour is None else colour
        return bound.Sensitivity(
            weight=np.array([1.0, 1.0, 0.25]) / SIGMA**2,
            transit=np.tile(1.0 - DEPTH * hidden, (3, 1)),
            by_depth=np.tile(-hidden, (3, 1)),
            shared=np.zeros((0, 3, n)) if shared is None else shared,
            gains=bound.Gains(colour, np.zeros((0, n)) if curve is None else curve),
            fgs1=np.array([True, False, False]),
        )

    return make


def box_variance(sigma):
    """Variance of 1 - mean inside / mean outside."""
    return sigma**2 * (1.0 / N_IN + (1.0 - DEPTH) ** 2 / N_OUT)


def test_white_noise_and_a_known_orbit_have_a_formula(bound, box):
    covariance = bound.depth_covariance(box())
    np.testing.assert_allclose(np.diag(covariance), [box_variance(s) for s in (SIGMA, SIGMA, 2 * SIGMA)], rtol=1e-10)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-20)


def test_common_white_noise_adds_the_same_to_every_pair_of_depths(bound, box):
    common = 2e-4
    curve = np.eye(N_IN + N_OUT)
    covariance = bound.depth_covariance(box(np.tile(common * np.ones(3), (len(curve), 1)), curve))
    # The noise multiplies the flux: inside the transit it is smaller by the transit itself.
    expected = common**2 * (1.0 - DEPTH) ** 2 * (1.0 / N_IN + 1.0 / N_OUT)
    np.testing.assert_allclose(covariance[0, 1], expected, rtol=1e-9)
    np.testing.assert_allclose(np.diag(covariance)[2], box_variance(2 * SIGMA) + expected, rtol=1e-9)


def test_a_free_slope_in_time_costs_what_least_squares_says(bound, box):
    n = N_IN + N_OUT
    slope = np.linspace(-1.0, 1.0, n) ** 2  # even, as the transit is
    visit = box(np.array([[0.0, 1.0, 0.0]]), slope[None])  # prior spread 1 is as good as free
    design = np.stack([visit.transit[1], visit.by_depth[1], slope * visit.transit[1]])
    expected = np.linalg.inv(design @ design.T / SIGMA**2 + np.diag([0.0, 0.0, 1.0]))[1, 1]
    covariance = bound.depth_covariance(visit)
    np.testing.assert_allclose(covariance[1, 1], expected, rtol=1e-9)
    np.testing.assert_allclose(covariance[0, 0], box_variance(SIGMA), rtol=1e-9)


def test_a_shared_parameter_costs_what_least_squares_says(bound, box):
    visit = box()
    moved = np.gradient(visit.transit[0]) * np.array([1.0, 0.5, 2.0])[:, None] + 1e-3 * np.arange(N_IN + N_OUT)
    visit = box(shared=moved[None])
    rows, weight = [], []
    for place in range(3):
        block = np.zeros((7, N_IN + N_OUT))
        block[place], block[3 + place], block[6] = visit.transit[place], visit.by_depth[place], moved[place]
        rows.append(block)
        weight.append(np.full(N_IN + N_OUT, visit.weight[place]))
    design, weight = np.hstack(rows), np.concatenate(weight)
    fisher = (design * weight) @ design.T
    fisher[6, 6] += 1.0
    expected = np.linalg.inv(fisher)[3:6, 3:6]
    np.testing.assert_allclose(bound.depth_covariance(visit), expected, rtol=1e-7, atol=1e-20)


def test_spectra_without_noise_come_back_and_noise_is_shrunk(bound):
    rng = np.random.default_rng(0)
    level = 0.015 * np.exp(0.3 * rng.standard_normal((400, 1)))
    modes = np.cos(np.pi * np.outer(np.arange(1, 4), np.linspace(0.0, 1.0, 20)))
    labels = level * (1.0 + 0.004 * rng.standard_normal((400, 3)) @ modes)
    prior, truth = bound.learn_spectra(labels[1:]), labels[0]
    mean, sigma = prior.posterior(truth, 1e-16 * np.eye(20))
    np.testing.assert_allclose(mean, truth, atol=1e-7)
    noise = 1e-4 * rng.standard_normal((60, 20))
    ends = [prior.posterior(truth + own, 1e-8 * np.eye(20)) for own in noise]
    error, sigma = np.array([m - truth for m, _ in ends]), np.array([s for _, s in ends])
    assert error.std() < 0.6e-4 and 0.7 < np.mean((error / sigma) ** 2) < 1.3


def test_a_worlds_bound_is_a_covariance_and_two_visits_know_more(bound, monkeypatch):
    from spectramind_kit.random_world.visit import draw_visit
    from spectramind_kit.random_world.world import draw_planets, draw_world, visit_stream

    monkeypatch.setattr(bound, "_N_LABEL", 60)
    monkeypatch.setattr(bound, "_N_DRAW", 300)
    world = draw_world(0)
    (planet,) = draw_planets(world, 1, 0)["train"]
    visits = [draw_visit(world, planet, visit_stream(world, "train", 0, visit)) for visit in range(2)]
    known = bound.WorldBound(world)
    one, two = known.covariance(planet, visits[:1]), known.covariance(planet, visits)
    assert np.linalg.eigvalsh(one).min() > 0.0
    assert (np.diag(two) < np.diag(one)).all()
    white = 1.0 / known.sensitivity(planet, visits[0]).weight
    assert (np.diag(one) > white / bound.N_BIN).all(), "no better than all bins at work on the depth alone"
