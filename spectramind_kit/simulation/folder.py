"""Write a competition folder of simulated planets, in the layout and file formats of the real one.

The truth of the test planets lies in ``truth/test.csv``; ``simulation.json`` records what was simulated. Every
planet has random numbers of its own, derived from the seed and its place in its split, so the files do not
depend on how many processes wrote them.
"""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit import __version__
from spectramind_kit.config import SimulationConfig
from spectramind_kit.environment import available_cores
from spectramind_kit.errors import ConfigurationError, SpectraMindError
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation import tables
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.disturbances import draw_disturbances
from spectramind_kit.simulation.population_shift import population_shift
from spectramind_kit.simulation.system import SimulatedSystem, draw_mid_transit, draw_system
from spectramind_kit.simulation.visit import simulate_channel

SPLITS = ("train", "test")
RECORD = "simulation.json"

_TABLES = ("adc_info.csv", "axis_info.parquet", "wavelengths.csv", "sample_submission.csv", "train.csv")
_TABLES += ("train_labels.csv", "train_star_info.csv", "test_star_info.csv", "train_adc_info.csv", "test_adc_info.csv")
_FOLDERS = (*SPLITS, "truth")
_LARGEST_ID = 2**32


def simulate_folder(
    out: Path,
    n_train: int,
    n_test: int,
    config: SimulationConfig,
    *,
    seed: int,
    edition: str = "2025",
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a competition folder.

    Args:
        out: the folder; a previous simulation there is replaced.
        n_train: training planets.
        n_test: test planets.
        config: sizes of frames and effects.
        seed: rules every random draw.
        edition: "2025" or "2024".
        workers: processes; 0 is one per core.
        progress: called with 1 whenever a planet is done.

    Raises:
        SpectraMindError: if ``out`` holds something that is not a simulation.
        ConfigurationError: on an unknown edition or frame averages that do not fit a visit.
    """
    if edition not in tables.ADC:
        raise ConfigurationError("edition of the simulated folder", wanted=sorted(tables.ADC), got=repr(edition))
    cadences = channel_cadences(config)
    _clear(out)
    record = {"seed": seed, "edition": edition, "n_train": n_train, "n_test": n_test, "version": __version__}
    _write_record(out, record | {"simulation": asdict(config), "complete": False})
    splits = draw_systems(n_train, n_test, seed, edition, config)
    _write_tables(out, splits, cadences, edition)
    tasks = [
        (out / split / str(system.planet.planet_id), system, config, _visit_seed(seed, split, index), edition)
        for split, systems in splits.items()
        for index, system in enumerate(systems)
    ]
    _run(tasks, workers or available_cores(), progress or (lambda done: None))
    _write_record(out, record | {"simulation": asdict(config), "complete": True})


def channel_cadences(config: SimulationConfig) -> dict[str, Cadence]:
    """Return the reads of each channel, by name."""
    average = {"AIRS-CH0": config.airs_average, "FGS1": config.fgs1_average}
    return {name: Cadence(channel, average[name]) for name, channel in CHANNELS.items()}


def draw_systems(
    n_train: int, n_test: int, seed: int, edition: str, config: SimulationConfig | None = None
) -> dict[str, list[SimulatedSystem]]:
    """Return the systems of each split; a longer split starts with the same stars and planets.

    Args:
        n_train: training planets.
        n_test: test planets.
        seed: rules every random draw.
        edition: "2025" or "2024".
        config: gives stars spots and other limb-darkening laws and shifts the test planets; if not given, none of it.
    """
    ids = draw_planet_ids(n_train + n_test, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,))))
    splits = {"train": ids[:n_train], "test": ids[n_train:]}
    shift = {"train": population_shift(), "test": population_shift(config.test_shift if config else 0.0)}
    return {
        split: [
            draw_system(
                planet_id, np.random.default_rng(_system_seed(seed, split, index)), edition, config, shift[split]
            )
            for index, planet_id in enumerate(split_ids)
        ]
        for split, split_ids in splits.items()
    }


def draw_planet_ids(n: int, rng: np.random.Generator) -> list[int]:
    """Return different ids below 2^32, each split in random order as in a shuffled catalogue."""
    return [int(i) for i in rng.choice(_LARGEST_ID - 10_000, size=n, replace=False) + 10_000]


def write_planet(
    folder: Path, system: SimulatedSystem, config: SimulationConfig, seed: np.random.SeedSequence, edition: str
) -> None:
    """Simulate every visit of a planet and write its folder."""
    rng = np.random.default_rng(seed)
    twice = edition == "2025" and rng.random() < config.two_visit_fraction
    for visit in range(2 if twice else 1):
        suffix = f"_{visit}" if edition == "2025" else ""
        mid_transit, disturbances = draw_mid_transit(rng), draw_disturbances(system, config, rng)
        for name, cadence in channel_cadences(config).items():
            adc = tables.ADC[edition][name]
            counts, frames = simulate_channel(system, mid_transit, cadence, config, adc, rng, disturbances)
            write_calibration_frames(folder / f"{name}_calibration{suffix}", frames)
            write_signal(folder / f"{name}_signal{suffix}.parquet", counts)


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


def _write_tables(
    out: Path, splits: dict[str, list[SimulatedSystem]], cadences: dict[str, Cadence], edition: str
) -> None:
    (out / "truth").mkdir()
    for split in SPLITS:
        (out / split).mkdir()
    tables.write_axis_info(out, cadences)
    tables.write_wavelengths(out, edition)
    tables.write_adc_info(out, splits, edition)
    tables.write_sample_submission(out, splits["test"])
    tables.write_spectra(out / ("train.csv" if edition == "2025" else "train_labels.csv"), splits["train"], edition)
    tables.write_spectra(out / "truth" / "test.csv", splits["test"], edition)
    if edition == "2025":
        for split in SPLITS:
            tables.write_star_info(out / f"{split}_star_info.csv", splits[split])


def _system_seed(seed: int, split: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), index, 0))


def _visit_seed(seed: int, split: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), index, 1))


def _run(tasks: list[tuple], workers: int, progress: Callable[[int], None]) -> None:
    """Write every planet, in this process or in several."""
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            write_planet(*task)
            progress(1)
        return
    # Fresh processes: polars' thread pool does not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        done = [pool.submit(write_planet, *task) for task in tasks]
        for future in as_completed(done):
            future.result()
            progress(1)


def _clear(out: Path) -> None:
    """Make the folder, without what a previous simulation left there."""
    out.mkdir(parents=True, exist_ok=True)
    found = sorted(path.name for path in out.iterdir())
    if found and RECORD not in found:
        raise SpectraMindError(
            f"folder {out}",
            wanted="an empty folder, or a previous simulation",
            got=f"{len(found)} entries, among them {found[:4]}",
            remedy="choose another --out, or empty this one yourself",
        )
    for name in _FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (*_TABLES, RECORD):
        (out / name).unlink(missing_ok=True)


def _write_record(out: Path, record: dict) -> None:
    (out / RECORD).write_text(json.dumps(record, indent=2) + "\n")
