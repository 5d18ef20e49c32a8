"""The score against scipy's densities, its fixed points, published figures, and what Kaggle refuses."""

import numpy as np
import pytest
from scipy.stats import norm

from spectramind_kit.errors import SubmissionError
from spectramind_kit.metric import FGS1_WEIGHT, planet_scores, score, unclipped_score

NAIVE = (0.0145, 0.0107)


@pytest.fixture
def truth():
    rng = np.random.default_rng(3)
    depth = rng.normal(0.0146, 0.0109, 4000)
    return np.repeat(depth[depth > 4e-4][:1500, None], 283, axis=1)


def element_ratio(y, mean, sigma, ideal):
    """(A - B) / (T - B) of one element, with scipy's Gaussian."""
    naive = norm.logpdf(y, *NAIVE)
    return (norm.logpdf(y, mean, sigma) - naive) / (norm.logpdf(y, y, ideal) - naive)


def test_two_planets_and_two_wavelengths_by_hand():
    y = np.array([[0.0100, 0.0101], [0.0200, 0.0203]])
    mean = np.array([[0.0101, 0.0102], [0.0198, 0.0203]])
    sigma = np.array([[1e-4, 2e-4], [2e-4, 5e-5]])
    ratio = np.array(
        [[element_ratio(y[p, c], mean[p, c], sigma[p, c], (1e-6, 1e-5)[c]) for c in range(2)] for p in range(2)]
    )
    by_planet = (57.846 * ratio[:, 0] + ratio[:, 1]) / 58.846
    assert score(y, mean, sigma, NAIVE) == pytest.approx(by_planet.mean(), rel=1e-12)
    assert planet_scores(y, mean, sigma, NAIVE) == pytest.approx(by_planet, rel=1e-12)


def test_the_2024_score_is_a_ratio_of_sums_without_weights():
    y = np.array([[0.0100, 0.0101], [0.0200, 0.0203]])
    mean = y + 5e-5
    sigma = np.full_like(y, 1e-4)
    predicted = norm.logpdf(y, mean, sigma).sum()
    naive = norm.logpdf(y, *NAIVE).sum()
    ideal = norm.logpdf(y, y, 1e-5).sum()
    assert score(y, mean, sigma, NAIVE, edition="2024") == pytest.approx(
        (predicted - naive) / (ideal - naive), rel=1e-12
    )


def test_truth_with_ideal_sigma_scores_one(truth):
    ideal = np.full_like(truth, 1e-5)
    assert score(truth, truth, ideal, NAIVE, edition="2024") == pytest.approx(1.0, abs=1e-12)
    ideal[:, 0] = 1e-6
    assert score(truth, truth, ideal, NAIVE) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("edition", ["2025", "2024"])
def test_naive_prediction_scores_zero_and_worse_than_naive_is_clipped(truth, edition):
    naive = truth.mean(), truth.std()
    mean, sigma = np.full_like(truth, naive[0]), np.full_like(truth, naive[1])
    assert unclipped_score(truth, mean, sigma, edition=edition) == pytest.approx(0.0, abs=1e-12)
    assert unclipped_score(truth, mean, sigma / 30, edition=edition) < -1
    assert score(truth, mean, sigma / 30, edition=edition) == 0.0


def test_naive_numbers_are_those_of_the_truth_over_all_elements(truth):
    sigma = np.full_like(truth, 3e-4)
    assert score(truth, truth, sigma) == score(truth, truth, sigma, naive=(truth.mean(), truth.std(ddof=0)))


@pytest.mark.parametrize(
    "factor, published",
    [
        (1.0, {2000: 0.205, 1000: 0.295, 550: 0.373, 300: 0.452, 200: 0.505, 150: 0.541, 100: 0.595, 50: 0.685}),
        (0.5, {2000: 0.102, 1000: 0.189, 550: 0.269, 300: 0.348, 200: 0.401, 150: 0.434, 100: 0.492, 50: 0.580}),
        (2.0, {2000: 0.163, 1000: 0.253, 550: 0.331, 300: 0.410, 200: 0.463, 150: 0.500, 100: 0.553, 50: 0.643}),
    ],
)
def test_known_errors_give_the_known_scores(truth, factor, published):
    """Noise of rms e in every channel with sigma = factor * e; the figures are those others measured."""
    rng = np.random.default_rng(11)
    for ppm, wanted in published.items():
        error = ppm * 1e-6
        mean = np.abs(truth + rng.normal(0.0, error, truth.shape))
        got = score(truth, mean, np.full_like(truth, factor * error), naive=(0.0146, 0.0109))
        assert got == pytest.approx(wanted, abs=0.006), f"{ppm} ppm"


def test_fgs1_weighs_as_much_as_58_airs_wavelengths(truth):
    sigma = np.full_like(truth, 1e-3)
    base = unclipped_score(truth, truth, sigma, NAIVE)
    better_fgs1, better_airs = sigma.copy(), sigma.copy()
    better_fgs1[:, 0] /= 2
    better_airs[:, 1] /= 2
    gain_fgs1 = unclipped_score(truth, truth, better_fgs1, NAIVE) - base
    gain_airs = unclipped_score(truth, truth, better_airs, NAIVE) - base
    span_fgs1, span_airs = (
        np.mean(np.log(NAIVE[1] / s) + 0.5 * ((truth - NAIVE[0]) / NAIVE[1]) ** 2) for s in (1e-6, 1e-5)
    )
    assert gain_fgs1 / gain_airs == pytest.approx(FGS1_WEIGHT * span_airs / span_fgs1, rel=0.01)
    assert pytest.approx(0.1702, abs=1e-4) == FGS1_WEIGHT / (FGS1_WEIGHT + 282)


def test_planet_scores_average_to_the_score(truth):
    rng = np.random.default_rng(0)
    mean = np.abs(truth + rng.normal(0, 1e-4, truth.shape))
    args = truth, mean, np.full_like(truth, 2e-4), NAIVE
    assert planet_scores(*args).mean() == pytest.approx(unclipped_score(*args), rel=1e-12)


@pytest.mark.parametrize("which", ["mean", "sigma"])
@pytest.mark.parametrize("bad, says", [(-1e-9, "no negative value"), (np.nan, "finite"), (np.inf, "finite")])
def test_what_kaggle_refuses_is_refused(truth, which, bad, says):
    parts = {"mean": truth.copy(), "sigma": np.full_like(truth, 1e-4)}
    parts[which][3, 7] = bad
    with pytest.raises(SubmissionError, match=f"{which}s to score: wanted {says}"):
        score(truth, parts["mean"], parts["sigma"])


def test_zero_sigma_is_floored_as_kaggle_does(truth):
    sigma = np.full_like(truth, 1e-4)
    sigma[0, 1] = 0.0
    assert np.isfinite(unclipped_score(truth, truth + 1e-5, sigma))


def test_other_shapes_and_years_are_refused(truth):
    with pytest.raises(SubmissionError, match=r"shape \(1, 283\)"):
        score(truth, truth[:1], truth)
    with pytest.raises(SubmissionError, match="2025 or 2024, got 2023"):
        score(truth, truth, truth, edition="2023")
    with pytest.raises(SubmissionError, match="spread of the naive prediction"):
        score(np.full((2, 283), 0.01), np.full((2, 283), 0.01), np.full((2, 283), 1e-4))
