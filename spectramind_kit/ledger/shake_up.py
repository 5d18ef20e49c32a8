"""What a public leaderboard would make of runs: simulated splits into a public and a private part.

Planets are drawn with replacement from those that every run scored, as many as the hidden test set has; a part of them,
drawn too, is public. Who chooses by the public score loses what the private score of the best run has over that of
the run chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PUBLIC_FRACTION = 0.3, 0.5
"""Fractions of the planets that are public: between these, uniformly. Kaggle does not tell."""
_SPLITS = 2000
_SEED = 20252


@dataclass(frozen=True)
class ShakeUp:
    """What splits do to an order of runs.

    Attributes:
        n_run: runs.
        n_planet: planets that every run scored, from which test sets were drawn.
        spread: standard deviation of the public score minus the private one, of one run.
        places: by which a run moves from the public to the private order, mean.
        agreement: fraction of the splits whose public winner wins in private, too.
        regret: score lost, on the mean, by submitting the public winner instead of the private one.
        winners: fraction of the splits that each run wins in private.
    """

    n_run: int
    n_planet: int
    spread: float
    places: float
    agreement: float
    regret: float
    winners: tuple[float, ...]

    def sentences(self) -> list[str]:
        """Return what that means, in words."""
        low, high = (f"{100 * fraction:.0f}" for fraction in PUBLIC_FRACTION)
        lines = [
            f"public against private score of one run, {low}-{high} % public: +- {self.spread:.4f} "
            f"(drawn from {self.n_planet} planets)"
        ]
        if self.n_run > 1:
            lines.append(
                f"{self.n_run} runs would move by {self.places:.1f} places; the public winner wins in private in "
                f"{self.agreement:.0%} of the splits and else loses, {self.regret:.4f} on the mean"
            )
        return lines


def simulate_shake_up(runs: Sequence[Mapping[int, float]], n_test: int) -> ShakeUp | None:
    """Return what public and private parts make of runs; None if they share fewer than two planets.

    Args:
        runs: what each planet adds to the score, of each run.
        n_test: planets of the hidden test set.
    """
    common = sorted(set.intersection(*(set(run) for run in runs))) if runs else []
    if len(common) < 2:
        return None
    scores = np.array([[run[planet] for planet in common] for run in runs])
    rng = np.random.default_rng(_SEED)
    public, private = (np.empty((_SPLITS, len(runs))) for _ in range(2))
    for split in range(_SPLITS):
        drawn = rng.integers(len(common), size=n_test)
        n_public = int(np.clip(round(rng.uniform(*PUBLIC_FRACTION) * n_test), 1, n_test - 1))
        public[split] = scores[:, drawn[:n_public]].mean(axis=1)
        private[split] = scores[:, drawn[n_public:]].mean(axis=1)
    every, chosen, best = np.arange(_SPLITS), public.argmax(axis=1), private.argmax(axis=1)
    return ShakeUp(
        n_run=len(runs),
        n_planet=len(common),
        spread=float((public - private)[:, 0].std()),
        places=float(np.abs(_ranks(public) - _ranks(private)).mean()),
        agreement=float((chosen == best).mean()),
        regret=float((private[every, best] - private[every, chosen]).mean()),
        winners=tuple((np.bincount(best, minlength=len(runs)) / _SPLITS).tolist()),
    )


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return the place of each run in each split, 0 for the best, (n_split, n_run)."""
    return np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
