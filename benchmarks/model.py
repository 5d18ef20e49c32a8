"""What the network adds to the fit: every model on the same simulated folders, by the same commands.

Rows: population; none (fit and prior alone); the network, plain and with what may help it; the three public baselines.
``small`` folders hold nothing but what the fit's model knows; ``beyond_fit`` ones hold spots, other limb darkening,
drifts, pointing excursions, red noise and another population of test planets.

Columns: held-out score of the training planets, score of the test planets, blending weight of the network (FGS1,
AIRS-CH0), weights, processor minutes of training and seconds a test planet (both with fits lying there), peak memory.

    python benchmarks/model.py [--train 150] [--test 50] [--seeds 0 1 2] [--simulations small beyond_fit]
        [--models none v50_small ...] [--curve 50 150] [--folder FOLDER] [--json FILE] [--overrides KEY=VALUE ...]
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors import safe_open

from spectramind_kit import runs
from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.config import load_config
from spectramind_kit.metric import score
from spectramind_kit.simulation.simulated_folder import simulate_folder

BASELINES = ("thang_do_duc", "v1ctorious_80bl_128hd_impact", "fawad_awan_spectrum_regressor")
ROWS = {
    "none": ["model=none"],
    "v50_small": ["model=v50_small"],
    "v50": ["model=v50"],
    "v50_small, likelihood only": ["model=v50_small", "loss=gll"],
    "v50_small, pre-trained": ["model=v50_small", "training.pretraining_epochs=20"],
    "v50_small, simulated first": ["model=v50_small", "training.simulated_planets=300"],
    "v50_small, injected": ["model=v50_small", "training.injections=1"],
    **{name: [f"model={name}"] for name in BASELINES},
}
DEFAULT_ROWS = ("none", "v50_small", *BASELINES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=150)
    parser.add_argument("--test", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--simulations", nargs="+", default=["small", "beyond_fit"])
    parser.add_argument("--models", nargs="+", default=list(DEFAULT_ROWS), choices=list(ROWS))
    parser.add_argument("--curve", type=int, nargs="+", default=[], help="also train on the first so many planets only")
    parser.add_argument("--folder", type=Path, help="where folders and runs are stored and found again")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--overrides", nargs="*", default=[], help="configuration, such as training.epochs=30")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for simulation in options.simulations:
            by_seed = [measure(options.folder or Path(scratch), simulation, seed, options) for seed in options.seeds]
            table = {
                row: {name: float(np.mean([one[row][name] for one in by_seed])) for name in by_seed[0][row]}
                for row in by_seed[0]
            }
            print(
                f"\n{simulation}: {options.train} training, {options.test} test planets, mean of seeds {options.seeds}"
            )
            print(as_text(table), flush=True)
            figures |= {f"{simulation}/{row}/{name}": x for row, cells in table.items() for name, x in cells.items()}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def measure(folder: Path, simulation: str, seed: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Simulate a folder, fit its planets once, then train and score every model, each in a process of its own."""
    place = folder / simulation / f"seed{seed}"
    config = load_config([f"simulation={simulation}", *options.overrides])
    if not (place / "data" / "simulation.json").is_file():
        simulate_folder(
            place / "data", options.train, options.test, config.simulation, seed=seed, workers=config.workers
        )
    table = {"population": population_figures(place / "data")}
    for row in ("none", *options.models):  # the first one pays for the fits and is measured anew
        overrides = [f"simulation={simulation}", *ROWS[row], *options.overrides]
        for n, data in [(n, first_planets(place, n)) for n in options.curve] + [(None, place / "data")]:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
                name = row if n is None else f"{row}, {n} planets"
                table[name] = alone.submit(model_figures, data, place / "work", overrides).result()
    return table


def first_planets(place: Path, n: int) -> Path:
    """Return a folder beside a place's data with its first n training planets and all test planets, linked."""
    whole, folder = place / "data", place / f"data{n}"
    if not folder.is_dir():
        labels = pl.read_csv(whole / "train.csv", infer_schema_length=None).head(n)
        (folder / "train").mkdir(parents=True)
        for item in whole.iterdir():
            if item.name not in ("train", "train.csv"):
                (folder / item.name).symlink_to(item.resolve())
        for planet in labels["planet_id"]:
            (folder / "train" / str(planet)).symlink_to((whole / "train" / str(planet)).resolve())
        labels.write_csv(folder / "train.csv")
    return folder


def population_figures(data: Path) -> dict[str, float]:
    """Return the scores of mean and spread of the labels."""
    labels, truth = read_spectra(data / "train.csv")[1], read_spectra(data / "truth" / "test.csv")[1]
    answer = [np.tile(part(labels, axis=0), (len(truth), 1)) for part in (np.mean, np.std)]
    naive = float(labels.mean()), float(labels.std())
    nan = float("nan")
    return {"held out": nan, "test": score(truth, *answer, naive), **dict.fromkeys(COLUMNS[2:], nan)}


def model_figures(data: Path, work: Path, overrides: list[str]) -> dict[str, float]:
    """Train and submit with one model and return its row."""
    torch.set_num_threads(1)
    config = load_config(overrides)
    started = processor_seconds()
    model = runs.train(data, work, config)
    trained = processor_seconds()
    runs.submit(data, work, config)
    before = time.perf_counter()
    summary = runs.submit(data, work, config)
    seconds = (time.perf_counter() - before) / len(summary.spectra)
    weights = [tensor_size(path) for path in (work / "model" / "networks").rglob("*.safetensors")]
    return {
        "held out": model.score,
        "test": runs.score_files(data / "truth" / "test.csv", summary.path, naive=data / "train.csv"),
        "blending FGS1": float(model.calibration.blending_weight[0]),
        "blending AIRS": float(model.calibration.blending_weight[1]),
        "weights": float(max(weights, default=0)) if model.kind != "none" else 0.0,
        "train [CPU min]": (trained - started) / 60.0,
        "s/planet": seconds,
        "peak [GB]": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def tensor_size(path: Path) -> int:
    """Return how many numbers a file of weights holds."""
    with safe_open(path, "pt") as file:
        return sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118 - no mapping


def processor_seconds() -> float:
    """Return the processor time of this process and of those it waited for [s]."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


COLUMNS = ("held out", "test", "blending FGS1", "blending AIRS", "weights", "train [CPU min]", "s/planet", "peak [GB]")
_DIGITS = dict(zip(COLUMNS, (4, 4, 2, 2, 0, 1, 3, 2)))


def as_text(table: dict[str, dict[str, float]]) -> str:
    """Return the table as lines."""
    lines = [" " * 34 + "".join(f"{name:>{max(9, len(name) + 2)}}" for name in COLUMNS)]
    for row, cells in table.items():
        numbers = (f"{cells[name]:>{max(9, len(name) + 2)}.{_DIGITS[name]}f}" for name in COLUMNS)
        lines.append(f"{row:<34}" + "".join(numbers))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
