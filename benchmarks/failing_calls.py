"""Calls of the operating system that fail when it is their turn, as SQLite's tests do it."""

import builtins
import errno
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl

OPENERS = ((builtins, "open"), (io, "open"))
"""``Path.open`` and its like go by the second one."""
FAILING: dict[str, tuple[tuple[Any, str], ...]] = {
    "open to write": OPENERS,
    "open to read": OPENERS,
    "write": OPENERS,
    "replace": ((os, "replace"),),
    "fsync": ((os, "fsync"),),
    "mkdir": ((os, "mkdir"),),
    "unlink": ((os, "unlink"),),
    "list": ((os, "listdir"), (os, "scandir")),
    "stat": ((os, "stat"),),
    "read parquet": ((pl, "read_parquet"), (pl, "scan_parquet")),
    "spawn": ((subprocess, "Popen"),),
}
"""What may fail, by name, and where it is called."""
_ERRORS = {**dict.fromkeys(("open to read", "list", "stat", "read parquet"), errno.EIO), "spawn": errno.EAGAIN}
_OTHER = errno.ENOSPC


@dataclass
class Call:
    """Counts calls; ``failed`` once the one whose turn it was has failed."""

    turn: int
    observed: int = 0
    failed: bool = False

    def pass_or_fail(self, kind: str, name: object) -> None:
        """Count a call.

        Raises:
            OSError: if it is its turn.
        """
        self.observed += 1
        if self.observed == self.turn:
            self.failed = True
            number = _ERRORS.get(kind, _OTHER)
            raise OSError(number, os.strerror(number), Path(str(name)).name)


class FailingWriter:
    """A file whose writes are counted and may fail."""

    def __init__(self, file: Any, call: Call):
        self._file, self._call = file, call

    def write(self, content: Any) -> int:
        """Write, or fail."""
        self._call.pass_or_fail("write", self._file.name)
        return self._file.write(content)

    def __enter__(self) -> "FailingWriter":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def failing_call(kind: str, turn: int) -> Iterator[Call]:
    """Let one call of a kind fail: with a full disk, a bad sector, or no process left.

    Args:
        kind: one of ``FAILING``.
        turn: the how-manieth call fails, from 1.
    """
    call = Call(turn)
    with ExitStack() as patches:
        for owner, name in FAILING[kind]:
            patches.enter_context(mock.patch.object(owner, name, _perhaps(kind, getattr(owner, name), call)))
        yield call


def _perhaps(kind: str, original: Callable, call: Call) -> Callable:
    """Return a function that does what another one does unless it is its turn to fail."""

    def perhaps(first: Any = ".", *args: Any, **kwargs: Any) -> Any:
        if FAILING[kind] is not OPENERS:
            call.pass_or_fail(kind, first)
            return original(first, *args, **kwargs)
        mode = str([*args, kwargs.get("mode", "r")][0])
        writing = any(letter in mode for letter in "wax+")
        ours = not isinstance(first, int) and not str(first).startswith(("/dev", "/proc", "/sys"))
        if ours and kind == ("open to write" if writing else "open to read"):
            call.pass_or_fail(kind, first)
        file = original(first, *args, **kwargs)
        return FailingWriter(file, call) if ours and writing and kind == "write" else file

    return perhaps
