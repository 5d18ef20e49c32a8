"""Shared ground of the tests: one thread, the real sample where it lies, and tiny and simulated competition folders.

``SPECTRAMIND_TESTS_WITHOUT_TORCH=1`` skips what needs torch, on Pythons for which torch is gigabytes away.
"""

# ruff: noqa: E402
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before numpy is there: threads of many tests side by side fight for cores

import fcntl
import shutil
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spectramind_kit.config import Config, load_config
from spectramind_kit.environment import provide_home
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, N_WAVELENGTH

TORCH_PACKAGES = ("torch", "torch_geometric", "pytorch_lightning", "safetensors")


provide_home()  # jupyter's packages want one when they are imported


class SkipWithoutTorch(PathFinder):
    """Skip the test, or the test module, that first imports torch or what rests on it."""

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        """Skip for the packages named above; leave all others to the finders that follow."""
        if fullname in TORCH_PACKAGES:
            pytest.skip(f"{fullname} is not wanted here", allow_module_level=True)
        return None


if os.environ.get("SPECTRAMIND_TESTS_WITHOUT_TORCH"):
    sys.meta_path.insert(0, SkipWithoutTorch)
else:
    import torch

    torch.set_num_threads(1)

GAIN, OFFSET = 0.4369, -1000.0
SMALLEST_NETWORK = ("model=v50_small", "model.d_model=8", "model.heads=2", "model.d_state=2", "training.epochs=2")
PAIRS = {AIRS.name: 8, FGS1.name: 96}
"""CDS pairs of a tiny visit: FGS1 is read twelve times as often."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the small piece of real 2025 data, where this machine has one."""
    here = Path(__file__).resolve().parents[1].parent / "shared" / "real_2025"
    folder = Path(os.environ.get("SPECTRAMIND_REAL_DATA", here))
    if not (folder / "adc_info.csv").is_file():
        pytest.skip(f"no real sample in {folder}; set SPECTRAMIND_REAL_DATA to a folder that holds it")
    return folder


@pytest.fixture(scope="session")
def config():
    """The configuration as it is shipped."""
    return load_config()


@pytest.fixture(scope="session")
def starlight():
    """Electrons per exposure of a tiny visit's star, by channel, (n_row, n_column)."""
    row = np.arange(32)[:, None]
    trace = np.exp(-0.5 * ((row - 15.4) / 1.3) ** 2) * np.linspace(3e3, 3e4, AIRS.n_column)
    spot = 2e4 * np.exp(-0.5 * ((row - 15.2) ** 2 + (np.arange(32) - 14.7) ** 2) / 1.3**2)
    return {AIRS.name: trace, FGS1.name: spot}


@pytest.fixture(scope="session")
def competition_template(tmp_path_factory, starlight):
    """Tiny competition folders to copy from, each written once a session."""

    @lru_cache
    def template(edition, visits):
        return _write_competition(tmp_path_factory.mktemp("template") / "competition", starlight, edition, visits)

    return template


@pytest.fixture
def write_competition(tmp_path, competition_template):
    """A writer of tiny competition folders of your own: two training planets, 8 and 96 ideal exposures."""

    def write(edition="2025", visits=1):
        return Path(shutil.copytree(competition_template(edition, visits), tmp_path / "competition"))

    return write


def _write_competition(root, starlight, edition, visits, planets=(34983, 4294967311)):
    """Write ideal frames (no noise, perfect detector) in the competition's layout and return the folder."""
    _write_tables(root, planets, edition)
    for planet in planets:
        folder = root / "train" / str(planet)
        for suffix in [""] if edition == "2024" else [f"_{visit}" for visit in range(visits)]:
            for channel in CHANNELS.values():
                _write_calibration(folder / f"{channel.name}_calibration{suffix}", channel)
                counts = ideal_counts(starlight[channel.name], channel, PAIRS[channel.name])
                write_signal(folder / f"{channel.name}_signal{suffix}.parquet", counts)
    return root


def ideal_counts(electrons, channel, n_pair):
    """Return counts (n_frame, n_pixel) of a constant star: light gathers from the reset to each read."""
    share = channel.time_since_reset(2 * n_pair) / channel.exposure_time
    counts = np.round((share[:, None] * electrons.ravel() - OFFSET) * GAIN)
    return counts.astype(np.uint16)


def write_signal(path, counts):
    """Write frames (n_frame, n_pixel) as the competition stores them."""
    names = [f"column_{i}" for i in range(counts.shape[1])]
    pl.DataFrame(counts, schema=names).write_parquet(path)


