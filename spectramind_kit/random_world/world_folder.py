"""Write a competition folder whose planets live in a world drawn at random; ``truth/world.json`` says which."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.environment import available_cores
from spectramind_kit.errors import ConfigurationError
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.random_world.planets import WorldPlanet
from spectramind_kit.random_world.visit import draw_visit, simulate_counts
from spectramind_kit.random_world.world import World, draw_planets, draw_world, number_of_visits, visit_stream
from spectramind_kit.settings.simulation import SimulationConfig
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.competition_writer import (
    TRUTH,
    clear_folder,
    write_calibration_frames,
    write_planets,
    write_record,
    write_signal,
    write_tables,
)
from spectramind_kit.simulation.tables import ADC

EDITION = "2025"
WORLD = "world.json"


def simulate_world(
    out: Path,
    n_train: int,
    n_test: int,
    config: SimulationConfig,
    *,
    seed: int,
    edition: str = EDITION,
    workers: int = 1,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write a competition folder of a random world.

    Args:
        out: the folder; a previous simulation there is replaced.
        n_train: training planets.
        n_test: test planets.
        config: sizes of frames, share of second visits, kinds asked for.
        seed: draws the world and everything in it.
        edition: "2025".
        workers: processes; 0 is one per core.
        progress: called with 1 whenever a planet is done.

    Raises:
        SpectraMindError: if ``out`` holds something that is not a simulation.
        ConfigurationError: on another edition, an unknown kind, or frame averages that do not fit a visit.
    """
    if edition != EDITION:
        raise ConfigurationError("edition of a random world's folder", wanted=EDITION, got=edition)
    world = draw_world(seed, config.families)
    cadences = world_cadences(world, config)
    clear_folder(out)
    record = {"seed": seed, "edition": edition, "n_train": n_train, "n_test": n_test, "version": __version__}
    record |= {"simulation": asdict(config)}
    write_record(out, record | {"complete": False})
    splits = draw_planets(world, n_train, n_test)
    write_tables(out, splits, cadences, edition)
    (out / TRUTH / WORLD).write_text(json.dumps(world.as_dict(), indent=1) + "\n")
    tasks = [
        (out / split / str(planet.planet.planet_id), world, planet, split, index, config)
        for split, planets in splits.items()
        for index, planet in enumerate(planets)
    ]
    write_planets(write_planet, tasks, workers or available_cores(), progress or (lambda done: None))
    write_record(out, record | {"complete": True})


def world_cadences(world: World, config: SimulationConfig) -> dict[str, Cadence]:
    """Return the reads of each channel, by name."""
    average = {"AIRS-CH0": config.airs_average, "FGS1": config.fgs1_average}
    return {name: Cadence(world.detector.channel(name), average[name]) for name in CHANNELS}


def write_planet(
    folder: Path, world: World, planet: WorldPlanet, split: str, index: int, config: SimulationConfig
) -> None:
    """Simulate every visit of a planet and write its folder.

    Args:
        folder: of the planet.
        world: whose physics holds.
        planet: to simulate.
        split: of the planet.
        index: its place in the split.
        config: sizes of frames, share of second visits.
    """
    for visit in range(number_of_visits(world, split, index, config.two_visit_fraction)):
        rng = visit_stream(world, split, index, visit)
        truth = draw_visit(world, planet, rng)
        for name, cadence in world_cadences(world, config).items():
            own: np.random.Generator = rng.spawn(1)[0]
            counts, frames = simulate_counts(world, planet, truth, cadence, ADC[EDITION][name], own)
            write_calibration_frames(folder / f"{name}_calibration_{visit}", frames)
            write_signal(folder / f"{name}_signal_{visit}.parquet", counts)
