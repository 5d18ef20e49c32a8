"""Planets side by side in processes: one planet's crash, even of its process, is that planet's alone."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from tqdm.auto import tqdm

from spectramind_kit.environment import available_cores

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")}


def map_planets(
    task: Callable[[int], Result],
    planet_ids: Sequence[int],
    *,
    workers: int,
    lost: Callable[[int, str], Result],
    label: str,
) -> dict[int, Result]:
    """Run a task for every planet and return the results by planet.

    Args:
        task: picklable; must not raise for a damaged planet (only a dying process is caught here).
        planet_ids: the planets.
        workers: processes; 0 is one per core; 1 runs in this process.
        lost: makes the result of a planet whose process died, from the planet and the reason.
        label: what the progress bar says; it is shown on a terminal only.
    """
    workers = min(workers or available_cores(), max(1, len(planet_ids)))
    with tqdm(total=len(planet_ids), desc=label, unit="planet", disable=None) as bar:
        if workers == 1:
            results = {}
            for planet in planet_ids:
                results[planet] = task(planet)
                bar.update()
            return results
        results = _run_pool(task, planet_ids, workers, bar)
        for planet in planet_ids:
            if planet not in results:  # its pool broke: alone, a second time, to tell the culprit from its neighbours
                alone = _run_pool(task, [planet], 1, bar)
                results[planet] = alone.get(planet) or lost(planet, "its process died (out of memory?)")
    return {planet: results[planet] for planet in planet_ids}


def _run_pool(task, planet_ids: Sequence[int], workers: int, bar: tqdm) -> dict:
    """Run what can be run before a process dies."""
    results: dict[int, object] = {}
    with _single_threaded(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures: dict[Future, int] = {pool.submit(task, planet): planet for planet in planet_ids}
        for future in as_completed(futures):
            try:
                results[futures[future]] = future.result()
            except BrokenProcessPool:
                logger.warning("a worker process died while planet %s was waiting or running", futures[future])
                continue
            bar.update()
    return results


class _single_threaded:
    """Let worker processes start with one thread each: planets are the unit of parallelism."""

    def __enter__(self):
        self._before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)

    def __exit__(self, *exc):
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
