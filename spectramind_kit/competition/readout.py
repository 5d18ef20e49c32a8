"""How the detectors are read out: ADC constants and axes, which all planets of a folder share.

Training and test planets of an edition have the same ones, too. A folder that has lost these tables can be read with
those that the training folder had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.tables import planet_rows, read_table, require_columns, rows_of_numbers
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.instruments import AIRS, CHANNELS
from spectramind_kit.products import AxisInfo

SECONDS_PER_HOUR = 3600.0
_LATEST, _LONGEST = 1e3, 1e2
"""Of frames [h] and wavelengths [um]: in seconds or nanometres they are larger."""
_POSSIBLE_ADC = {"gain": (1e-3, 1e3), "offset": (-1e6, 1e6)}
"""Smallest and largest gain [ADU/e-] and offset [e-] with which 16 bits hold the light of a pixel."""
_ADC = tuple(f"{channel}_adc_{constant}" for channel in CHANNELS for constant in _POSSIBLE_ADC)


@dataclass(frozen=True, eq=False)
class Readout:
    """What the training folder says of all its planets.

    Attributes:
        edition: of the competition.
        adc: gains [ADU/e-] and offsets [e-] by their columns in the ADC's table; None where planets differ in them, or
            none could be read.
        axis: times and wavelengths; None where they could not be read.
    """

    edition: str
    adc: Mapping[str, float] | None = None
    axis: AxisInfo | None = None


def read_axis(path: Path) -> AxisInfo:
    """Read ``axis_info.parquet``.

    Raises:
        CompetitionDataError: if it cannot be read, or times or wavelengths cannot be.
    """
    table, of_wavelength = read_table(path), f"{AIRS.name}-axis2-um"
    of_time = {channel: f"{channel}-axis0-h" for channel in CHANNELS}
    require_columns(table, (*of_time.values(), of_wavelength), path)
    hours = {channel: _in_order(table[name], path, _LATEST) for channel, name in of_time.items()}
    wavelength = _in_order(table[of_wavelength], path, _LONGEST, descending=True)
    if len(wavelength) != AIRS.n_column:
        raise CompetitionDataError(f"{path}", wanted=f"{AIRS.n_column} wavelengths", got=len(wavelength))
    return AxisInfo({channel: values * SECONDS_PER_HOUR for channel, values in hours.items()}, wavelength)


def adc_row(table: pl.DataFrame, path: Path, planet_id: int | None = None, *, by_planet: bool) -> dict[str, float]:
    """Return gains and offsets by column name, every one a number that can be.

    Args:
        table: of text.
        path: of its file, for errors.
        planet_id: whose they are; None: those of all planets.
        by_planet: whether the table has a row for each planet.

    Raises:
        CompetitionDataError: if there is no such row, or planets differ where those of all are wanted.
    """
    require_columns(table, _ADC, path)
    if by_planet and planet_id is not None:
        table = planet_rows(table, path.name).filter(pl.col("planet_id") == planet_id)
    rows = rows_of_numbers(table, _ADC, path.name).select(_ADC).unique(maintain_order=True)
    if len(rows) != 1:
        what = f"{path}" if planet_id is None else f"{path}, planet {planet_id}"
        raise CompetitionDataError(what, wanted="one row of numbers", got=f"{len(rows)} of {len(table)} lines")
    row = rows.row(0, named=True)
    for column, value in row.items():
        low, high = _POSSIBLE_ADC[column.rsplit("_", 1)[-1]]
        if not low <= value <= high:
            raise CompetitionDataError(f"{path}, {column}", wanted=f"a number from {low:g} to {high:g}", got=value)
    return row


def _in_order(column: pl.Series, path: Path, largest: float, *, descending: bool = False) -> np.ndarray:
    """Return the numbers of a column (n,) float64.

    Raises:
        CompetitionDataError: if they are none, out of order, or larger than can be.
    """
    what, order = f"{path}, {column.name}", "descending" if descending else "ascending"
    if not column.dtype.is_numeric():
        raise CompetitionDataError(what, wanted="numbers", got=str(column.dtype))
    values = column.drop_nulls().to_numpy().astype(np.float64)
    step = np.diff(values)
    in_order = step < 0 if descending else step > 0  # False beside a NaN, too
    if not len(values) or not np.isfinite(values).all() or not in_order.all():
        place = int(np.argmin(in_order)) if len(in_order) else 0
        raise CompetitionDataError(what, wanted=f"finite numbers, {order}", got=values[place : place + 2].tolist())
    if np.abs(values).max() > largest:
        raise CompetitionDataError(what, wanted=f"numbers up to {largest:g}", got=np.abs(values).max())
    return values
