"""``submission.csv``: exactly the rows and columns of ``sample_submission.csv``, checked before Kaggle does.

The metric reads columns by position and joins nothing, so order is everything.
"""

import logging
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.competition.tables import UNREADABLE, read_csv, with_integer_ids
from spectramind_kit.errors import CompetitionDataError, SubmissionError
from spectramind_kit.files import replacing
from spectramind_kit.instruments import N_WAVELENGTH
from spectramind_kit.products import LARGEST_DEPTH, Spectrum

logger = logging.getLogger(__name__)

COLUMNS = (
    "planet_id",
    *(f"wl_{i + 1}" for i in range(N_WAVELENGTH)),
    *(f"sigma_{i + 1}" for i in range(N_WAVELENGTH)),
)


def wanted_rows(folder: CompetitionFolder) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows and columns that a submission must have, and what is wrong with the sample, in words.

    A sample that cannot be read costs no submission: the planets that have a folder are asked for then. Its columns
    are known beforehand, whatever it says.

    Args:
        folder: of the competition.

    Raises:
        CompetitionDataError: if the folder names no planet at all.
    """
    try:
        sample, problems = folder.sample_submission(), []
        if not len(sample):
            raise CompetitionDataError("sample_submission.csv", wanted="at least one planet", got="none")
        if (there := _test_planets(folder)) and not there & set(sample["planet_id"].to_list()):
            got = f"{sample['planet_id'][0]} and others, none of which has one"
            raise CompetitionDataError("sample_submission.csv", wanted="planets with a folder in test/", got=got)
    except CompetitionDataError as error:
        sample, problems = pl.DataFrame({"planet_id": folder.planet_ids("test")}, {"planet_id": pl.Int64}), [str(error)]
        if not len(sample):
            raise
    if not problems and sample.columns != list(COLUMNS):
        problems = [f"sample_submission.csv has other columns than {COLUMNS[0]}, {COLUMNS[1]} .. {COLUMNS[-1]}"]
    for problem in problems:
        logger.warning("the submission's rows and columns: %s", problem)
    return sample.select("planet_id", *(pl.lit(None, pl.Float64).alias(c) for c in COLUMNS[1:])), tuple(problems)


def _test_planets(folder: CompetitionFolder) -> set[int]:
    """Return the planets that have a folder; none where one may not look."""
    try:
        return set(folder.planet_ids("test"))
    except (CompetitionDataError, OSError):
        return set()


def submission_table(spectra: Sequence[Spectrum], planet_ids: Sequence[int]) -> pl.DataFrame:
    """Return the submission, one row per planet in the order of ``planet_ids``.

    Raises:
        SubmissionError: if a planet has no spectrum.
    """
    by_planet = {spectrum.planet_id: spectrum for spectrum in spectra}
    missing = [planet for planet in planet_ids if planet not in by_planet]
    if missing:
        raise SubmissionError("submission", wanted="a spectrum for every planet", got=f"none for {missing[:5]}")
    ordered = [by_planet[planet] for planet in planet_ids]
    numbers = np.array([np.concatenate([s.mean, s.sigma]) for s in ordered]).reshape(-1, 2 * N_WAVELENGTH)
    table = pl.DataFrame(numbers, schema=list(COLUMNS[1:]))
    return table.insert_column(0, pl.Series("planet_id", list(planet_ids), dtype=pl.Int64))


def write_submission(spectra: Sequence[Spectrum], sample: pl.DataFrame, path: Path) -> Path:
    """Write and validate the submission; a reader, or a crash, meets a whole file or none.

    Args:
        spectra: one per planet of the sample, in any order.
        sample: ``sample_submission.csv``.
        path: where to write.
    """
    table = submission_table(spectra, sample["planet_id"].to_list())
    validate_submission(table, sample)
    with replacing(path, durable=True) as temporary:
        temporary.write_bytes(table.write_csv().encode())  # not by polars, which panics where a disk is full
    return path


def read_submission(path: Path | str) -> pl.DataFrame:
    """Read a submission; ``planet_id`` is Int64.

    Raises:
        SubmissionError: if the file is missing or no table.
    """
    path = Path(path)
    if not path.is_file():
        raise SubmissionError(f"{path}", wanted="a submission", got="no such file", remedy="run `spectramind submit`")
    try:
        return with_integer_ids(read_csv(path), str(path))
    except (*UNREADABLE, CompetitionDataError) as error:
        raise SubmissionError(f"{path}", wanted="a readable table", got=str(error).splitlines()[0][:160]) from error


def validate_submission(table: pl.DataFrame, sample: pl.DataFrame) -> None:
    """Refuse a submission that Kaggle would refuse, or that would score by accident.

    Checks columns and rows against the sample in name and order, that every value is a finite number above zero
    and not larger than a star.

    Raises:
        SubmissionError: naming the first thing that is wrong.
    """
    _refuse_difference("columns of the submission", table.columns, sample.columns)
    ids = table["planet_id"].to_list()
    _refuse_difference("rows of the submission", ids, sample["planet_id"].cast(pl.Int64).to_list())
    _refuse_text(table)
    values = table.select(table.columns[1:]).to_numpy().astype(np.float64)
    fits = np.isfinite(values) & (values > 0) & (values <= LARGEST_DEPTH)
    if not fits.all():
        row, column = np.argwhere(~fits)[0]
        raise SubmissionError(
            f"planet {ids[row]}, column {table.columns[1 + column]}",
            wanted=f"a finite number above 0, at most {LARGEST_DEPTH:g}",
            got=values[row, column],
        )


def _refuse_difference(what: str, got: Sequence, wanted: Sequence) -> None:
    for i, (g, w) in enumerate(zip_longest(got, wanted, fillvalue="nothing"), start=1):
        if g != w:
            raise SubmissionError(
                what,
                wanted=f"the sample's {len(wanted)}",
                got=f"{len(got)}, first difference: {g} instead of {w} at {i}",
            )


def _refuse_text(table: pl.DataFrame) -> None:
    for column in table.columns[1:]:
        if not table[column].dtype.is_numeric():
            raise SubmissionError(f"column {column}", wanted="numbers", got=str(table[column].dtype))


def submission_arrays(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return planets (n,) and their means and sigmas (n, 283), read by position as the metric does.

    Raises:
        SubmissionError: if the table has no row, not 1 + 2 * 283 columns, or text in them.
    """
    if not table.height:
        raise SubmissionError("rows of the submission", wanted="a planet", got="none")
    if table.width != len(COLUMNS):
        raise SubmissionError("columns of the submission", wanted=len(COLUMNS), got=table.width)
    _refuse_text(table)
    values = table.drop("planet_id").to_numpy().astype(np.float64)
    return table["planet_id"].to_numpy(), values[:, :N_WAVELENGTH], values[:, N_WAVELENGTH:]
