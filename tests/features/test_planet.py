"""A planet's features: where the answer lies against the fit, and time that may run backwards."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.features.planet import CONTEXT, EXPECTED, NODE, Features, planet_features
from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.products import Orbit, Planet, Star

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 20)])
N = len(WAVELENGTH)
FOLLOW = np.where(WAVELENGTH[:, None] < 1.0, [0.5, 0.4], [0.1, 0.8])
PLANET = Planet(5, Star(1.2, 1.1, 5800.0), Orbit(4.0, 9.0, 88.0), mass=0.9)


def visit(seed, n_time=50):
    rng = np.random.default_rng(seed)
    shapes = ((n_time, len(SEQUENCE)), (N, len(VISIT_NODE)), (len(VISIT_CONTEXT),), (2, 2))
    *parts, stray = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return VisitFeatures(*parts, stray_noise=stray**2 * [1e-4, 1e-8])


def features(visits=(0,), depth=0.0104, mean=0.01, planet=PLANET):
    fitted = np.full(N, depth), np.full(N, 2e-4)
    answer = np.full(N, mean), np.full(N, 1e-4)
    population = np.full(N, 0.014), np.full(N, 0.008)
    return planet_features(planet, [visit(seed) for seed in visits], fitted, answer, FOLLOW, population, WAVELENGTH)


def test_the_fit_is_told_in_its_own_sigmas_from_the_answer():
    seen = features()
    np.testing.assert_allclose(seen.node[:, NODE.index("fit_pull")], 2.0, rtol=1e-5)
    np.testing.assert_allclose(seen.node[:, NODE.index("fit_shape")], 2.0, rtol=1e-5)
    np.testing.assert_allclose(seen.node[:, NODE.index("ln_sigma")], np.log(1e-2), rtol=1e-5)
    assert seen.context[CONTEXT.index("level_pull")] == pytest.approx(-0.5)
    np.testing.assert_array_equal(seen.node[:, NODE.index("fgs1")], WAVELENGTH < 1.0)


def test_visits_are_averaged_and_their_series_kept():
    one, two = features((0,)), features((0, 1))
    expected = 0.5 * (visit(0).node + visit(1).node)
    np.testing.assert_allclose(two.node[:, -len(VISIT_NODE) :], expected, rtol=1e-6)
    assert (len(one.visits), len(two.visits)) == (1, 2)
    assert two.context[CONTEXT.index("n_visit")] == 2.0


def test_what_is_expected_of_the_correction_comes_in_sigmas_of_the_answer():
    seen, (one, two) = features((0, 1)), (visit(seed).stray_noise for seed in (0, 1))
    pull, fgs1_scale, airs_scale, scatter = (seen.node[:, NODE.index(name)] for name in EXPECTED)
    error, variance = 0.5 * (one + two)[:, 0], 0.25 * (one + two)[:, 1]
    for place, (of_fgs1, of_airs) in ((0, (0.5, 0.4)), (7, (0.1, 0.8))):
        assert pull[place] == pytest.approx((of_fgs1 * error[0] + of_airs * error[1]) / 1e-4, rel=1e-5)
        grown = 1.0 + (of_fgs1**2 * variance[0] + of_airs**2 * variance[1]) / 1e-8
        assert np.exp(2.0 * scatter[place]) == pytest.approx(grown, rel=1e-5)
        assert (fgs1_scale[place], airs_scale[place]) == pytest.approx((0.1 * of_fgs1, 0.1 * of_airs), rel=1e-5)


def test_time_that_runs_backwards_twice_runs_forwards():
    seen = features((0, 1))
    flipped = seen.flipped()
    phase = SEQUENCE.index("phase")
    np.testing.assert_array_equal(flipped.visits[0][:, phase], -seen.visits[0][::-1, phase])
    np.testing.assert_array_equal(flipped.visits[0][:, 0], seen.visits[0][::-1, 0])
    assert (flipped.node[:, NODE.index("slope")] == -seen.node[:, NODE.index("slope")]).all()
    np.testing.assert_array_equal(flipped.node[:, NODE.index("curvature")], seen.node[:, NODE.index("curvature")])
    twice = flipped.flipped()
    for name in ("node", "context", "mean", "sigma"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(seen, name))
    for back, there in zip(twice.visits, seen.visits):
        np.testing.assert_array_equal(back, there)


def test_a_planet_the_table_does_not_know_is_a_typical_one():
    seen = features(planet=Planet(5))
    assert np.isfinite(seen.context).all()
    assert seen.context[CONTEXT.index("temperature")] == pytest.approx(5.8)


def test_wrong_shapes_are_refused():
    seen = features()
    with pytest.raises(ProductError, match="Features.node: wanted shape .*17"):
        Features(5, seen.visits, seen.node[:, :-1], seen.context, seen.mean, seen.sigma)
