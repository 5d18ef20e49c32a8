"""Whether several predictions are better together than the best of them alone, and with which weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.blends.members import Member, shared_planets
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.ledger.paired import PairedDifference, paired_difference
from spectramind_kit.uncertainty.blending import FEWEST
from spectramind_kit.uncertainty.mixture import alone, cross_fitted, equal, learn_mixture, mixed


@dataclass(frozen=True, eq=False)
class Verdict:
    """What held-out planets say of a blend.

    Attributes:
        weight: (n_member, n_group) of FGS1 and AIRS-CH0 that the submission is made with.
        scores: of each member on the shared held-out planets; empty where not every member has any.
        held_out: those planets as the submission's weights predict them, cross-fitted; None likewise.
        blend_score: of the blend on them, cross-fitted, whether it is used or not; NaN likewise.
        differences: the blend minus each member, paired by planet; empty likewise.
        words: why the weights are these.
    """

    weight: np.ndarray
    scores: tuple[float, ...] = ()
    held_out: Predictions | None = None
    blend_score: float = float("nan")
    differences: tuple[PairedDifference, ...] = ()
    words: str = ""


def judge_equal(members: Sequence[Member]) -> Verdict:
    """Return equal weights; those of the best member where held-out planets show that they are worse beyond noise.

    Args:
        members: with held-out predictions or without.
    """
    weight = equal(len(members))
    if any(each.held_out is None for each in members):
        return Verdict(weight, words="equal weights, as asked for; no held-out planets to judge them by")
    members_held_out = _shared(members)
    together = _as_predictions(members_held_out[0], mixed(_stacked(members_held_out), weight))
    worse = "equal weights are worse than the best member beyond noise: that member alone"
    return _verdict(members_held_out, together, weight, "equal weights, as asked for", worse, surely_better=False)


def judge_learned(members: Sequence[Member], folds: dict[int, int]) -> Verdict:
    """Return learned weights; those of the best member where held-out planets do not show that they are better.

    Args:
        members: with held-out predictions.
        folds: of the training planets, by which weights are cross-fitted.

    Raises:
        SpectraMindError: if the members share no held-out planet.
    """
    held_out = _shared(members)
    first, predictions = held_out[0], _stacked(held_out)
    n = len(first.planet_ids)
    fold = np.array([folds[planet] for planet in first.planet_ids.tolist()])
    if n < FEWEST or len(np.unique(fold)) < 2:
        words = f"{n} held-out planets are too few to learn weights ({FEWEST} at least): the best member alone"
        best = _best(held_out)
        return Verdict(alone(best, len(held_out)), _scores(held_out), held_out[best], words=words)
    naive = _zero_point(first)
    together = _as_predictions(first, cross_fitted(first.known, predictions, fold, naive, first.edition))
    weight = learn_mixture(first.known, predictions, naive, first.edition)
    words = "weights learned, better than the best member beyond noise"
    unproven = "not better than the best member beyond noise: that member alone"
    return _verdict(held_out, together, weight, words, unproven)


def _verdict(
    held_out: Sequence[Predictions],
    together: Predictions,
    weight: np.ndarray,
    words: str,
    else_words: str,
    surely_better: bool = True,
) -> Verdict:
    """Return the blend, or the best member alone where the data do not bear the blend out."""
    scores, best = _scores(held_out), _best(held_out)
    differences = tuple(paired_difference(_by_planet(together), _by_planet(each)) for each in held_out)
    gain = differences[best]
    accepted = gain.mean > 0.0 and not gain.within_noise if surely_better else gain.mean > 0.0 or gain.within_noise
    if not accepted:
        return Verdict(alone(best, len(held_out)), scores, held_out[best], together.score, differences, else_words)
    return Verdict(weight, scores, together, together.score, differences, words)


def _shared(members: Sequence[Member]) -> list[Predictions]:
    """Return the members' predictions of the held-out planets that they share."""
    planets = shared_planets(members)
    return [each.held_out.of_planets(planets) for each in members if each.held_out is not None]


def _stacked(held_out: Sequence[Predictions]) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([each.mean for each in held_out]), np.stack([each.sigma for each in held_out])


def _as_predictions(like: Predictions, values: tuple[np.ndarray, np.ndarray]) -> Predictions:
    return Predictions(like.split, like.planet_ids, *values, like.truth, like.edition, like.naive)


def _scores(held_out: Sequence[Predictions]) -> tuple[float, ...]:
    return tuple(each.score for each in held_out)


def _best(held_out: Sequence[Predictions]) -> int:
    return int(np.argmax([each.planet_scores.mean() for each in held_out]))


def _by_planet(predictions: Predictions) -> dict[int, float]:
    return dict(zip(predictions.planet_ids.tolist(), predictions.planet_scores.tolist()))


def _zero_point(predictions: Predictions) -> tuple[float, float]:
    if predictions.naive is not None:
        return predictions.naive
    return float(predictions.known.mean()), float(predictions.known.std())
