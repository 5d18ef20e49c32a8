"""Cross-validation folds: by planet, deterministic, whatever order the planets come in, or frozen in a file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.settings.training import TrainingConfig
from spectramind_kit.work_folder.planet_scores import read_folds


def assign_folds(planet_ids: Sequence[int], n_fold: int, seed: int) -> np.ndarray:
    """Return the fold (n_planet,) of each planet, in [0, n_fold).

    Planets are ranked by a hash of id and seed and dealt in turn, so folds differ in size by one at most and
    all visits of a planet share a fold.
    """
    digests = np.array([hashlib.sha256(f"{seed}:{planet}".encode()).hexdigest() for planet in planet_ids])
    rank = np.argsort(np.argsort(digests))
    return rank % n_fold


def training_folds(planet_ids: Sequence[int], config: TrainingConfig, seed: int) -> np.ndarray:
    """Return the fold (n_planet,) of each training planet: as a file has them, or dealt.

    Args:
        planet_ids: of the training planets.
        config: number of folds, and the file if there is one.
        seed: of the deal.

    Raises:
        CompetitionDataError: if the file lacks a planet, or has all in one fold.
    """
    if not config.folds_file:
        return assign_folds(planet_ids, min(config.folds, len(planet_ids)), seed)
    frozen = read_folds(Path(config.folds_file))
    missing = [planet for planet in planet_ids if planet not in frozen]
    if missing:
        got, remedy = f"none of {missing[:5]}", "freeze the folds of these data with `spectramind folds`"
        raise CompetitionDataError(f"folds {config.folds_file}", wanted="every planet", got=got, remedy=remedy)
    ranks = np.unique([frozen[planet] for planet in planet_ids], return_inverse=True)[1]
    if len(planet_ids) > 1 and ranks.max() == 0:
        raise CompetitionDataError(f"folds {config.folds_file}", wanted="two at least", got="all planets in one")
    return ranks
