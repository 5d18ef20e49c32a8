"""The prior of star and instrument for every fold: learned from the visits of the others, and once from all."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from spectramind_kit.environment import available_cores
from spectramind_kit.fitting.nuisance_learning import VisitStatistics, learn_nuisance_prior
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.prediction.worker import one_thread

MOST_TEACHING = 200
"""Planets that are learned from at most: some hundred numbers are learned, and more planets cost time and memory."""

_MOST_AT_ONCE = 2
"""Folds learned from at the same time: each takes .15 GB with so many planets."""


def teaching_planets(planets: Sequence[int]) -> frozenset[int]:
    """Return the planets whose visits are learned from, evenly spread over all of them."""
    n = min(len(planets), MOST_TEACHING)
    return frozenset(planets[int(place)] for place in np.linspace(0, len(planets) - 1, n)) if n else frozenset()


def learn_nuisance_priors(
    visits: Mapping[int, Sequence[VisitStatistics]], fold: Mapping[int, int], workers: int = 0
) -> tuple[NuisancePrior | None, ...]:
    """Return the prior for the planets of each fold, and that for new planets.

    Args:
        visits: of each planet that is learned from.
        fold: of every training planet, from 0.
        workers: threads, which linear algebra lets run side by side; 0 is one per core.
    """
    n_fold = max(fold.values()) + 1 if fold else 0

    def without(held_out: int | None) -> NuisancePrior | None:
        kept = (planet for planet in visits if fold[planet] != held_out)
        return learn_nuisance_prior([visit for planet in kept for visit in visits[planet]])

    with one_thread(), ThreadPoolExecutor(min(workers or available_cores(), _MOST_AT_ONCE)) as pool:
        return tuple(pool.map(without, [*range(n_fold), None]))
