"""What runs in a worker process: one planet after another, each with an outcome whatever happens to it.

A worker is started as a program of its own, not by `multiprocessing`: it does not import the caller's main module,
so a script without a main guard, a notebook and standard input can all start workers.
"""

import contextlib
import ctypes
import os
import pickle
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spectramind_kit.errors import describe

_SET_PARENT_DEATH_SIGNAL = 1
_FIRST_TO_DIE = "1000"


@dataclass(frozen=True)
class Outcome:
    """What became of one planet's work.

    Attributes:
        value: what the task returned.
        failure: why it returned nothing, in words; None if it did.
    """

    value: Any = None
    failure: str | None = None


READY = Outcome(value="ready")
"""What a worker answers before its first planet."""


def outcome_of(task: Callable[[int], Any], planet_id: int) -> Outcome:
    """Do one planet's work; every error but an interrupt becomes words.

    A panic of polars, a ``SystemExit`` in a library and the like are no ``Exception``, and cost one planet as well.

    Args:
        task: to do.
        planet_id: of the planet.
    """
    try:
        return Outcome(value=task(planet_id))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Outcome(failure=describe(error))


def serve(descriptor: int, parent: int, memory: float) -> None:
    """Answer the parent until it says that all is done, or ends.

    Args:
        descriptor: of the connection to the parent, which sends a pickled task and then planets.
        parent: process id of the parent.
        memory: that this process may take [bytes]; 0 is no limit.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    _end_with(parent)
    _yield_memory_first(memory)
    with Connection(descriptor) as connection:
        try:
            task = pickle.loads(connection.recv_bytes())
        except Exception as error:
            connection.send(Outcome(failure=f"the task cannot be read in a worker process: {describe(error)}"))
            return
        connection.send(READY)
        while (planet_id := connection.recv()) is not None:
            outcome = outcome_of(task, planet_id)
            try:
                connection.send(outcome)
            except (pickle.PicklingError, TypeError, AttributeError, MemoryError) as error:
                connection.send(Outcome(failure=f"its result cannot be sent: {describe(error)}"))


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, however it dies; see prctl(2)."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def _yield_memory_first(memory: float) -> None:
    """Limit this process's memory, and let it be killed before its parent where the machine's memory ends."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_DIE)
    if memory:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = int(memory) if hard == resource.RLIM_INFINITY else min(int(memory), hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
