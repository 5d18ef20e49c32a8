"""Planets side by side, in processes or on a cluster: a planet that fails, hangs or kills its process costs itself.

Each planet runs on one thread, so memory grows with the number of processes only: ``WORKER_MEMORY`` each.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from tqdm.auto import tqdm

from spectramind_kit.environment import available_cores, available_memory
from spectramind_kit.execution.cluster import require_dask, run_on_cluster
from spectramind_kit.execution.supervisor import OUT_OF_TIME, Limits, NoWorkers, run_supervised
from spectramind_kit.execution.worker_process import Outcome, outcome_of

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""Environment of worker processes. Libraries read it when they load: it is set before a process starts."""
WORKER_MEMORY = 1.0e9
"""Memory that a process needs at most for a full-size planet [bytes]."""
SECONDS_BETWEEN_LOGS = 10.0
NO_LIMITS = Limits()


def map_planets(
    task: Callable[[int], Result],
    planet_ids: Sequence[int],
    *,
    workers: int,
    lost: Callable[[int, str], Result],
    label: str,
    executor: str = "processes",
    scheduler: str = "",
    limits: Limits = NO_LIMITS,
    came: Callable[[int, Result], None] = lambda planet, result: None,
) -> dict[int, Result]:
    """Run a task for every planet and return the results by planet, in the order asked.

    Args:
        task: picklable.
        planet_ids: the planets.
        workers: processes; 0 is one per core, and no more than fit into the free memory; 1 runs in this process,
            where nothing can end a planet that hangs.
        lost: makes the result of a planet whose task failed, hung, or whose process died, from planet and reason.
        label: what the progress bar, or the log where there is no terminal, says.
        executor: "processes" of this machine, or "dask".
        scheduler: address of dask's scheduler; empty starts a cluster on this machine.
        limits: what a planet may take, and when all must be done.
        came: called with every planet and its result as soon as it is there.

    Raises:
        ConfigurationError: if dask is wanted and not there, or its scheduler does not answer.
    """
    results: dict[int, Result] = {}
    with Progress(label, len(planet_ids)) as progress:

        def arrived(planet: int, outcome: Outcome) -> None:
            results[planet] = outcome.value if outcome.failure is None else lost(planet, outcome.failure)
            came(planet, results[planet])
            progress.step()

        if executor == "dask" and planet_ids:
            require_dask()
            with single_threaded():
                run_on_cluster(
                    task,
                    planet_ids,
                    workers=workers or affordable_workers(),
                    scheduler=scheduler,
                    limits=limits,
                    arrived=arrived,
                )
        elif workers == 1:
            _run_here(task, planet_ids, limits, arrived)
        else:
            # One planet as well: what runs on Kaggle before the hidden planets do is what they need.
            n = min(workers or affordable_workers(), max(1, len(planet_ids)))
            try:
                run_supervised(task, planet_ids, n, limits, ONE_THREAD, arrived)
            except NoWorkers as reason:
                left = [planet for planet in planet_ids if planet not in results]
                logger.warning("%s; %d planets are worked on in this process, one by one", reason, len(left))
                _run_here(task, left, limits, arrived)
    return {planet: results[planet] for planet in planet_ids}


def _run_here(
    task: Callable[[int], Result], planet_ids: Sequence[int], limits: Limits, arrived: Callable[[int, Outcome], None]
) -> None:
    """Work on planets in this process, one after another."""
    for planet in planet_ids:
        late = time.monotonic() > limits.until
        arrived(planet, Outcome(failure=OUT_OF_TIME) if late else outcome_of(task, planet))


def affordable_workers() -> int:
    """Return how many processes this machine has cores and free memory for, at least one."""
    return int(max(1, min(available_cores(), available_memory() // WORKER_MEMORY)))


class Progress:
    """Planets done, planets per second and time left: a bar on a terminal or in a notebook, else a line every 10 s.

    The lines come by the clock and not by the planet, so that a long first planet is no silence.

    Args:
        label: what is being done.
        total: how many planets.
    """

    def __init__(self, label: str, total: int):
        self._bar = tqdm(total=total, desc=label, unit="planet", disable=None)
        self._label, self._total, self._done = label, total, 0
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._log_by_the_clock, daemon=True)

    def __enter__(self) -> "Progress":
        if self._bar.disable:
            self._clock.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        if self._clock.is_alive():
            self._clock.join()
        self._bar.close()

    def step(self) -> None:
        """Count one planet more."""
        self._bar.update()
        self._done += 1

    def line(self) -> str:
        """Return how far the work is, in words."""
        elapsed, done = time.monotonic() - self._started, self._done
        if not done:
            return f"{self._label}: 0 of {self._total} planets after {elapsed:.0f} s"
        rate = done / elapsed
        left = (self._total - done) / rate / 60
        return f"{self._label}: {done} of {self._total} planets, {rate:.2f} planets/s, {left:.0f} min left"

    def _log_by_the_clock(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LOGS):
            logger.info(self.line())


class single_threaded:
    """Let worker processes start with one thread each: planets are the unit of parallelism."""

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)

    def __exit__(self, *exc: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
