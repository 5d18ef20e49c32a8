"""Conformal scales: the finite-sample rule, coverage of fresh planets whatever their errors, groups, neighbours."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from spectramind_kit.errors import ProductError
from spectramind_kit.simulation.system import label_wavelengths
from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.uncertainty.conformal import (
    COVERAGE_FILE,
    conformal_scale,
    fewest_planets,
    measured_coverage,
    neighbour_weights,
    write_coverage,
)

WAVELENGTH = label_wavelengths()
GROUPS = region_names(WAVELENGTH)
ALONE = np.eye(1)


def normal_errors(n_planet, rng):
    """Errors that planets share in part, as a bad level or drift makes them; sigmas are right."""
    shared = rng.normal(size=(n_planet, 1))
    return np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.normal(size=(n_planet, len(WAVELENGTH)))


def heavy_errors(n_planet, rng):
    """Errors of planets some of which are far worse than their sigmas say: Student's t with two degrees of freedom."""
    return normal_errors(n_planet, rng) / np.sqrt(rng.chisquare(2, size=(n_planet, 1)) / 2)


def uneven_errors(n_planet, rng):
    """Sigmas four times too small for FGS1 and twice too wide in the red window."""
    factor = np.where(GROUPS == "FGS1", 4.0, np.where(GROUPS == "red window", 0.5, 1.0))
    return factor * normal_errors(n_planet, rng)


ERRORS = {"normal": normal_errors, "heavy": heavy_errors, "uneven": uneven_errors}


@pytest.mark.parametrize("coverage, n_planet, place", [(0.9, 9, 9), (0.9, 19, 18), (0.5, 4, 3), (0.8, 9, 8)])
def test_scale_is_the_score_that_the_finite_sample_rule_names(coverage, n_planet, place):
    assert place == math.ceil(coverage * (n_planet + 1))
    scores = np.arange(1.0, n_planet + 1)
    z = np.random.default_rng(0).permutation(scores)[:, None] * np.resize([1, -1], (n_planet, 1))
    quantile = norm.ppf(0.5 + coverage / 2)
    assert conformal_scale(z, coverage, ALONE)[0] == pytest.approx(place / quantile)


@pytest.mark.parametrize("coverage, n_planet", [(0.5, 1), (0.68, 3), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_fewest_planets_is_where_the_largest_score_suffices(coverage, n_planet):
    assert fewest_planets(coverage) == n_planet
    z = np.random.default_rng(1).normal(size=(n_planet, 1))
    assert conformal_scale(z, coverage, ALONE)[0] == pytest.approx(
        np.abs(z).max() / norm.ppf(0.5 + coverage / 2), rel=1e-14
    )
    with pytest.raises(ProductError, match=f"at least {n_planet}, got {n_planet - 1}"):
        conformal_scale(z[1:], coverage, ALONE)


@pytest.mark.parametrize("n_planet", [10, 25])
def test_promise_is_kept_exactly_with_few_planets(n_planet):
    rng = np.random.default_rng(2)
    coverage, quantile, repeats = 0.8, norm.ppf(0.9), 1000
    covered = np.empty(repeats)
    for i in range(repeats):
        z = rng.standard_t(2, size=(n_planet + 1, 1))
        covered[i] = abs(z[-1, 0]) <= quantile * conformal_scale(z[:-1], coverage, ALONE)[0]
    expected = math.ceil(coverage * (n_planet + 1)) / (n_planet + 1)  # in theory, for scores without ties
    assert covered.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.16 / repeats))
    assert expected >= coverage


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("coverage", [0.6827, 0.95])
def test_fresh_planets_are_covered_group_by_group(kind, coverage):
    rng = np.random.default_rng(3)
    weight = neighbour_weights(WAVELENGTH, GROUPS)
    scale = conformal_scale(ERRORS[kind](400, rng), coverage, weight)
    fresh = np.abs(ERRORS[kind](3000, rng)) <= norm.ppf(0.5 + coverage / 2) * scale
    for group in np.unique(GROUPS):
        share = fresh[:, group == GROUPS].mean(axis=1)  # of each planet
        sampling = np.sqrt(coverage * (1 - coverage) / 400 + share.var() / 3000)
        assert share.mean() == pytest.approx(coverage, abs=3.5 * sampling)


