"""The competition's score: a Gaussian log-likelihood between that of a naive and that of an ideal prediction.

Per element (planet p, channel c), with truth y, mean m, sigma s:
A = ln N(y | m, s); T = ln N(y | y, s_true); B = ln N(y | mu0, s0).
2025: weighted mean over elements of (A - B) / (T - B). 2024: (sum A - sum B) / (sum T - sum B).
Both are clipped to [0, 1].
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import SubmissionError

SIGMA_FLOOR = 1e-15
FGS1_WEIGHT = 57.846
"""Weight of the FGS1 point in the 2025 edition; every AIRS-CH0 point weighs 1."""


@dataclass(frozen=True)
class Edition:
    """The metric of one year.

    Attributes:
        fgs1_sigma: of the ideal prediction [(Rp/Rs)^2].
        airs_sigma: of the ideal prediction [(Rp/Rs)^2].
        fgs1_weight: of the FGS1 point; every AIRS-CH0 point weighs 1.
        per_element: True for a mean of ratios, False for a ratio of sums.
    """

    fgs1_sigma: float
    airs_sigma: float
    fgs1_weight: float
    per_element: bool


EDITIONS = {
    "2025": Edition(fgs1_sigma=1e-6, airs_sigma=1e-5, fgs1_weight=FGS1_WEIGHT, per_element=True),
    "2024": Edition(fgs1_sigma=1e-5, airs_sigma=1e-5, fgs1_weight=1.0, per_element=False),
}


def score(
    truth: np.ndarray,
    mean: np.ndarray,
    sigma: np.ndarray,
    naive: tuple[float, float] | None = None,
    edition: str = "2025",
) -> float:
    """Return the competition's score, in [0, 1]; higher is better.

    Args:
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2], FGS1 first.
        mean: (n_planet, n_wavelength), predicted.
        sigma: (n_planet, n_wavelength), predicted.
        naive: mean and spread of the naive prediction; those of ``truth`` (over all elements) if not given. Kaggle's
            own numbers were not published; the 2025 winner used those of the labels being scored.
        edition: "2025" or "2024".

    Raises:
        SubmissionError: on shapes that differ, what Kaggle refuses (negative values, NaN), or a truth so uniform
            that the naive prediction is as good as the ideal one.
    """
    return float(np.clip(unclipped_score(truth, mean, sigma, naive, edition), 0.0, 1.0))


def unclipped_score(
    truth: np.ndarray,
    mean: np.ndarray,
    sigma: np.ndarray,
    naive: tuple[float, float] | None = None,
    edition: str = "2025",
) -> float:
    """Return the score before it is clipped, which separates bad from worse."""
    _check(truth, mean, sigma)
    rules = _rules(edition)
    predicted, ideal, baseline = _log_likelihoods(truth, mean, sigma, naive, rules)
    if not rules.per_element:
        return float((predicted.sum() - baseline.sum()) / (ideal.sum() - baseline.sum()))
    return float(_by_planet(predicted, ideal, baseline, rules).mean())


def planet_scores(
    truth: np.ndarray,
    mean: np.ndarray,
    sigma: np.ndarray,
    naive: tuple[float, float] | None = None,
    edition: str = "2025",
) -> np.ndarray:
    """Return what each planet adds to the score, unclipped (n_planet,); their mean is the score."""
    _check(truth, mean, sigma)
    rules = _rules(edition)
    return _by_planet(*_log_likelihoods(truth, mean, sigma, naive, rules), rules)


def element_scores(
    truth: np.ndarray,
    mean: np.ndarray,
    sigma: np.ndarray,
    naive: tuple[float, float] | None = None,
    edition: str = "2025",
) -> np.ndarray:
    """Return the score of each element (planet, wavelength), unweighted and unclipped."""
    _check(truth, mean, sigma)
    rules = _rules(edition)
    return _ratio(*_log_likelihoods(truth, mean, sigma, naive, rules), rules)


def _rules(edition: str) -> Edition:
    if edition not in EDITIONS:
        raise SubmissionError("edition of the metric", wanted=" or ".join(EDITIONS), got=edition)
    return EDITIONS[edition]


def _log_likelihoods(
    truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray, naive: tuple[float, float] | None, rules: Edition
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A, T and B, each (n_planet, n_wavelength)."""
    naive_mean, naive_sigma = naive if naive is not None else (truth.mean(), truth.std())
    ideal_sigma = np.full(truth.shape[1], rules.airs_sigma)
    ideal_sigma[0] = rules.fgs1_sigma
    if not naive_sigma > ideal_sigma.max():
        raise SubmissionError(
            "spread of the naive prediction",
            wanted=f"more than the ideal sigma {ideal_sigma.max():g}",
            got=float(naive_sigma),
            remedy="score planets that differ, or give the naive mean and spread",
        )
    return (
        _log_normal(truth, mean, sigma),
        _log_normal(truth, truth, ideal_sigma),
        _log_normal(truth, naive_mean, naive_sigma),
    )


def _by_planet(predicted: np.ndarray, ideal: np.ndarray, baseline: np.ndarray, rules: Edition) -> np.ndarray:
    """Return the weighted mean over wavelengths of the ratio of each element, (n_planet,)."""
    weight = np.ones(predicted.shape[1])
    weight[0] = rules.fgs1_weight
    return np.average(_ratio(predicted, ideal, baseline, rules), axis=1, weights=weight)


def _ratio(predicted: np.ndarray, ideal: np.ndarray, baseline: np.ndarray, rules: Edition) -> np.ndarray:
    # A ratio of sums is the mean of ratios whose denominator all elements share.
    possible = ideal - baseline if rules.per_element else (ideal - baseline).mean()
    return (predicted - baseline) / possible


def _log_normal(y: np.ndarray, mean: np.ndarray | float, sigma: np.ndarray | float) -> np.ndarray:
    s = np.maximum(sigma, SIGMA_FLOOR)
    return -0.5 * np.log(2 * np.pi) - np.log(s) - 0.5 * ((y - mean) / s) ** 2


def _check(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> None:
    for name, values in (("means", mean), ("sigmas", sigma)):
        if values.shape != truth.shape:
            raise SubmissionError(f"{name} to score", wanted=f"shape {truth.shape}", got=f"shape {values.shape}")
        if not np.isfinite(values).all():
            raise SubmissionError(f"{name} to score", wanted="finite numbers", got="NaN or inf")
        if (values < 0).any():
            raise SubmissionError(f"{name} to score", wanted="no negative value", got=float(values.min()))
