"""Write a competition folder of simulated planets, in the layout and file formats of the real one.

The truth of the test planets lies in ``truth/test.csv``; ``simulation.json`` records what was simulated. Every
planet has random numbers of its own, derived from the seed and its place in its split, so the files do not
depend on how many processes wrote them.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.config import SimulationConfig
from spectramind_kit.environment import available_cores
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.simulation import tables
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.competition_writer import (
    SPLITS,
    clear_folder,
    draw_planet_ids,
    write_calibration_frames,
    write_planets,
    write_record,
    write_signal,
    write_tables,
)
from spectramind_kit.simulation.disturbances import draw_disturbances
from spectramind_kit.simulation.population_shift import population_shift
from spectramind_kit.simulation.system import SimulatedSystem, draw_mid_transit, draw_system
from spectramind_kit.simulation.visit import simulate_channel


def simulate_folder(
    out: Path,
    n_train: int,
    n_test: int,
    config: SimulationConfig,
    *,
    seed: int,
    edition: str = "2025",
    workers: int = 1,
    progress: Callable[[int], object] | None = None,
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
    clear_folder(out)
    record = {"seed": seed, "edition": edition, "n_train": n_train, "n_test": n_test, "version": __version__}
    write_record(out, record | {"simulation": asdict(config), "complete": False})
    splits = draw_systems(n_train, n_test, seed, edition, config)
    write_tables(out, splits, cadences, edition)
    tasks = [
        (out / split / str(system.planet.planet_id), system, config, _visit_seed(seed, split, index), edition)
        for split, systems in splits.items()
        for index, system in enumerate(systems)
    ]
    write_planets(write_planet, tasks, workers or available_cores(), progress or (lambda done: None))
    write_record(out, record | {"simulation": asdict(config), "complete": True})


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


def _system_seed(seed: int, split: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), index, 0))


def _visit_seed(seed: int, split: str, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split), index, 1))
