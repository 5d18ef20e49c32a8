"""Paired differences over planets: how much better one run is than another, and how sure that is.

Both runs predict the same planets, so most of the scatter from planet to planet cancels in d_i = a_i - b_i. The
standard error of the mean difference is s(d) / sqrt(n); the chance that A truly beats B is the fraction of planets'
bootstrap samples in which it does. Neither knows of luck that all planets share, such as a network's seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import SpectraMindError

_SAMPLES = 4000
_SEED = 20251


@dataclass(frozen=True)
class PairedDifference:
    """The difference of two runs over the planets that both predicted.

    Attributes:
        n: planets.
        mean: of the first run's score minus the second's.
        error: standard error of it; NaN with one planet.
        chance: that the first truly is better, in [0, 1].
        worst: planets that lost most, and how much each.
        best: planets that gained most, and how much each.
    """

    n: int
    mean: float
    error: float
    chance: float
    worst: tuple[tuple[int, float], ...] = ()
    best: tuple[tuple[int, float], ...] = ()

    @property
    def within_noise(self) -> bool:
        """True if less than two standard errors separate the runs."""
        return not abs(self.mean) > 2.0 * self.error

    def __str__(self) -> str:
        verdict = "within its noise" if self.within_noise else "beyond its noise"
        return f"{self.mean:+.4f} +- {self.error:.4f} over {self.n} planets, {verdict}; better with {self.chance:.0%}"


def paired_difference(first: Mapping[int, float], second: Mapping[int, float]) -> PairedDifference:
    """Return the difference of two runs, first minus second.

    Args:
        first: what each planet adds to the score of one run.
        second: likewise of the other.

    Raises:
        SpectraMindError: if they share no planet.
    """
    planets = sorted(first.keys() & second.keys())
    if not planets:
        raise SpectraMindError(
            "runs to compare", wanted="planets that both scored", got="none", remedy="compare runs of the same split"
        )
    difference = np.array([first[planet] - second[planet] for planet in planets])
    error = difference.std(ddof=1) / np.sqrt(len(planets)) if len(planets) > 1 else np.nan
    order = np.argsort(difference)
    return PairedDifference(
        n=len(planets),
        mean=float(difference.mean()),
        error=float(error),
        chance=_chance(difference),
        worst=tuple((planets[i], float(difference[i])) for i in order[:3] if difference[i] < 0),
        best=tuple((planets[i], float(difference[i])) for i in order[:-4:-1] if difference[i] > 0),
    )


def bootstrap_interval(scores: Mapping[int, float], coverage: float = 0.68) -> tuple[float, float]:
    """Return an interval of the score that other planets of the same kind would give.

    Args:
        scores: what each planet adds to the score.
        coverage: of the interval.
    """
    means = _bootstrap(np.array(list(scores.values())))
    low, high = np.quantile(means, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _chance(difference: np.ndarray) -> float:
    means = _bootstrap(difference)
    return float((means > 0).mean() + 0.5 * (means == 0).mean())


def _bootstrap(values: np.ndarray) -> np.ndarray:
    """Return the means of samples drawn with replacement, the same in every session."""
    rng = np.random.default_rng(_SEED)
    return np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(_SAMPLES)])
