"""The tables of a competition folder, written from what was simulated.

Names and columns follow the two editions' own files; ids are whole numbers, which exceed 32 bits signed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, N_WAVELENGTH
from spectramind_kit.products import Planet
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.starlight import airs_wavelengths, label_wavelengths

ADC = {
    "2025": {FGS1.name: (0.4369, -1000.0), AIRS.name: (0.4369, -1000.0)},
    "2024": {FGS1.name: (0.84, -343.0), AIRS.name: (0.92, -779.0)},
}
"""Gain [ADU/e-] and offset [e-] by edition and channel, as real tables give them."""

_SAMPLE_VALUE = 0.456
_SECONDS_PER_HOUR = 3600.0


class TabledSystem(Protocol):
    """What tables tell of a simulated planet."""

    @property
    def planet(self) -> Planet:
        """The planet as the star table gives it."""
        ...

    @property
    def star_index(self) -> int:
        """Which of the two stars of the 2024 edition."""
        ...

    def label(self, edition: str = "2025") -> np.ndarray:
        """Return the true spectrum (283,) [(Rp/Rs)^2]."""
        ...


def write_axis_info(folder: Path, cadences: dict[str, Cadence]) -> None:
    """Write ``axis_info.parquet``: times [h], AIRS wavelengths [um] and integration times [s], padded with null."""
    airs_frames = 2 * cadences[AIRS.name].n_pair
    columns = {
        "AIRS-CH0-axis0-h": cadences[AIRS.name].frame_times() / _SECONDS_PER_HOUR,
        "AIRS-CH0-axis2-um": airs_wavelengths(),
        "AIRS-CH0-integration_time": np.resize(AIRS.integration_times, airs_frames),
        "FGS1-axis0-h": cadences[FGS1.name].frame_times() / _SECONDS_PER_HOUR,
    }
    length = max(len(values) for values in columns.values())
    padded = {name: pl.Series(values).extend_constant(None, length - len(values)) for name, values in columns.items()}
    pl.DataFrame(padded).write_parquet(folder / "axis_info.parquet")


def write_wavelengths(folder: Path, edition: str) -> None:
    """Write ``wavelengths.csv``, one row."""
    row = dict(zip(_names("wl"), ([w] for w in label_wavelengths(edition))))
    pl.DataFrame(row).write_csv(folder / "wavelengths.csv")


def write_spectra(path: Path, systems: Sequence[TabledSystem], edition: str) -> None:
    """Write a table ``planet_id, wl_1 .. wl_283`` of true spectra."""
    spectra = np.array([system.label(edition) for system in systems]).reshape(-1, N_WAVELENGTH)
    pl.DataFrame({"planet_id": _ids(systems), **dict(zip(_names("wl"), spectra.T))}).write_csv(path)


def write_sample_submission(folder: Path, systems: Sequence[TabledSystem]) -> None:
    """Write ``sample_submission.csv`` with the same constant everywhere, as the real one has it."""
    constant = np.full(len(systems), _SAMPLE_VALUE)
    columns = {name: constant for name in (*_names("wl"), *_names("sigma"))}
    pl.DataFrame({"planet_id": _ids(systems), **columns}).write_csv(folder / "sample_submission.csv")


def write_star_info(path: Path, systems: Sequence[TabledSystem]) -> None:
    """Write the star table: solar units, [K], Jupiter masses, [d], stellar radii, [deg]."""
    stars = [system.planet.star for system in systems if system.planet.star is not None]
    orbits = [system.planet.orbit for system in systems if system.planet.orbit is not None]
    rows = {
        "Rs": [star.radius for star in stars],
        "Ms": [star.mass for star in stars],
        "Ts": [star.temperature for star in stars],
        "Mp": [system.planet.mass for system in systems],
        "e": [orbit.eccentricity for orbit in orbits],
        "P": [orbit.period for orbit in orbits],
        "sma": [orbit.semi_major_axis for orbit in orbits],
        "i": [orbit.inclination for orbit in orbits],
    }
    pl.DataFrame({"planet_id": _ids(systems), **rows}).write_csv(path)


def write_adc_info(folder: Path, splits: Mapping[str, Sequence[TabledSystem]], edition: str) -> None:
    """Write the converter's constants: one row for all (2025), or a row per planet and split (2024)."""
    constants = {}
    for channel in CHANNELS:
        gain, offset = ADC[edition][channel]
        constants |= {f"{channel}_adc_offset": offset, f"{channel}_adc_gain": gain}
    if edition == "2025":
        pl.DataFrame({name: [value] for name, value in constants.items()}).write_csv(folder / "adc_info.csv")
        return
    for split, systems in splits.items():
        columns = {name: np.full(len(systems), value) for name, value in constants.items()}
        table = pl.DataFrame({"planet_id": _ids(systems), **columns, "star": [s.star_index for s in systems]})
        table.write_csv(folder / f"{split}_adc_info.csv")


def _names(kind: str) -> list[str]:
    return [f"{kind}_{i + 1}" for i in range(N_WAVELENGTH)]


def _ids(systems: Sequence[TabledSystem]) -> pl.Series:
    return pl.Series([system.planet.planet_id for system in systems], dtype=pl.Int64)
