"""Calls of the operating system that fail when it is their turn, as SQLite's tests do it."""

import builtins
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

FAILING = {
    "open to write": (builtins, "open"),
    "replace": (os, "replace"),
    "fsync": (os, "fsync"),
    "mkdir": (os, "mkdir"),
    "unlink": (os, "unlink"),
}
"""What may fail, by name."""


@dataclass
class Call:
    """Counts calls; ``failed`` once the one whose turn it was has failed."""

    turn: int
    observed: int = 0
    failed: bool = False


@contextmanager
def failing_call(kind: str, turn: int) -> Iterator[Call]:
    """Let one call of a kind fail with a full disk.

    Args:
        kind: one of ``FAILING``.
        turn: the how-manieth call fails, from 1.
    """
    (owner, name), call = FAILING[kind], Call(turn)
    original = getattr(owner, name)

    def perhaps(*args, **kwargs):
        if kind != "open to write" or any(letter in str((*args, *kwargs.values())[1:2]) for letter in "wax"):
            call.observed += 1
            if call.observed == call.turn and not str(args[0]).startswith("/dev"):
                call.failed = True
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(Path(str(args[0])).name))
        return original(*args, **kwargs)

    with mock.patch.object(owner, name, perhaps):
        yield call
