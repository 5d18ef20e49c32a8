"""What a fit is without one of its parts: the same likelihood where that part's coefficients are zero."""

import numpy as np
import pytest

from spectramind_kit.fitting.nuisance_prior import group_of
from tests.fitting.linear_visits import linear_visit

NAMES = ("mid_time", "impact_squared", "fgs1_u1", "drift_fgs1/1", "noise_airs_0/0", "noise_fgs1/0")
N = 30


@pytest.fixture
def visit():
    rng = np.random.default_rng(0)
    return linear_visit(
        rng,
        NAMES,
        rng.standard_normal(len(NAMES)),
        np.full(N, 0.01),
        error=rng.uniform(0.1, 1.0, len(NAMES)),
        response=1e-4 * rng.standard_normal((N, len(NAMES))),
        reference=rng.standard_normal(len(NAMES)),
    )


def ln_likelihood(visit, shared):
    step = shared - visit.reference
    return visit.ln_likelihood + visit.score @ step - 0.5 * step @ visit.information @ step


def depth(visit, shared):
    return visit.depth + visit.response @ (shared - visit.reference)


def test_without_a_part_everything_is_as_if_its_coefficients_were_zero(benchmark, visit):
    left = benchmark("additions").Part("noise modes", ("noise_",)).without(visit)
    assert left.names == NAMES[:4]
    rng = np.random.default_rng(1)
    for shared in rng.standard_normal((5, 4)):
        whole = np.r_[shared, 0.0, 0.0]
        assert ln_likelihood(left, shared) == pytest.approx(ln_likelihood(visit, whole), rel=1e-10)
        np.testing.assert_allclose(depth(left, shared), depth(visit, whole), rtol=1e-10)


def test_what_is_not_learned_keeps_its_numbers_and_belongs_to_no_group(benchmark, visit):
    free = benchmark("additions").Part("drift learned", ("drift_",), learned=True).without(visit)
    assert [group_of(name) for name in free.names] == [None, None, "darkening", None, "noise", "noise"]
    np.testing.assert_array_equal(free.information, visit.information)


def test_a_part_that_a_fit_has_not_changes_nothing(benchmark, visit):
    same = benchmark("additions").Part("ramps", ("ramp_",)).without(visit)
    assert same.names == NAMES and ln_likelihood(same, np.zeros(6)) == pytest.approx(ln_likelihood(visit, np.zeros(6)))


def test_scatter_of_worlds_is_held_against_chance(benchmark):
    rng = np.random.default_rng(2)
    row = benchmark("additions").summary([rng.normal(size=400) for _ in range(40)])
    assert row["scatter"] == pytest.approx(row["by chance"], rel=0.4) and row["error"] < 0.02
    assert benchmark("additions").summary([np.array([1.0, 2.0, 3.0])]) == {
        "mean": 2.0,
        "error": pytest.approx(0.577, abs=1e-3),
    }
