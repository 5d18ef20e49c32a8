"""Tables of a competition folder, as they come: what is no row costs no row, and one file is read, not a pattern.

polars takes ``[`` in a path for a pattern and would read a neighbour's file, takes a blank last line for a row without
a planet, and panics on some damaged files, which is no ``Exception``. Editors and spreadsheets add lines above a
header, byte order marks, other line ends and quotes. All of that ends here.
"""

import codecs
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import polars as pl

from spectramind_kit.errors import CompetitionDataError

logger = logging.getLogger(__name__)

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars may raise on a damaged file."""
_EMPTY = b" \t,;"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_table(path: Path) -> pl.DataFrame:
    """Read a table, parquet or csv.

    Raises:
        CompetitionDataError: if the file is missing or cannot be read.
    """
    return _read(path, lambda: pl.read_parquet(path, glob=False) if path.suffix == ".parquet" else read_csv(path))


def read_csv(path: Path) -> pl.DataFrame:
    """Read a table of numbers; lines without a value are left out."""
    return pl.read_csv(_clean(path.read_bytes()), infer_schema_length=None)


def read_text_table(path: Path) -> pl.DataFrame:
    """Read a table row by row, every entry as text: a line that is no row costs no other row.

    The table is as wide as the lines that hold most of the entries; others above the first of these are left out.

    Raises:
        CompetitionDataError: if the file is missing or has no header.
    """

    def reader() -> pl.DataFrame:
        lines = _clean(path.read_bytes()).getvalue().split(b"\n")
        widths = [line.count(b",") + 1 for line in lines]
        entries = {width: n * width for width, n in Counter(widths).items()}
        header = widths.index(max(entries, key=entries.__getitem__))
        table = pl.read_csv(
            BytesIO(b"\n".join(lines[header:])),
            infer_schema=False,
            truncate_ragged_lines=True,
            quote_char=None,
            encoding="utf8-lossy",
        )
        return table.rename(str.strip)

    return _read(path, reader)


def require_columns(table: pl.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Refuse a table that has not all columns.

    Raises:
        CompetitionDataError: naming the first one that is missing.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise CompetitionDataError(f"{path}", wanted=f"column {missing[0]!r}", got=table.columns[:12])


def rows_of_numbers(table: pl.DataFrame, columns: Sequence[str], name: str) -> pl.DataFrame:
    """Return the rows that have a finite number in each of some columns, these columns as Float64.

    Args:
        table: of text, as ``read_text_table`` gives it.
        columns: that count.
        name: of the table, for the log.
    """
    numbers = table.with_columns(pl.col(columns).str.strip_chars().cast(pl.Float64, strict=False))
    whole = numbers.filter(pl.all_horizontal(pl.col(columns).is_finite().fill_null(False)))
    if len(whole) < len(table):
        logger.warning("%s: %d lines are no rows of numbers and are not used", name, len(table) - len(whole))
    return whole


def planet_rows(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that are a planet's, ``planet_id`` as Int64; a planet's first row counts.

    Args:
        table: that may have other rows.
        name: of the table, for errors and the log.

    Raises:
        CompetitionDataError: if there is no column of planets.
    """
    rows = table.with_columns(_whole_numbers(table, name)).filter(pl.col("planet_id").is_not_null())
    found = rows.unique("planet_id", keep="first", maintain_order=True)
    if len(found) < len(table):
        others = len(table) - len(rows), len(rows) - len(found)
        logger.warning("%s: %d rows are no planet's, %d come again; they are not used", name, *others)
    return found


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
    """Return rows by planet, as ``planet_rows`` leaves them.

    Args:
        table: whose rows are mappings from column to value.
        name: of the table.

    Raises:
        CompetitionDataError: if there is no column of planets.
    """
    return {row["planet_id"]: row for row in planet_rows(table, name).iter_rows(named=True)}


def _whole_numbers(table: pl.DataFrame, name: str) -> pl.Series:
    """Return the column of planets as Int64, null where an entry is no whole number."""
    if "planet_id" not in table.columns:
        raise CompetitionDataError(name, wanted="a column planet_id", got=str(table.columns[:6])[:160])
    column = table["planet_id"]
    if column.dtype.is_integer():
        return column.cast(pl.Int64, strict=False)
    text = column.str.strip_chars() if column.dtype == pl.String else column
    exact = text.cast(pl.Int64, strict=False) if column.dtype == pl.String else pl.Series([None] * len(column))
    number = text.cast(pl.Float64, strict=False)
    whole = number.is_finite() & (number == number.round())
    from_float = number.set(~whole.fill_null(False), None).cast(pl.Int64, strict=False)
    return exact.cast(pl.Int64).fill_null(from_float).alias("planet_id")


def _read(path: Path, reader: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    try:
        if not path.is_file():
            raise CompetitionDataError(
                f"{path}", wanted="this table", got="no such file", remedy="complete the competition folder"
            )
        return reader()
    except UNREADABLE as error:
        got = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise CompetitionDataError(
            f"{path}", wanted="a readable table", got=got, remedy="download the file again"
        ) from error


def _clean(content: bytes) -> BytesIO:
    """Return a csv file's lines that hold a value, without byte order mark, quotes, and bytes that are no text.

    No entry of these tables needs quotes; one that is never closed would swallow the rows after it.
    """
    if content[:2] in _UTF16:
        content = content.decode("utf-16", errors="replace").encode()
    content = content.removeprefix(codecs.BOM_UTF8).translate(None, b'"\0')
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return BytesIO(b"\n".join(line for line in lines if line.strip(_EMPTY)))
