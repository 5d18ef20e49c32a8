"""A planet's features: where the prediction lies against the fit, and time that may be reversed."""

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.features.planet import CONTEXT, LINEAR_PREDICTORS, NODE, Features, planet_features
from spectramind_kit.features.visit import SEQUENCE, VISIT_CONTEXT, VISIT_NODE, VisitFeatures
from spectramind_kit.products import Orbit, Planet, Star

WAVELENGTH = np.concatenate([[0.7], np.linspace(1.95, 3.9, 20)])
N = len(WAVELENGTH)
MEAN_JACOBIAN = np.where(WAVELENGTH[:, None] < 1.0, [0.5, 0.4], [0.1, 0.8])
PLANET = Planet(5, Star(1.2, 1.1, 5800.0), Orbit(4.0, 9.0, 88.0), mass=0.9)


def visit(seed, n_time=50):
    rng = np.random.default_rng(seed)
    shapes = ((n_time, len(SEQUENCE)), (N, len(VISIT_NODE)), (len(VISIT_CONTEXT),), (2, 2))
    *parts, bias = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return VisitFeatures(*parts, depth_bias=bias**2 * [1e-4, 1e-8])


def features(visits=(0,), depth=0.0104, mean=0.01, planet=PLANET):
    fitted = np.full(N, depth), np.full(N, 2e-4)
    prediction = np.full(N, mean), np.full(N, 1e-4)
    population = np.full(N, 0.014), np.full(N, 0.008)
    return planet_features(
        planet, [visit(seed) for seed in visits], fitted, prediction, MEAN_JACOBIAN, population, WAVELENGTH
    )


def test_the_fit_is_given_in_its_own_sigmas_from_the_prediction():
    made = features()
    np.testing.assert_allclose(made.node[:, NODE.index("fit_residual")], 2.0, rtol=1e-5)
    np.testing.assert_allclose(made.node[:, NODE.index("fit_shape")], 2.0, rtol=1e-5)
    np.testing.assert_allclose(made.node[:, NODE.index("ln_sigma")], np.log(1e-2), rtol=1e-5)
    assert made.context[CONTEXT.index("level_residual")] == pytest.approx(-0.5)
    np.testing.assert_array_equal(made.node[:, NODE.index("fgs1")], WAVELENGTH < 1.0)


def test_visits_are_averaged_and_their_series_stay_apart():
    one, two = features((0,)), features((0, 1))
    expected = 0.5 * (visit(0).node + visit(1).node)
    np.testing.assert_allclose(two.node[:, -len(VISIT_NODE) :], expected, rtol=1e-6)
    assert (len(one.visits), len(two.visits)) == (1, 2)
    assert two.context[CONTEXT.index("n_visit")] == 2.0


def test_linear_predictors_are_in_sigmas_of_the_prediction():
    made, (one, two) = features((0, 1)), (visit(seed).depth_bias for seed in (0, 1))
    bias, fgs1_gain, airs_gain, scatter = (made.node[:, NODE.index(name)] for name in LINEAR_PREDICTORS)
    error, variance = 0.5 * (one + two)[:, 0], 0.25 * (one + two)[:, 1]
    for place, (of_fgs1, of_airs) in ((0, (0.5, 0.4)), (7, (0.1, 0.8))):
        assert bias[place] == pytest.approx((of_fgs1 * error[0] + of_airs * error[1]) / 1e-4, rel=1e-5)
        grown = 1.0 + (of_fgs1**2 * variance[0] + of_airs**2 * variance[1]) / 1e-8
        assert np.exp(2.0 * scatter[place]) == pytest.approx(grown, rel=1e-5)
        assert (fgs1_gain[place], airs_gain[place]) == pytest.approx((0.1 * of_fgs1, 0.1 * of_airs), rel=1e-5)


def test_time_reversed_twice_is_time():
    made = features((0, 1))
    flipped = made.flipped()
    phase = SEQUENCE.index("phase")
    np.testing.assert_array_equal(flipped.visits[0][:, phase], -made.visits[0][::-1, phase])
    np.testing.assert_array_equal(flipped.visits[0][:, 0], made.visits[0][::-1, 0])
    assert (flipped.node[:, NODE.index("slope")] == -made.node[:, NODE.index("slope")]).all()
    np.testing.assert_array_equal(flipped.node[:, NODE.index("curvature")], made.node[:, NODE.index("curvature")])
    twice = flipped.flipped()
    for name in ("node", "context", "mean", "sigma"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(made, name))
    for back, there in zip(twice.visits, made.visits):
        np.testing.assert_array_equal(back, there)


def test_a_planet_the_table_does_not_know_is_a_typical_one():
    made = features(planet=Planet(5))
    assert np.isfinite(made.context).all()
    assert made.context[CONTEXT.index("temperature")] == pytest.approx(5.8)


def test_wrong_shapes_are_refused():
    made = features()
    with pytest.raises(ProductError, match="Features.node: wanted shape .*17"):
        Features(5, made.visits, made.node[:, :-1], made.context, made.mean, made.sigma)
