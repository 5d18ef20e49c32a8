"""A real operation of every component: what ``spectramind selftest`` runs before a long job."""

import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spectramind_kit.config import Config, load_config
from spectramind_kit.environment import available_cores, package_versions, usable_cuda
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.instruments import N_WAVELENGTH
from spectramind_kit.networks.scan_in_use import scan_in_use

_EPOCHS = 1
"""Of the network: enough to see that it trains."""


@dataclass(frozen=True)
class Check:
    """One line of the self-test."""

    name: str
    passed: bool
    detail: str


def run_selftest(config: Config) -> Iterator[Check]:
    """Yield the checks in order; a failing one does not stop the others.

    A tiny simulated competition goes the whole way, so the later checks rest on the earlier ones.
    """
    if config.model.kind == "auto":  # which would be none for two planets
        config = replace(config, model=load_config(["model=v50"]).model)
    config = replace(config, training=replace(config.training, epochs=_EPOCHS, pretraining_epochs=0, devices=1))
    yield Check("python", True, f"{platform.python_version()}, {available_cores()} cores")
    yield from (Check(name, version != "missing", version) for name, version in package_versions().items())
    with tempfile.TemporaryDirectory(prefix="spectramind-selftest-") as folder:
        data, work = Path(folder) / "data", Path(folder) / "work"
        steps: dict[str, Callable[[], str]] = {
            "device": lambda: usable_cuda() or "no usable CUDA device; the CPU does everything",
            "selective scan": lambda: "{}: {}".format(*scan_in_use()),
            "transit model": _transit,
            "simulate": lambda: _simulate(data, config),
            "calibrate, fit, train": lambda: _train(data, work, config),
            "submit": lambda: _submit(data, work, config),
            "diagnose": lambda: _diagnose(data, work, config),
        }
        for name, step in steps.items():
            try:
                yield Check(name, True, step())
            except Exception as error:
                yield Check(name, False, f"{type(error).__name__}: {error}")


def _transit() -> str:
    from spectramind_kit.transit.light_curve import transit_flux

    flux = float(transit_flux(np.zeros(()), 0.01, 0.0, 0.0).flux)
    if abs(flux - 0.99) > 1e-9:
        raise SpectraMindError("flux at mid-transit of a dark-limbless star", wanted=0.99, got=flux)
    return f"uniform star, depth 0.01: flux {flux:.9f}"


def _simulate(data: Path, config: Config) -> str:
    from spectramind_kit.simulation.simulated_folder import simulate_folder

    simulate_folder(data, 2, 1, config.simulation, seed=config.seed)
    return f"{sum(1 for _ in data.rglob('*.parquet'))} parquet files"


def _train(data: Path, work: Path, config: Config) -> str:
    from spectramind_kit import runs

    model = runs.train(data, work, config)
    if model.n_measured != 2:
        raise SpectraMindError("training planets fitted", wanted=2, got=model.n_measured)
    return "2 planets"


def _submit(data: Path, work: Path, config: Config) -> str:
    from spectramind_kit import runs
    from spectramind_kit.competition.folder import read_spectra

    summary = runs.submit(data, work, config)
    (spectrum,) = summary.spectra
    truth = read_spectra(data / "truth" / "test.csv")[1][0]
    # Two planets give a network no weight, but it must have answered.
    if spectrum.source != "fit" or spectrum.problems or np.abs(spectrum.mean - truth).mean() > 1e-3:
        raise SpectraMindError(
            "spectrum of the test planet", wanted="within 1000 ppm of the truth", got="; ".join(spectrum.problems)
        )
    return f"{N_WAVELENGTH} depths, mean error {1e6 * np.abs(spectrum.mean - truth).mean():.0f} ppm"


def _diagnose(data: Path, work: Path, config: Config) -> str:
    from spectramind_kit.diagnostics.report import write_report

    return f"{write_report(data, work, config).stat().st_size // 1024} kB of HTML"
