"""``planets.csv`` of a run: planet_id, fold, score. What runs are compared by, planet by planet.

The score is what a planet adds to the competition's (``metric.planet_scores``); empty where it was not predicted, or
its truth is not known. With its folds, the table of one run can be the folds of the next (``training.folds_file``).
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.tables import read_table, with_integer_ids
from spectramind_kit.errors import CompetitionDataError, SpectraMindError
from spectramind_kit.metric import planet_scores
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.run_record import PLANETS, RunRecord

logger = logging.getLogger(__name__)

_SCHEMA = {"planet_id": pl.Int64, "fold": pl.Int64, "score": pl.Float64}


def scores_of(
    spectra: Sequence[Spectrum], truth: Mapping[int, np.ndarray], naive: tuple[float, float], edition: str
) -> dict[int, float]:
    """Return what each predicted planet of known truth adds to the score.

    Args:
        spectra: predictions.
        truth: (n_wavelength,) by planet [(Rp/Rs)^2].
        naive: mean and spread of the training labels, the score's zero point [(Rp/Rs)^2].
        edition: "2025" or "2024".
    """
    known = [spectrum for spectrum in spectra if spectrum.planet_id in truth]
    if not known:
        return {}
    true, mean, sigma = (
        np.array([truth[s.planet_id] for s in known]),
        np.array([s.mean for s in known]),
        np.array([s.sigma for s in known]),
    )
    ids = [spectrum.planet_id for spectrum in known]
    return dict(zip(ids, planet_scores(true, mean, sigma, naive, edition).tolist()))


def keep_scores(
    run: RunRecord,
    spectra: Sequence[Spectrum],
    truth: tuple[np.ndarray, np.ndarray] | None,
    naive: tuple[float, float] | None,
    edition: str,
    folds: Mapping[int, int] | None = None,
) -> None:
    """Keep with a run what its planets add to the score; nothing without a truth or a zero point.

    Args:
        run: whose predictions they are.
        spectra: predictions.
        truth: planets (n_planet,) and true spectra (n_planet, n_wavelength) [(Rp/Rs)^2].
        naive: as in ``scores_of``.
        edition: "2025" or "2024".
        folds: by planet, if they were predicted out of fold.
    """
    if truth is None or naive is None:
        return
    try:
        scores = scores_of(spectra, dict(zip(truth[0].tolist(), truth[1])), naive, edition)
    except SpectraMindError as error:
        logger.warning("the planets' own scores are not recorded: %s", error)
        return
    run.keep(PLANETS, partial(write_planet_scores, scores=scores, folds=folds))
    if scores and folds is None:
        run.metrics(score=float(np.clip(np.mean(list(scores.values())), 0.0, 1.0)), scored=len(scores))


def write_planet_scores(path: Path, scores: Mapping[int, float], folds: Mapping[int, int] | None = None) -> None:
    """Write the table.

    Args:
        path: of the file.
        scores: by planet.
        folds: by planet, of every training planet, predicted or not; None for planets without.
    """
    planets = list(folds or scores)
    rows = [(planet, (folds or {}).get(planet), scores.get(planet)) for planet in planets]
    pl.DataFrame(rows, schema=_SCHEMA, orient="row").write_csv(path)


def read_planet_scores(path: Path) -> dict[int, float]:
    """Return the scores by planet, of those that have one; none where there is no file."""
    if not path.is_file():
        return {}
    table = with_integer_ids(read_table(path), path.name).cast({"score": pl.Float64})
    return dict(table.select("planet_id", "score").drop_nulls().iter_rows())


def read_folds(path: Path) -> dict[int, int]:
    """Return frozen folds by planet, counted from 0 on.

    Args:
        path: of a table with the columns planet_id and fold, such as ``planets.csv`` of a training.

    Raises:
        CompetitionDataError: if it is no such table.
    """
    table = with_integer_ids(read_table(path), path.name)
    folds = table["fold"].to_list() if "fold" in table.columns else []
    if not folds or not all(isinstance(fold, int) and fold >= 0 for fold in folds):
        got = "some without" if folds else "none"
        remedy = "take planets.csv of a training, runs/<time>-train/"
        raise CompetitionDataError(f"folds {path}", wanted="a whole number a planet", got=got, remedy=remedy)
    # Folds are ranks: a file that lacks one, because its planets were left out, is as good.
    rank = {fold: i for i, fold in enumerate(sorted(set(folds)))}
    return dict(zip(table["planet_id"].to_list(), (rank[fold] for fold in folds)))
