"""How long a full-size visit takes from parquet files to light curves, beside decoding alone and the host's chain.

    (a) needed columns decoded      (b) whole files decoded      (c) fused path      (d) reference implementation
    (e) the public chain as the host describes it: all pixels, linearity, float64, NumPy

Every row is a process of its own on one thread: CPU seconds and wall time of the best of some repetitions, peak
memory of the process. Then planets are run in parallel as `spectramind calibrate` does.

    python benchmarks/calibration.py [--data DIR] [--repeat 5] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from spectramind_kit import runs
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import load_config
from spectramind_kit.environment import available_cores
from spectramind_kit.execution.processes import ONE_THREAD
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.photometry.light_curves import extract_light_curves
from spectramind_kit.photometry.window import photometric_pixels
from spectramind_kit.products import PlanetObservation
from spectramind_kit.simulation.simulated_folder import simulate_folder

ROWS = {
    "needed columns decoded": "a",
    "whole files decoded": "b",
    "fused": "c",
    "reference implementation": "d",
    "host's chain": "e",
}
ONCE = ("d", "e")
VISITS_PER_PLANET = 1.1
HIDDEN_PLANETS = 1100
KAGGLE_CORES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="full-size competition folder; one is simulated if not given")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of the quick rows")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--row", choices=ROWS.values(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(options.row, first_visit(options.data), options.repeat)))
        return
    with tempfile.TemporaryDirectory(prefix="benchmark-calibration-") as scratch:
        data = options.data or simulated(Path(scratch) / "data")
        figures = print_rows(data, options.repeat) | compile_time(data, Path(scratch))
        figures |= print_throughput(data, Path(scratch), figures["fused/cpu_s"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def simulated(data: Path) -> Path:
    """Simulate one full-size visit."""
    config = load_config(["simulation=full", "simulation.two_visit_fraction=0"])
    simulate_folder(data, 1, 0, config.simulation, seed=config.seed)
    return data


def first_visit(data: Path) -> PlanetObservation:
    """Return the first visit of the first training planet."""
    folder = open_competition(data)
    return folder.observations("train", folder.planet_ids("train")[0])[0]


def measure(row: str, visit: PlanetObservation, repeat: int) -> dict[str, float]:
    """Do the work of one row in this process and return its best times and the peak memory."""
    work = work_of(row, visit)
    times = []
    for _ in range(1 if row in ONCE else repeat + 1):  # the first time also compiles and fills caches
        cpu, wall = time.process_time(), time.perf_counter()
        light = work()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = min(times)
    return {
        "cpu_s": cpu,
        "wall_s": wall,
        "first_s": times[0][1],
        "peak_GB": peak_memory(),
        "light": light,
    }


def peak_memory() -> float:
    """Return the largest memory of this process [GB]; the system's own ``ru_maxrss`` counts its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1e9


def work_of(row: str, visit: PlanetObservation):
    """Return the work of a row as a function without arguments that returns the visit's mean AIRS-CH0 light or 0."""
    config = load_config()
    if row in "ab":
        columns = {c: None if row == "b" else needed_columns(c, config) for c in CHANNELS}
        return lambda: sum(0.0 * pl.read_parquet(visit.files[c].signal, columns=columns[c]).height for c in CHANNELS)
    if row == "e":
        from host_chain import white_light

        return lambda: white_light(visit)
    photometry = replace(config.photometry, path="fused" if row == "c" else "readable")
    return lambda: float(extract_light_curves(visit, config.calibration, photometry).flux[:, 1:].sum(axis=1).mean())


def needed_columns(channel: str, config) -> list[int]:
    """Return the parquet columns that the photometry reads."""
    row, column = photometric_pixels(channel, config.photometry)
    return (row * CHANNELS[channel].n_column + column).tolist()


