"""Cross-validation folds: by planet, deterministic, whatever order the planets come in."""

import hashlib
from collections.abc import Sequence

import numpy as np


def assign_folds(planet_ids: Sequence[int], n_fold: int, seed: int) -> np.ndarray:
    """Return the fold (n_planet,) of each planet, in [0, n_fold).

    Planets are ranked by a hash of id and seed and dealt in turn, so folds differ in size by one at most and
    all visits of a planet share a fold.
    """
    digests = np.array([hashlib.sha256(f"{seed}:{planet}".encode()).hexdigest() for planet in planet_ids])
    rank = np.argsort(np.argsort(digests))
    return rank % n_fold
