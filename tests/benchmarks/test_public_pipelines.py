"""The pipelines that ours is held against: they find what is there, so that the comparison is one."""

import math
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.api import light_curves
from spectramind_kit.products import Planet

pytest.importorskip("batman")
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
TIME = np.linspace(0.0, 0.3, 240)
PERIOD = 4.0
NOISE = 1e-4


@pytest.fixture(scope="module")
def pipelines(benchmark):
    """The benchmark as a module."""
    return benchmark("public_pipelines")


def drifting(pipelines, ratio, seed, mid=0.15, u1=0.3):
    """Return a light curve (n_time,) with a drift, noise and two outliers."""
    flux = pipelines.Transit(mid, 0.12, 0.4, ratio, u1, 0.1).flux(TIME, PERIOD) * (1.0 + 2e-3 * TIME - 5e-3 * TIME**2)
    flux = flux + NOISE * np.random.default_rng(seed).standard_normal(len(TIME))
    flux[[20, 120]] += 0.01
    return flux


def test_batman_and_scipy_find_depth_and_sigma_of_a_white_curve(pipelines):
    errors = []
    for seed in range(8):
        found = pipelines.package_white(TIME, drifting(pipelines, 0.12, seed), PERIOD)
        errors.append((found.depth - 0.12**2) / found.sigma)
        assert found.transit.mid == pytest.approx(0.15, abs=1e-3)
        assert 5e-6 < found.sigma < 3e-4
    assert 0.3 < np.sqrt(np.mean(np.square(errors))) < 2.0


@pytest.mark.parametrize("visits", [1, 2])
def test_batman_and_scipy_find_a_spectrum_of_one_visit_or_of_a_channel_from_each_of_two(pipelines, visits):
    wavelength, ratios = np.array([0.7, 2.0, 2.5, 3.0, 3.5]), np.array([0.1, 0.11, 0.12, 0.115, 0.105])
    mid = [0.15 if visits == 1 else 0.17, *[0.15] * 4]
    flux = np.column_stack(
        [drifting(pipelines, k, place, mid[place], 0.4 if place == 0 else 0.2) for place, k in enumerate(ratios)]
    )
    parts = [slice(None)] if visits == 1 else [slice(0, 1), slice(1, None)]
    curves = [light_curves(TIME * 86400.0, flux[:, part], wavelength[part], planet_id=7) for part in parts]
    depth, sigma = pipelines.package_spectrum(curves, Planet(7))
    np.testing.assert_allclose(depth, ratios**2, atol=3e-4)
    assert 0.0 < sigma < 3e-4


def test_the_notebooks_find_the_dip(pipelines):
    flux = np.where(abs(TIME - 0.15) < 0.05, 0.99, 1.0) * (1.0 + 1e-3 * TIME)
    assert pipelines.notebook_depth(flux) == pytest.approx(0.01, rel=0.05)
    assert math.isnan(pipelines.notebook_depth(flux[:10]))


def test_what_is_stored_says_where_it_comes_from(pipelines):
    for row, source in pipelines.STORED:
        assert row.planet == 1103775 and "@" in source
        assert 0.01 < 1e-6 * row.airs < 0.02 and not row.sigma <= 0.0


@pytest.mark.skipif(
    not (SHARED / "real_2024" / "white_673.npz").is_file(), reason="no real curves of 2024 beside the project"
)
def test_ours_is_closer_to_real_labels_than_the_others(pipelines):
    found = pipelines.white_figures(SHARED, 10, workers=1)
    assert found["white_curves"] + found["white_without_answer"] > 4
    assert found["ours_rms_ppm"] < min(found["package_rms_ppm"], found["notebooks_rms_ppm"])
