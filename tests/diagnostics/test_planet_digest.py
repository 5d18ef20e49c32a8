"""What is kept of a planet: depths by channel with their errors, noise, flags, and no covariance."""

import dataclasses
import pickle

import numpy as np
import pytest

from spectramind_kit.diagnostics.planet_digest import PlanetDigest, digested, visit_depths
from spectramind_kit.diagnostics.planet_products import PlanetProducts
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.residual_figures import channels_figure, visits_figure
from spectramind_kit.flags import Flag
from spectramind_kit.products import Planet


def test_channels_differ_by_what_covariance_allows(fitted, white_noise):
    fit = fitted(white_noise)[0]
    depth, covariance = fit.depth.copy(), np.diag(np.r_[4e-8, np.full(282, 1e-8)])
    depth[0] += 5e-4
    covariance += 1e-8  # an error that both channels share leaves their difference alone
    found = visit_depths(dataclasses.replace(fit, depth=depth, covariance=covariance))
    assert found.difference == pytest.approx(5e-4) and found.airs_level == pytest.approx(0.01)
    assert found.difference_sigma == pytest.approx(np.sqrt(4e-8 + 1e-8 / 282), rel=1e-6)
    assert found.variance[1] == pytest.approx(1e-8 + 1e-8 / 282)


def test_a_digest_is_small_and_knows_the_noise(fitted, white_noise):
    fit, curves = fitted(white_noise, planet=7, flags={Flag.OUTLIERS: ""})
    digest = digested(PlanetProducts(Planet(7), "test", (fit,), {0: curves}), PlanetView())
    assert len(pickle.dumps(digest)) < 60_000 < fit.covariance.nbytes
    assert digest.beta == pytest.approx(1.0, abs=0.5) and digest.flags == {Flag.OUTLIERS: ""}
    assert PlanetDigest(7, "test").beta is None


def test_later_visits_are_compared_with_the_first(fitted, white_noise):
    first, later = (visit_depths(fitted(white_noise, visit=v, depth=d)[0]) for v, d in ((0, 0.01), (1, 0.0102)))
    other = visit_depths(fitted(white_noise, planet=8)[0])
    fgs1, airs = visits_figure([first, later, other]).traces
    assert fgs1["x"] == ["100"] and fgs1["y"] == [pytest.approx(2e-4 / np.sqrt(2e-8), rel=1e-2)]
    assert airs["y"][0] > 10 * fgs1["y"][0]
    assert visits_figure([first, other]) is None and channels_figure([]) is None
    assert len(channels_figure([first, later, other]).traces[0]["y"]) == 3
