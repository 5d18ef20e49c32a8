"""Ways in which the tables of a competition folder can be damaged: what editors, spreadsheets and discs do to them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TABLES = (
    "sample_submission.csv",
    "test_star_info.csv",
    "adc_info.csv",
    "wavelengths.csv",
    "train.csv",
    "axis_info.parquet",
)
TEXT = b"the end of what, he asked"
Change = Callable[[bytes, np.random.Generator], bytes]


@dataclass(frozen=True)
class TableFault:
    """A kind of damage to a table.

    Attributes:
        name: in words.
        damage: of the table's file.
        harmless: whether all that was in the table still is, so that nothing may come out differently.
    """

    name: str
    damage: Callable[[Path, np.random.Generator], None]
    harmless: bool


def _lines(change: Callable[[list[bytes], np.random.Generator], list[bytes]]) -> Change:
    """Return a change of lines, the first of which is the header."""
    return lambda content, rng: b"\n".join(change(content.splitlines(), rng)) + b"\n"


def _cells(change: Callable[[list[bytes], int], list[bytes]]) -> Change:
    """Return a change of the cells of each line, given its place."""
    return _lines(lambda lines, rng: [b",".join(change(line.split(b","), i)) for i, line in enumerate(lines)])


def _inserted(line: bytes, place: Callable[[int], int]) -> Change:
    return _lines(lambda lines, rng: [*lines[: place(len(lines))], line, *lines[place(len(lines)) :]])


def _flipped(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for place in rng.integers(0, len(content), 3):
        damaged[place] ^= int(rng.integers(1, 256))
    return bytes(damaged)


HARMLESS: dict[str, Change] = {
    "blank lines everywhere": lambda content, rng: b"\n \n" + content.replace(b"\n", b"\n\n,,\n"),
    "text above the header": _inserted(TEXT, lambda n: 0),
    "text below the header": _inserted(TEXT, lambda n: 1),
    "text at the end": lambda content, rng: content + TEXT + b"\n",
    "text without a line's end": lambda content, rng: content.rstrip() + b"\n" + TEXT,
    "a quote that is never closed": lambda content, rng: content + b'"\n',
    "a byte order mark": lambda content, rng: b"\xef\xbb\xbf" + content,
    "UTF-16": lambda content, rng: content.decode().encode("utf-16"),
    "CRLF": lambda content, rng: content.replace(b"\n", b"\r\n"),
    "a byte order mark and CRLF": lambda content, rng: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"),
    "an index in front": _cells(lambda cells, i: [str(i - 1).encode() if i else b"", *cells]),
    "columns reversed": _cells(lambda cells, i: cells[::-1]),
    "CR": lambda content, rng: content.replace(b"\n", b"\r"),
    "every row twice": _lines(lambda lines, rng: [lines[0], *(line for line in lines[1:] for _ in range(2))]),
    "everything in quotes": _cells(lambda cells, i: [b'"' + cell + b'"' for cell in cells]),
    "spaces around cells": _cells(lambda cells, i: [b" " + cell + b" " for cell in cells]),
    "a column more": _cells(lambda cells, i: [*cells, b"remark" if not i else b"fine"]),
    "a comma more at the end of lines": _cells(lambda cells, i: [*cells, b""]),
    "NUL bytes at the end": lambda content, rng: content + bytes(512),
    "no line's end": lambda content, rng: content.rstrip(),
}
"""What may not cost any table anything."""
IDS: dict[str, Change] = {
    "ids as 7.0": _cells(lambda cells, i: [cells[0] + b".0" * (cells[0].isdigit()), *cells[1:]]),
    "ids with zeros before them": _cells(lambda cells, i: [b"00" * bool(i) + cells[0], *cells[1:]]),
    "rows reversed": _lines(lambda lines, rng: [lines[0], *lines[:0:-1]]),
}
HARMFUL: dict[str, Change] = {
    "empty": lambda content, rng: b"",
    "the header alone": _lines(lambda lines, rng: lines[:1]),
    "half": lambda content, rng: content[: len(content) // 2],
    "bytes changed": _flipped,
    "noise": lambda content, rng: rng.bytes(2000),
    "a page of HTML": lambda content, rng: b"<html>\n<body>404, not found</body>\n</html>\n",
    "tabs": lambda content, rng: content.replace(b",", b"\t"),
    "ids in scientific notation": _cells(
        lambda cells, i: [f"{float(cells[0]):.1E}".encode() if cells[0].isdigit() else cells[0], *cells[1:]]
    ),
    "semicolons": lambda content, rng: content.replace(b",", b";"),
    "the header in capitals": _lines(lambda lines, rng: [lines[0].upper(), *lines[1:]]),
    "no header": _lines(lambda lines, rng: lines[1:]),
    "the second column gone": _cells(lambda cells, i: [cells[0], *cells[2:]]),
    "text in every cell": _cells(lambda cells, i: [b"x"] * len(cells) if i else cells),
    "numbers infinite": _cells(lambda cells, i: [cells[0], *[b"inf"] * (len(cells) - 1)] if i else cells),
    "numbers 1e300": _cells(lambda cells, i: [cells[0], *[b"1e300"] * (len(cells) - 1)] if i else cells),
}


def _on_content(change: Change) -> Callable[[Path, np.random.Generator], None]:
    def damage(path: Path, rng: np.random.Generator) -> None:
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(change(content, rng))

    return damage


def _missing(path: Path, rng: np.random.Generator) -> None:
    path.unlink()


def _folder(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _unreadable(path: Path, rng: np.random.Generator) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    path.chmod(0)


PATHS = {"missing": _missing, "a folder": _folder, "a link to itself": _loop, "not readable": _unreadable}


def faults_of(table: str) -> list[TableFault]:
    """Return the kinds of damage that a table can have.

    Args:
        table: name of its file.
    """
    text = not table.endswith(".parquet")
    harmless = (HARMLESS | (IDS if "wave" not in table and "adc" not in table else {})) if text else {}
    harmful = HARMFUL if text else {name: HARMFUL[name] for name in ("empty", "half", "bytes changed", "noise")}
    if table == "sample_submission.csv":  # its rows are an order, and fewer of them are another wish
        harmless = {name: change for name, change in harmless.items() if name != "rows reversed"}
        harmful = {name: change for name, change in harmful.items() if name != "half"}
    found = [TableFault(name, _on_content(change), True) for name, change in harmless.items()]
    found += [TableFault(name, _on_content(change), False) for name, change in harmful.items()]
    return found + [TableFault(name, damage, False) for name, damage in PATHS.items()]
