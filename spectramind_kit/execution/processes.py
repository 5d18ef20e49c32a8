"""Planets side by side, in processes or on a cluster: one planet's crash, even of its process, is that planet's alone.

Each planet runs on one thread, so memory grows with the number of processes only: ``WORKER_MEMORY`` each.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from tqdm.auto import tqdm

from spectramind_kit.environment import available_cores, available_memory
from spectramind_kit.execution.cluster import require_dask, run_on_cluster

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
"""Environment of worker processes. Libraries read it when they load: it is set before a process starts."""
WORKER_MEMORY = 1.0e9
"""Memory that a process needs at most for a full-size planet [bytes]."""
SECONDS_BETWEEN_LOGS = 10.0


def map_planets(
    task: Callable[[int], Result],
    planet_ids: Sequence[int],
    *,
    workers: int,
    lost: Callable[[int, str], Result],
    label: str,
    executor: str = "processes",
    scheduler: str = "",
) -> dict[int, Result]:
    """Run a task for every planet and return the results by planet.

    Args:
        task: picklable; must not raise for a damaged planet (only a dying process is caught here).
        planet_ids: the planets.
        workers: processes; 0 is one per core, and no more than fit into the free memory; 1 runs in this process.
        lost: makes the result of a planet whose process died, from the planet and the reason.
        label: what the progress bar, or the log where there is no terminal, says.
        executor: "processes" of this machine, or "dask".
        scheduler: address of dask's scheduler; empty starts a cluster on this machine.

    Raises:
        ConfigurationError: if dask is wanted and not there, or its scheduler does not answer.
    """
    workers = min(workers or affordable_workers(), max(1, len(planet_ids)))
    with Progress(label, len(planet_ids)) as progress:
        if executor == "dask" and planet_ids:
            require_dask()
            with single_threaded():
                results = run_on_cluster(
                    task, planet_ids, workers=workers, scheduler=scheduler, lost=lost, done=progress.step
                )
        elif workers == 1:
            results = {}
            for planet in planet_ids:
                results[planet] = task(planet)
                progress.step()
        else:
            results = _run_processes(task, planet_ids, workers, lost, progress)
    return {planet: results[planet] for planet in planet_ids}


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


def _run_processes(
    task: Callable[[int], Result],
    planet_ids: Sequence[int],
    workers: int,
    lost: Callable[[int, str], Result],
    progress: Progress,
) -> dict[int, Result]:
    """Run planets in processes until each has a result."""
    results: dict[int, Result] = {}
    while waiting := [planet for planet in planet_ids if planet not in results]:
        done, suspects = _run_pool(task, waiting, workers, progress)
        results |= done
        for planet in suspects:  # alone, a second time, to tell the culprit from its neighbours
            alone, _ = _run_pool(task, [planet], 1, progress)
            if not alone:
                progress.step()
            results |= alone or {planet: lost(planet, "its process died (out of memory?)")}
    return results


def _run_pool(
    task: Callable[[int], Result], planet_ids: Sequence[int], workers: int, progress: Progress
) -> tuple[dict[int, Result], list[int]]:
    """Run planets until all are done or a process dies.

    No more planets are submitted than there are processes, so that few are under suspicion when one dies.

    Returns:
        The results by planet, and the planets that were running when a process died.
    """
    results: dict[int, Result] = {}
    suspects: list[int] = []
    running: dict[Future, int] = {}
    following = iter(planet_ids)
    with single_threaded(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        while True:
            free = 0 if suspects else workers - len(running)
            for planet in islice(following, free):
                try:
                    running[pool.submit(task, planet)] = planet
                except BrokenProcessPool:
                    suspects.append(planet)
                    break
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                planet = running.pop(future)
                try:
                    results[planet] = future.result()
                except BrokenProcessPool:
                    suspects.append(planet)
                else:
                    progress.step()
    if suspects:
        logger.warning("a worker process died while planets %s were running", suspects)
    return results, suspects


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
