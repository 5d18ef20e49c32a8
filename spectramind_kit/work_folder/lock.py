"""A lock on a part of a work folder: two trainings in one folder would delete each other's networks."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spectramind_kit.errors import SpectraMindError


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold a lock within the block; the system lets go of it when the process ends, however it ends.

    On a file system without locks the block is entered all the same.

    Args:
        path: file that stands for the lock.
        what: is done within the block, for the error.

    Raises:
        SpectraMindError: if another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SpectraMindError(
                f"{what} in {path.parent}",
                wanted="to be the only one",
                got=f"process {file.read().strip() or 'unknown'} at it",
                remedy="wait for it, or give another work folder",
            ) from None
        except OSError:
            pass
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
