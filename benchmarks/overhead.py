"""What supervision and the growing file cost: the same work by the standard library's pool, and as `submit` does it.

Each planet burns processor time, as much as one takes from its files to its depths, and sends back as much as an
inference holds. `submit`'s way starts workers that can be ended, and writes the whole submission, of as many planets as
the hidden set has, at the beginning, once a minute and at the end. Processor time of everything that was started is
compared, because the wall clock is that of a machine which others use too.

    overhead   processor time beyond the pool's, over the pool's [%]; wanted: below 3

    python benchmarks/overhead.py [--planets 60] [--seconds 1.0] [--workers 2] [--sample 1100] [--json FILE]
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from burning import Burn

from spectramind_kit.config import load_config
from spectramind_kit.execution.processes import ONE_THREAD, map_planets, single_threaded
from spectramind_kit.prediction.stand_ins import population_spectra
from spectramind_kit.work_folder.growing_submission import GrowingSubmission
from spectramind_kit.work_folder.submission import COLUMNS


def processor_time(work: Callable[[], object]) -> tuple[float, float]:
    """Return the processor time of this process and all that it started and ended meanwhile, and the wall clock [s]."""

    def now() -> float:
        usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    before, started = now(), time.perf_counter()
    work()
    return now() - before, time.perf_counter() - started


def by_pool(task: Burn, planets: list[int], workers: int) -> None:
    """Do the work by the standard library's pool, each worker on one thread."""
    with single_threaded(), multiprocessing.get_context("spawn").Pool(workers) as pool:
        for _ in pool.imap_unordered(task, planets):
            pass
        pool.close()
        pool.join()


def as_submit(task: Burn, planets: list[int], workers: int, n_sample: int, path: Path) -> None:
    """Do the work as `submit` does it, the file growing."""
    sample = pl.DataFrame({"planet_id": range(n_sample)}).with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in COLUMNS[1:])
    )
    spectra = population_spectra(range(n_sample), None, load_config().uncertainty, "not yet")
    growing = GrowingSubmission(spectra, sample, path)

    def lost(planet: int, reason: str) -> np.ndarray:
        raise RuntimeError(f"planet {planet}: {reason}")

    map_planets(
        task, planets, workers=workers, lost=lost, label="overhead", came=lambda planet, _: growing.put(spectra[planet])
    )
    growing.finish(spectra)
    time.sleep(1.0)  # workers that were ended are counted once they are gone


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--planets", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, default=1100)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    task, planets = Burn(options.seconds), list(range(options.planets))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "submission.csv"
        ours, our_wall = processor_time(lambda: as_submit(task, planets, options.workers, options.sample, path))
    pool, pool_wall = processor_time(lambda: by_pool(task, planets, options.workers))
    figures = {
        "pool [CPU-s]": pool,
        "submit's way [CPU-s]": ours,
        "overhead [%]": 100.0 * (ours - pool) / pool,
        "wall clock, pool [s]": pool_wall,
        "wall clock, submit's way [s]": our_wall,
    }
    for name, value in figures.items():
        print(f"{name:<52}{value:10.3f}")
    if options.json:
        facts = {**vars(options), "json": str(options.json), "python": sys.version.split()[0], "threads": ONE_THREAD}
        options.json.write_text(json.dumps(facts | figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
