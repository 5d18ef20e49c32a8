"""The files of a competition folder, whatever world its planets come from: tables, signals, calibration frames.

A world gives systems (what tables say about a planet, and its label) and a function that writes one planet's folder.
"""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.execution.processes import single_threaded
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation import tables
from spectramind_kit.simulation.cadence import Cadence

SPLITS = ("train", "test")
RECORD = "simulation.json"
TRUTH = "truth"
_RUN_RECORDS = ("runs", "latest", "events.jsonl")
"""What the records of runs leave in a folder: those of a simulation that came to nothing, for instance."""

_TABLES = ("adc_info.csv", "axis_info.parquet", "wavelengths.csv", "sample_submission.csv", "train.csv")
_TABLES += ("train_labels.csv", "train_star_info.csv", "test_star_info.csv", "train_adc_info.csv", "test_adc_info.csv")
_FOLDERS = (*SPLITS, TRUTH)
_LARGEST_ID = 2**32


def draw_planet_ids(n: int, rng: np.random.Generator) -> list[int]:
    """Return different ids below 2^32, each split in random order as in a shuffled catalogue."""
    return [int(i) for i in rng.choice(_LARGEST_ID - 10_000, size=n, replace=False) + 10_000]


def write_signal(path: Path, counts: np.ndarray) -> None:
    """Write frames, one column a pixel, from counts (n_pixel, n_frame) uint16."""
    _table(counts.T).write_parquet(path, compression="snappy", statistics=False, row_group_size=counts.shape[1])


def write_calibration_frames(folder: Path, frames: CalibrationFrames) -> None:
    """Write the five tables of a channel; the polynomials' coefficients lie below each other."""
    folder.mkdir(parents=True)
    arrays = {
        "dark": frames.dark,
        "dead": frames.dead,
        "flat": frames.flat,
        "read": frames.read_noise,
        "linear_corr": frames.linearity.reshape(-1, frames.dark.shape[1]),
    }
    for name, array in arrays.items():
        _table(array).write_parquet(folder / f"{name}.parquet", statistics=False)


def _table(array: np.ndarray) -> pl.DataFrame:
    """Name the columns of a 2-D array as the competition does."""
    n_row, n_column = array.shape
    # Slices of one series: thousands of columns made one by one take longer than writing them.
    flat = pl.Series(array.T.ravel())
    names = [f"column_{i}" for i in range(n_column)]
    return pl.DataFrame([flat.slice(i * n_row, n_row) for i in range(n_column)], schema=names)


def write_tables(
    out: Path, splits: Mapping[str, Sequence[tables.TabledSystem]], cadences: dict[str, Cadence], edition: str
) -> None:
    """Write every table of a folder, the truth of its test planets, and empty folders for the planets.

    Args:
        out: the folder.
        splits: systems of each split, by its name.
        cadences: reads of each channel, by its name.
        edition: "2025" or "2024".
    """
    for name in _FOLDERS:
        (out / name).mkdir()
    tables.write_axis_info(out, cadences)
    tables.write_wavelengths(out, edition)
    tables.write_adc_info(out, splits, edition)
    tables.write_sample_submission(out, splits["test"])
    tables.write_spectra(out / ("train.csv" if edition == "2025" else "train_labels.csv"), splits["train"], edition)
    tables.write_spectra(out / TRUTH / "test.csv", splits["test"], edition)
    if edition == "2025":
        for split in SPLITS:
            tables.write_star_info(out / f"{split}_star_info.csv", splits[split])


def write_planets(
    write_planet: Callable[..., None],
    tasks: Sequence[tuple],
    workers: int,
    progress: Callable[[int], object],
) -> None:
    """Write every planet, in this process or in several.

    Args:
        write_planet: writes one planet's folder, called with each task's arguments.
        tasks: arguments of each planet.
        workers: processes.
        progress: called with 1 whenever a planet is done.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            write_planet(*task)
            progress(1)
        return
    # Fresh processes: polars' thread pool does not survive a fork.
    context = multiprocessing.get_context("spawn")
    with single_threaded(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        done = [pool.submit(write_planet, *task) for task in tasks]
        for future in as_completed(done):
            future.result()
            progress(1)


def clear_folder(out: Path) -> None:
    """Make the folder, without what a previous simulation left there.

    Args:
        out: the folder.

    Raises:
        SpectraMindError: if it holds something that is not a simulation.
    """
    refuse_foreign(out)
    out.mkdir(parents=True, exist_ok=True)
    for name in _FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (*_TABLES, RECORD):
        (out / name).unlink(missing_ok=True)


def refuse_foreign(out: Path) -> None:
    """Refuse a folder that holds something, and no simulation.

    Args:
        out: the folder, which need not be there.

    Raises:
        SpectraMindError: naming what it holds.
    """
    found = sorted(path.name for path in out.iterdir() if path.name not in _RUN_RECORDS) if out.is_dir() else []
    if found and RECORD not in found:
        raise SpectraMindError(
            f"folder {out}",
            wanted="an empty folder, or a previous simulation",
            got=f"{len(found)} entries, among them {found[:4]}",
            remedy="choose another --out, or empty this one yourself",
        )


def write_record(out: Path, record: dict) -> None:
    """Write what was simulated."""
    (out / RECORD).write_text(json.dumps(record, indent=2) + "\n")
