"""What the benchmark of random worlds makes of answers: keys, paired differences, families left out."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def worlds():
    """The benchmark as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("worlds")
    for name in ("worlds", "world_bound"):
        sys.modules.pop(name, None)


def answers(worlds, seed, error):
    rng = np.random.default_rng(seed)
    truth = 0.015 + 0.005 * rng.standard_normal((8, 1)) + 5e-5 * rng.standard_normal((8, 283))
    sigma = np.full(truth.shape, error)
    return worlds.Answers(truth, truth + sigma * rng.standard_normal(truth.shape), sigma, (0.015, 0.01))


def test_smaller_errors_gain_and_the_gain_is_paired(worlds):
    before = {str(seed): answers(worlds, seed, 2e-4) for seed in range(3)}
    after = {str(seed): answers(worlds, seed, 1e-4) for seed in range(3)}
    found = worlds.differences(before, after)
    assert set(found) == {"0", "1", "2", "all worlds"}
    assert all(row["gain"] > 0.05 and row["error"] < 0.02 for row in found.values())
    assert all(row == {"gain": 0.0, "error": 0.0} for row in worlds.differences(before, before).values())


def test_figures_know_sigmas_that_fit(worlds):
    figures = answers(worlds, 0, 1e-4).figures()
    assert 0.5 < figures["score"] < 0.9
    assert figures["z2_airs"] == pytest.approx(1.0, abs=0.15)


def test_keys_that_other_programs_read(worlds):
    row = {"score": 0.5, "bound_score": 0.7, "z2_fgs1": 1.0, "z2_airs": 1.1, "distance": 0.2}
    facts = worlds.summary({"0": row, "7": row | {"distance": 0.4, "score": 0.3}})
    assert facts["world_7_score"] == 0.3 and facts["world_0_bound"] == 0.7
    assert facts["world_0_z2_fgs1"] == 1.0 and facts["world_0_z2_airs"] == 1.1
    assert facts["median_distance"] == pytest.approx(0.3) and facts["worst_distance"] == 0.4


def test_a_kind_left_out_is_judged_against_the_others_of_its_seed(worlds):
    cases = [worlds.Case(seed, (f"noise={kind}",), 60, 30) for seed in (0, 1) for kind in ("none", "ou", "steps")]
    distance = {"none": 0.1, "ou": 0.1, "steps": 0.3}
    rows = {c.name: {"distance": distance[c.name.partition("_")[2]] + 0.05 * c.seed} for c in cases}
    table = worlds.left_out(cases, rows)
    assert table["steps"]["excess"] == pytest.approx(0.2) and table["steps"]["error"] == pytest.approx(0.0, abs=1e-12)
    assert table["none"]["others"] == pytest.approx(0.225)


def test_a_worlds_bound_is_made_from_the_planets_of_its_folder(worlds):
    case = worlds.Case(3, ("noise=steps",), 2, 1)
    assert case.name == "3_steps" and case.world.noise.kind == "steps"
    simulation = case.config(1).simulation
    assert simulation.physics == "random_world" and simulation.families == ("noise=steps",)
