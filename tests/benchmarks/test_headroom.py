"""What benchmarks draw without frames, and what they find that a model could add: planted signals, and none."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from spectramind_kit.random_world.visit import draw_visit
from spectramind_kit.random_world.world import draw_planets, draw_world
from spectramind_kit.simulation.cadence import OBSERVATION_TIME

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = ("headroom", "drawn_fits", "drawn_curves", "world_bound")


@pytest.fixture(scope="module")
def benchmark():
    """The benchmarks as modules, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def world():
    return draw_world(7)


def test_curves_are_the_worlds_light_and_its_noise(benchmark, world):
    curves = benchmark["drawn_curves"].draw_light_curves
    planet = draw_planets(world, 1, 0)["train"][0]
    truth = draw_visit(world, planet, np.random.default_rng(1))
    one, other = (curves(world, planet, truth, 0, np.random.default_rng(seed)) for seed in (2, 3))
    assert one.flux.shape == (benchmark["world_bound"].N_BIN, 283) and len(one.regressor_names) == 6
    # Two visits of the same truth differ by nothing but photons and reads.
    scatter = ((one.flux - other.flux) / one.flux_err).std()
    assert scatter == pytest.approx(np.sqrt(2.0), rel=0.02)
    dip = one.flux[:, 1:].mean(axis=1)
    assert 1.0 - dip.min() / np.median(np.sort(dip)[-20:]) > 0.5 * planet.depth


def test_hard_transits_are_hard(benchmark, world):
    drawn_curves, planets = benchmark["drawn_curves"], draw_planets(world, 6, 0)["train"]
    for index, planet in enumerate(planets):
        radius = np.sqrt(planet.depth)
        grazing, _ = drawn_curves.hardened(world, planet, "grazing", np.random.default_rng(index))
        assert 1.0 - radius < grazing.impact < 1.0 + radius
        same, truth = drawn_curves.hardened(world, planet, "cut", np.random.default_rng(index))
        half = planet.period / (2 * np.pi) * np.sqrt((1 + radius) ** 2 - same.impact**2) / same.semi_major_axis
        begin, end = truth.mid_time - half, truth.mid_time + half
        assert (begin < 0.0) != (end > OBSERVATION_TIME) and 0.0 < truth.mid_time < OBSERVATION_TIME


def judged(module, told: float):
    """Planets of six worlds whose level errors their first feature tells in part, and whose sigmas are right."""
    rng, found, n = np.random.default_rng(0), [], len(module.label_wavelengths())
    weights = module.directions()
    covariance = 1e-8 * np.eye(n) + 1e-8
    covariance[0, 0] += 1e-8
    level = weights @ covariance @ weights.T
    jacobian = covariance @ weights.T @ np.linalg.inv(level)
    for place in range(180):
        feature = rng.standard_normal(4)
        error = np.linalg.cholesky(covariance) @ rng.standard_normal(n)
        size = np.sqrt(level[1, 1])
        error += (told * feature[0] - (1.0 - np.sqrt(1.0 - told**2)) * (weights[1] @ error) / size) * size
        label = np.full(n, 0.012 + 0.003 * rng.standard_normal())
        found.append(
            module.Judged(
                seed=place // 30,
                kind="usual",
                crossed=place % 5 == 0,
                label=label,
                mean=label - error,
                variance=np.diag(covariance).copy(),
                level=level,
                jacobian=jacobian,
                features=feature,
                factor=np.ones(n),
                spread=np.full(n, 3e-3),
                naive=(0.012, 3e-3),
            )
        )
    return found


def test_what_features_tell_is_found_in_other_worlds_and_nothing_else_is(benchmark):
    module = benchmark["headroom"]
    found, nothing = (module.Headroom(judged(module, told)).figures() for told in (0.6, 0.0))
    row = "ridge of the errors, elsewhere"
    assert found[row]["R2 mean"] == pytest.approx(0.36, abs=0.12) and found[row]["gain"] > 0.01
    assert abs(nothing[row]["gain"]) < 2e-3 and nothing[row]["R2 mean"] < 0.05
    assert nothing["known: all three"]["gain"] > nothing["known: FGS1"]["gain"] > 0.01
    shares = [nothing[f"{share:.0%} of the variance known"]["gain"] for share in (0.05, 0.2)]
    assert 0.0 < shares[0] < shares[1]
