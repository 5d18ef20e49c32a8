"""Planets side by side in processes: one planet's crash, even of its process, is that planet's alone."""

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
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
        results = {}
        while waiting := [planet for planet in planet_ids if planet not in results]:
            done, suspects = _run_pool(task, waiting, workers, bar)
            results |= done
            for planet in suspects:  # alone, a second time, to tell the culprit from its neighbours
                alone, _ = _run_pool(task, [planet], 1, bar)
                results |= alone or {planet: lost(planet, "its process died (out of memory?)")}
                bar.update(not alone)
    return {planet: results[planet] for planet in planet_ids}


def _run_pool(
    task: Callable[[int], Result], planet_ids: Sequence[int], workers: int, bar: tqdm
) -> tuple[dict[int, Result], list[int]]:
    """Run planets until all are done or a process dies.

    No more planets are handed out than there are processes, so that few are under suspicion when one dies.

    Returns:
        The results by planet, and the planets that were running when a process died.
    """
    results: dict[int, Result] = {}
    suspects: list[int] = []
    running: dict[Future, int] = {}
    following = iter(planet_ids)
    with _single_threaded(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
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
                    bar.update()
    if suspects:
        logger.warning("a worker process died while planets %s were running", suspects)
    return results, suspects


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