def test_without_scaling_the_same_planets_are_not_covered():
    table = measured_coverage(uneven_errors(2000, np.random.default_rng(4)), GROUPS)
    fgs1 = table.row(by_predicate=(pl.col("group") == "FGS1") & (pl.col("level") == "95"), named=True)
    assert fgs1["measured"] < 0.5


def test_coverage_out_of_fold_is_what_was_wanted():
    rng = np.random.default_rng(5)
    z, fold = uneven_errors(600, rng), np.arange(600) % 5
    weight, scaled = neighbour_weights(WAVELENGTH, GROUPS), np.empty_like(z)
    for held_out in range(5):
        here = fold == held_out
        scaled[here] = z[here] / conformal_scale(z[~here], 0.95, weight)
    table = measured_coverage(scaled, GROUPS).filter(pl.col("level") == "95")
    assert table.height == len(set(GROUPS)) + 1
    for row in table.iter_rows(named=True):
        error = np.hypot(row["standard_error"], np.sqrt(0.95 * 0.05 / 480))
        assert row["measured"] == pytest.approx(0.95, abs=3.5 * error), row["group"]


def test_groups_learn_nothing_from_each_other():
    rng = np.random.default_rng(7)
    weight = neighbour_weights(WAVELENGTH, GROUPS)
    z = normal_errors(50, rng)
    other = np.where(GROUPS == "red window", 1000 * z, z)
    same = GROUPS != "red window"
    before, after = (conformal_scale(errors, 0.9, weight) for errors in (z, other))
    np.testing.assert_array_equal(after[same], before[same])
    np.testing.assert_allclose(after[~same], 1000 * before[~same])


def test_neighbours_steady_the_scale_of_few_planets():
    z = np.random.default_rng(8).normal(size=(25, len(WAVELENGTH)))
    alone = conformal_scale(z, 0.9, np.eye(len(WAVELENGTH)))
    together = conformal_scale(z, 0.9, neighbour_weights(WAVELENGTH, GROUPS))
    assert together[1:].std() < 0.4 * alone[1:].std()
    assert together[0] == alone[0]  # FGS1 has no neighbour


def test_weights_are_rows_of_sum_one_within_groups():
    weight = neighbour_weights(WAVELENGTH, GROUPS, length=0.02)
    np.testing.assert_allclose(weight.sum(axis=1), 1.0)
    assert not weight[GROUPS[:, None] != GROUPS].any()
    assert weight[0, 0] == 1.0
    inside = np.flatnonzero(GROUPS == "3.3 um bands")
    middle = weight[inside[len(inside) // 2]]
    assert middle.argmax() == inside[len(inside) // 2] and middle[inside[0]] < middle[inside[20]]


def test_smoothed_scale_by_hand():
    # two wavelengths that share alike: four scores of weight 1/2, of which the first 2.4 / .5 = 5 must be counted
    z = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    scale = conformal_scale(z, 0.6, np.full((2, 2), 0.5))
    np.testing.assert_allclose(scale * norm.ppf(0.8), 6.0)


def test_table_by_hand(tmp_path):
    z = np.array([[0.5, 1.5, -3.0], [-0.9, 0.2, 1.9]])
    table = measured_coverage(z, np.array(["FGS1", "red", "red"]))
    assert table["group"].to_list() == ["all", "all", "FGS1", "FGS1", "red", "red"]
    assert table["measured"].to_list() == pytest.approx([0.5, 5 / 6, 1.0, 1.0, 0.25, 0.75])
    assert table["wanted"].to_list() == pytest.approx([0.6827, 0.95] * 3, abs=1e-4)
    assert table["standard_error"].to_list()[-1] == pytest.approx(0.25)  # planets cover 1/2 and 1
    assert table["mean_square"][2] == pytest.approx((0.25 + 0.81) / 2)
    path = write_coverage(table, tmp_path / "new")
    assert path.name == COVERAGE_FILE == "corel_coverage.csv"
    assert pl.read_csv(path)["measured"].to_list() == pytest.approx(table["measured"].to_list())


def test_errors_that_are_none_are_refused():
    z = np.full((20, 2), np.nan)
    with pytest.raises(ProductError, match="finite"):
        conformal_scale(z, 0.5, np.eye(2))
    with pytest.raises(ProductError, match="between 0 and 1"):
        conformal_scale(np.ones((20, 2)), 1.0, np.eye(2))
    with pytest.raises(ProductError, match="weight"):
        conformal_scale(np.ones((20, 2)), 0.5, np.eye(3))
