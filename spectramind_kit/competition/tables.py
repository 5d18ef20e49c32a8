"""Tables of a competition folder, as they come: blank lines are no rows, and one file is read, not a pattern of names.

polars takes ``[`` in a path for a pattern and would read a neighbour's file, takes a blank last line for a row without
a planet, and panics on some damaged files, which is no ``Exception``. All of that ends here.
"""

import logging
from io import BytesIO
from pathlib import Path

import polars as pl

from spectramind_kit.errors import CompetitionDataError

logger = logging.getLogger(__name__)

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars may raise on a damaged file."""
_EMPTY = b" \t\r,;" + b'"'


def read_table(path: Path) -> pl.DataFrame:
    """Read a table, parquet or csv.

    Raises:
        CompetitionDataError: if the file is missing or cannot be read.
    """
    return _read(path, lambda: pl.read_parquet(path, glob=False) if path.suffix == ".parquet" else read_csv(path))


def read_csv(path: Path) -> pl.DataFrame:
    """Read a table of numbers; lines without a value are left out."""
    return pl.read_csv(_lines_with_values(path), infer_schema_length=None)


def read_text_table(path: Path) -> pl.DataFrame:
    """Read a table row by row, every entry as text: a line that is no row costs no other row.

    Raises:
        CompetitionDataError: if the file is missing or has no header.
    """
    return _read(
        path,
        lambda: pl.read_csv(
            _lines_with_values(path),
            infer_schema=False,
            truncate_ragged_lines=True,
            quote_char=None,
            encoding="utf8-lossy",
        ),
    )


def with_integer_ids(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Cast ``planet_id`` to Int64 (one real table holds it as 1103775.0; ids exceed 32 bits).

    Args:
        table: of which every row is a planet's.
        name: of the table, for errors.

    Raises:
        CompetitionDataError: if there is no such column, or a row has no whole number in it.
    """
    ids = _whole_numbers(table, name)
    if ids.null_count():
        row = int(ids.is_null().arg_max() or 0)
        got = f"{table['planet_id'][row]!r} in row {row + 1}"
        raise CompetitionDataError(name, wanted="whole numbers in column planet_id", got=got)
    return table.with_columns(ids)


def rows_of_planets(table: pl.DataFrame, name: str) -> dict[int, dict]:
    """Return rows by planet; a row that is no planet's is left out, with a word in the log.

    Args:
        table: whose rows are mappings from column to value.
        name: of the table.

    Raises:
        CompetitionDataError: if there is no column of planets.
    """
    ids = _whole_numbers(table, name)
    if ids.null_count():
        logger.warning("%s: %d rows are no planet's and are not used", name, ids.null_count())
    rows = table.with_columns(ids).filter(pl.col("planet_id").is_not_null())
    return {row["planet_id"]: row for row in rows.iter_rows(named=True)}


def _whole_numbers(table: pl.DataFrame, name: str) -> pl.Series:
    """Return the column of planets as Int64, null where an entry is no whole number."""
    if "planet_id" not in table.columns:
        raise CompetitionDataError(name, wanted="a column planet_id", got=table.columns[:6])
    column = table["planet_id"]
    if column.dtype.is_integer():
        return column.cast(pl.Int64, strict=False)
    text = column.str.strip_chars() if column.dtype == pl.String else column
    exact = text.cast(pl.Int64, strict=False) if column.dtype == pl.String else pl.Series([None] * len(column))
    number = text.cast(pl.Float64, strict=False)
    whole = number.is_finite() & (number == number.round())
    from_float = number.set(~whole.fill_null(False), None).cast(pl.Int64, strict=False)
    return exact.cast(pl.Int64).fill_null(from_float).alias("planet_id")


def _read(path: Path, reader) -> pl.DataFrame:
    if not path.is_file():
        raise CompetitionDataError(
            f"{path}", wanted="this table", got="no such file", remedy="complete the competition folder"
        )
    try:
        return reader()
    except UNREADABLE as error:
        got = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise CompetitionDataError(
            f"{path}", wanted="a readable table", got=got, remedy="download the file again"
        ) from error


def _lines_with_values(path: Path) -> BytesIO:
    """Return a file's lines without those that hold nothing but separators."""
    lines = path.read_bytes().split(b"\n")
    return BytesIO(b"\n".join(line for line in lines if line.strip(_EMPTY)))
