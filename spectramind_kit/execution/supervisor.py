"""Worker processes under supervision: a planet that hangs, dies or takes all memory costs that planet.

Each worker has a connection of its own. A pool that shares one between its workers (the standard library's, pebble,
loky) hangs, or loses all planets, when a worker is killed while it holds the lock or has sent half a result.

A thread attends to each worker, because a worker that stops in the middle of an answer blocks who reads it. The
caller's thread waits for events and ends what is overdue, so that an interrupt ends everything at once.
"""

import logging
import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from spectramind_kit.errors import describe
from spectramind_kit.execution.worker_process import READY, Outcome

logger = logging.getLogger(__name__)

SECONDS_TO_START = 180.0
"""A worker that is not ready by then is taken for hanging: it imports the package, from a cold disk perhaps."""
MOST_FAILED_STARTS = 3
"""So many workers in a row that never become ready are no accident."""
FIRST_DEATHS = 4
"""So many planets whose process died, and none that came back, are no accident either."""
OUT_OF_TIME = "the time budget was used up"
_TICK = 1.0
_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = {path!r}; "
    "from spectramind_kit.execution.worker_process import serve; serve({descriptor}, {parent}, {memory})"
)


class NoWorkers(Exception):
    """Worker processes do not work on this machine; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What planets may take.

    Attributes:
        seconds: that one planet may take [s].
        memory: that one process may take [bytes]; 0 is no limit.
        until: when all must be done, on the monotonic clock [s].
    """

    seconds: float = math.inf
    memory: float = 0.0
    until: float = math.inf


@dataclass(eq=False)
class _Worker:
    """A process, the thread that attends to it, and the planet it works on."""

    inbox: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    process: subprocess.Popen | None = None
    planet: int | None = None
    ready: bool = False
    overdue_at: float = math.inf
    killed: bool = False

    def kill(self) -> None:
        """End the process, and with it the thread that attends to it, whatever that waits for."""
        self.killed = True
        self.inbox.put(None)
        if self.process is not None:
            self.process.kill()


def run_supervised(
    task: Callable[[int], Any],
    planet_ids: Sequence[int],
    workers: int,
    limits: Limits,
    environment: Mapping[str, str],
    came: Callable[[int, Outcome], None],
) -> None:
    """Work on planets in processes until each has an outcome.

    A planet whose process dies is tried once more, alone: a neighbour may have taken the memory.

    Args:
        task: picklable.
        planet_ids: the planets.
        workers: processes.
        limits: of time and memory.
        environment: variables that workers see beside this process's own.
        came: called with every planet and its outcome, in this thread.

    Raises:
        NoWorkers: if no process works here; planets that had no outcome until then have none.
    """
    try:
        pickled = pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NoWorkers(f"the task cannot be sent to a worker process: {describe(error)}") from error
    _Supervisor(pickled, workers, limits, environment, came).run(planet_ids)