def _write_calibration(folder, channel):
    folder.mkdir(parents=True)
    linearity = np.zeros((6, *channel.shape))
    linearity[1] = 1.0
    tables = {
        "dark": np.full(channel.shape, 0.006),
        "dead": np.zeros(channel.shape, dtype=bool),
        "flat": np.ones(channel.shape),
        "read": np.full(channel.shape, 13.0),
        "linear_corr": linearity.reshape(-1, channel.n_column),
    }
    for name, table in tables.items():
        write_signal(folder / f"{name}.parquet", table)


def _write_tables(root, planets, edition):
    root.mkdir(parents=True)
    wavelengths = [f"wl_{i + 1}" for i in range(N_WAVELENGTH)]
    sigmas = [f"sigma_{i + 1}" for i in range(N_WAVELENGTH)]
    ids = pl.Series("planet_id", planets)
    labels = pl.DataFrame(np.full((len(planets), N_WAVELENGTH), 0.0145), schema=wavelengths).insert_column(0, ids)
    axis_um = np.linspace(4.07846, 1.63325, AIRS.n_column)
    longest = 4 * PAIRS[FGS1.name]
    axis = {f"{c.name}-axis0-h": _frame_hours(c, 2 * PAIRS[c.name]) for c in CHANNELS.values()}
    axis |= {"AIRS-CH0-axis2-um": axis_um}
    pl.DataFrame({name: list(v) + [None] * (longest - len(v)) for name, v in axis.items()}).write_parquet(
        root / "axis_info.parquet"
    )
    pl.DataFrame([[0.7, *axis_um[39:321][::-1]]], schema=wavelengths, orient="row").write_csv(root / "wavelengths.csv")
    answer = np.full((len(planets), 2 * N_WAVELENGTH), 0.456)
    sample = pl.DataFrame(answer, schema=wavelengths + sigmas).insert_column(0, ids)
    sample.write_csv(root / "sample_submission.csv")
    adc = {f"{c}_adc_{n}": v for c in CHANNELS for n, v in (("offset", OFFSET), ("gain", GAIN))}
    if edition == "2025":
        labels.write_csv(root / "train.csv")
        pl.DataFrame([adc]).write_csv(root / "adc_info.csv")
        star = {"Rs": 1.1, "Ms": 1.0, "Ts": 5600.0, "Mp": 0.9, "e": 0.0, "P": 3.3, "sma": 8.5, "i": 89.1}
        for split, kind in (("train", pl.Int64), ("test", pl.Float64)):
            stars = pl.DataFrame([{"planet_id": p, **star} for p in planets]).with_columns(
                pl.col("planet_id").cast(kind)
            )
            stars.write_csv(root / f"{split}_star_info.csv")
    else:
        labels.write_csv(root / "train_labels.csv")
        for split in ("train", "test"):
            rows = [{"planet_id": p, "star": 0, **adc} for p in planets]
            pl.DataFrame(rows).write_csv(root / f"{split}_adc_info.csv")


def _frame_hours(channel, n_frame):
    """Return the frame times as the competition's axis has them: the pair's start plus 0.1 and 0.2 s."""
    start = np.repeat(np.arange(n_frame // 2) * channel.pair_period, 2)
    return (start + np.resize([0.1, 0.2], n_frame)) / 3600.0


@dataclass(frozen=True)
class SimulatedCompetition:
    """A simulated folder and the configuration it is run with."""

    data: Path
    config: Config


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A maker of folders that all processes of a test run share, and none changes: the first who asks makes them."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name, write) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # half of it, where another process failed
                write(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def competition(made_once) -> SimulatedCompetition:
    """Four training and two test planets, some with two visits, in frames that are means of very many: read only."""
    from spectramind_kit.simulation.simulated_folder import (
        simulate_folder,  # here: tests of one floor need not import all
    )

    overrides = ["workers=1", "simulation.two_visit_fraction=0.4", *SMALLEST_NETWORK]
    config = load_config([*overrides, "simulation.airs_average=75", "simulation.fgs1_average=900"])
    data = made_once("simulated", lambda folder: simulate_folder(folder, 4, 2, config.simulation, seed=1))
    return SimulatedCompetition(data, config)


@pytest.fixture(scope="session")
def trained_work(competition, made_once) -> Path:
    """A work folder in which training and submission are done: read only."""

    def write(work):
        from spectramind_kit import runs

        runs.train(competition.data, work, competition.config)
        runs.submit(competition.data, work, competition.config)

    return made_once("trained", write)


@pytest.fixture
def spectramind(monkeypatch, capsys):
    """Run a command in this process: exit status, standard output, standard error."""

    from spectramind_kit import cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spectramind", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        return status, *capsys.readouterr()

    return run