def print_rows(data: Path, repeat: int) -> dict[str, float]:
    """Measure every row in a fresh process and print the table."""
    visit = first_visit(data)
    raw = sum(8.0 * CHANNELS[c].n_pixel * len(visit.axis.frame_time[c]) for c in CHANNELS) / 4e6
    files = sum(visit.files[c].signal.stat().st_size for c in CHANNELS) / 1e6
    print(f"one full-size visit: {raw:.0f} MB of counts in {files:.0f} MB of files; one thread\n")
    print(f"{'':28}{'CPU s':>8}{'wall s':>8}{'x (a)':>8}{'(e) / x':>9}{'peak GB':>9}{'MB/s':>8}")
    results = {name: _in_process(row, data, repeat) for name, row in ROWS.items()}
    decode, host = results["needed columns decoded"]["cpu_s"], results["host's chain"]["cpu_s"]
    figures = {}
    for name, row in ROWS.items():
        r = results[name]
        ratio, gain, rate = r["cpu_s"] / decode, host / r["cpu_s"], raw / r["cpu_s"]
        print(
            f"({row}) {name:24}{r['cpu_s']:8.2f}{r['wall_s']:8.2f}{ratio:8.1f}{gain:9.1f}{r['peak_GB']:9.2f}{rate:8.0f}"
        )
        key = name.replace(" ", "_").replace("'", "")
        figures |= {f"{key}/{n}": r[n] for n in ("cpu_s", "wall_s", "peak_GB")} | {f"{key}/MB_per_s": rate}
    light = {row: results[name]["light"] for name, row in ROWS.items()}
    agreement = light["c"] / light["d"] - 1.0
    print(f"\nwhite light: (c) and (d) differ by {agreement:.1e}, (c) / (e) = {light['c'] / light['e']:.4f}")
    return figures | {
        "fused/over_decoding": results["fused"]["cpu_s"] / decode,
        "fused/host_over_fused": host / results["fused"]["cpu_s"],
        "fused/difference_from_twin": agreement,
    }


def compile_time(data: Path, scratch: Path) -> dict[str, float]:
    """Measure the first visit of a process without compiled code at hand, and with it."""
    seconds = {}
    for label in ("first_visit_compiling_s", "first_visit_compiled_s"):
        seconds[label] = _in_process("c", data, 0, {"NUMBA_CACHE_DIR": str(scratch / "compiled")})["first_s"]
    print(
        f"first visit of a process: {seconds['first_visit_compiling_s']:.1f} s where the loops are compiled, ", end=""
    )
    print(f"{seconds['first_visit_compiled_s']:.1f} s where a process has done so before")
    return {f"fused/{name}": value for name, value in seconds.items()}


def print_throughput(data: Path, scratch: Path, cpu: float) -> dict[str, float]:
    """Calibrate several planets in parallel, all of them the same files, and project to the hidden test set."""
    cores, config = available_cores(), load_config()
    n_planet = 6 * cores
    crowd = scratch / "crowd"
    (crowd / "train").mkdir(parents=True)
    for path in data.iterdir():
        if path.is_file():
            (crowd / path.name).symlink_to(path.resolve())
    planet = first_visit(data).files["FGS1"].signal.parent
    for i in range(n_planet):
        folder = crowd / "train" / str(1000 + i)
        folder.mkdir()
        for path in planet.glob("*_0*"):
            (folder / path.name).symlink_to(path.resolve())
    started = time.perf_counter()
    problems = runs.calibrate(crowd, scratch / "work", "train", config)
    seconds = time.perf_counter() - started
    if problems:
        raise SystemExit(f"planets failed: {problems}")
    per_hour = 3600 * n_planet / seconds
    minutes = HIDDEN_PLANETS * VISITS_PER_PLANET * cpu / KAGGLE_CORES / 60
    print(f"\n{n_planet} planets of one visit: {seconds:.1f} s on {cores} cores, {per_hour:.0f} planets/h,", end=" ")
    print("start of the processes included")
    print(f"{HIDDEN_PLANETS} planets, {VISITS_PER_PLANET} visits each, on {KAGGLE_CORES} such cores: {minutes:.1f} min")
    return {"parallel/planets_per_hour": per_hour, "parallel/cores": cores, "projection/minutes_on_4_cores": minutes}


def _in_process(row: str, data: Path, repeat: int, environment: dict[str, str] | None = None) -> dict[str, float]:
    command = [sys.executable, __file__, "--row", row, "--data", str(data), "--repeat", str(repeat)]
    done = subprocess.run(command, env=os.environ | ONE_THREAD | (environment or {}), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"row ({row}) failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