class _Supervisor:
    """The state of one run: workers, planets that wait, planets that died once."""

    def __init__(
        self,
        task: bytes,
        workers: int,
        limits: Limits,
        environment: Mapping[str, str],
        came: Callable[[int, Outcome], None],
    ):
        self._task, self._most, self._limits, self._came = task, workers, limits, came
        self._environment = {**os.environ, **environment}
        self._workers: list[_Worker] = []
        self._events: queue.Queue[tuple[_Worker, Outcome | None]] = queue.Queue()
        self._failed_starts = 0
        self._any_back = False
        self._dead: list[int] = []

    def run(self, planet_ids: Sequence[int]) -> None:
        """Work on planets until each has an outcome."""
        waiting, again = deque(planet_ids), deque[int]()
        try:
            while True:
                self._hand_out(waiting, again)
                if not any(w.planet is not None for w in self._workers) and not waiting and not again:
                    return
                self._take_one_event(again)
                self._end_overdue()
                if time.monotonic() > self._limits.until:
                    self._give_up([*waiting, *again])
                    return
        finally:
            for worker in self._workers:
                worker.kill()

    def _hand_out(self, waiting: deque[int], again: deque[int]) -> None:
        """Give planets to workers that are free, and start as many workers as there is work for."""
        busy = sum(w.planet is not None for w in self._workers)
        source = waiting if waiting or busy else again
        most = self._most if source is waiting else 1
        for _ in range(min(most, busy + len(source)) - len(self._workers)):
            self._start()
        for worker in self._workers:
            if source and busy < most and worker.ready and worker.planet is None:
                worker.planet, worker.overdue_at = source.popleft(), time.monotonic() + self._limits.seconds
                worker.inbox.put(worker.planet)
                busy += 1

    def _start(self) -> None:
        worker = _Worker(overdue_at=time.monotonic() + SECONDS_TO_START)
        self._workers.append(worker)
        threading.Thread(target=self._attend, args=(worker,), daemon=True).start()

    def _attend(self, worker: _Worker) -> None:
        """Start a process and carry messages to and from it until it ends. Runs in a thread of its own.

        The kernel kills a worker when the thread that started it ends, so this one outlives its process.
        """
        try:
            worker.process, connection = self._launch()
            if worker.killed:
                worker.process.kill()
            with connection:
                connection.send_bytes(self._task)
                while True:
                    self._events.put((worker, connection.recv()))
                    connection.send(worker.inbox.get())
        except Exception as error:  # the process died, or never started
            logger.debug("a worker process ended: %s", describe(error))
        if worker.process is not None:
            worker.process.kill()
            worker.process.wait()
        self._events.put((worker, None))

    def _launch(self) -> tuple[subprocess.Popen, Connection]:
        ours, theirs = Pipe()
        try:
            program = _PROGRAM.format(
                path=sys.path, descriptor=theirs.fileno(), parent=os.getpid(), memory=self._limits.memory
            )
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=self._environment,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return process, ours

    def _take_one_event(self, again: deque[int]) -> None:
        """Wait for an event, no longer than to the next moment at which somebody may be overdue."""
        next_due = min([self._limits.until, *(w.overdue_at for w in self._workers)])
        try:
            worker, outcome = self._events.get(timeout=min(max(0.01, next_due - time.monotonic()), _TICK))
        except queue.Empty:
            return
        if worker not in self._workers:  # it was given up before
            return
        if outcome is None:
            self._bury(worker, again)
        elif worker.ready:
            planet, worker.planet, worker.overdue_at = worker.planet, None, math.inf
            assert planet is not None, "a worker answers what it was asked"
            self._any_back = True
            self._came(planet, outcome)
        elif outcome == READY:
            worker.ready, worker.overdue_at, self._failed_starts = True, math.inf, 0
        else:
            raise NoWorkers(outcome.failure)

    def _bury(self, worker: _Worker, again: deque[int]) -> None:
        """Note what a death means for the planet, and whether processes work here at all."""
        self._workers.remove(worker)
        status = None if worker.process is None else worker.process.returncode
        if worker.planet is None:
            if not worker.ready:
                self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise NoWorkers(f"{self._failed_starts} worker processes in a row did not start ({_ended(status)})")
            return
        logger.warning("a worker process %s while it worked on planet %d", _ended(status), worker.planet)
        if worker.planet in self._dead:
            self._came(worker.planet, Outcome(failure=f"its process died: it {_ended(status)}"))
            return
        self._dead.append(worker.planet)
        again.append(worker.planet)
        if len(self._dead) >= FIRST_DEATHS and not self._any_back:
            raise NoWorkers(f"the first {len(self._dead)} planets' processes all died: the last {_ended(status)}")

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in [w for w in self._workers if w.overdue_at < now]:
            worker.kill()
            if worker.planet is not None:
                self._workers.remove(worker)
                self._came(worker.planet, Outcome(failure=f"not done after {self._limits.seconds:.0f} s"))
            else:  # it never started: its death is an event like any other
                worker.overdue_at = math.inf

    def _give_up(self, waiting: Sequence[int]) -> None:
        """Account for every planet that the time does not suffice for."""
        running = [w.planet for w in self._workers if w.planet is not None]
        logger.warning("the time is over: %d planets are not done", len(running) + len(waiting))
        for planet in (*running, *waiting):
            self._came(planet, Outcome(failure=OUT_OF_TIME))


def _ended(status: int | None) -> str:
    """Return in words how a process ended."""
    if status is None:
        return "could not be started"
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"was killed by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"
