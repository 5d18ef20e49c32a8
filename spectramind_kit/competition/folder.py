"""The competition folder: which planets it holds, where their files are, what the tables hold.

Both editions are read: 2025 (star tables, one ADC row, visits by suffix) and 2024 (no star table, an ADC
row per planet, one visit without suffix). Nothing is assumed that a file holds: planets and visits come from
the folders, times from ``axis_info.parquet``, rows and columns of the submission from ``sample_submission.csv``.
"""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.tables import (
    planet_rows,
    read_table,
    read_text_table,
    rows_of_numbers,
    rows_of_planets,
    with_integer_ids,
)
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, N_WAVELENGTH
from spectramind_kit.products import LARGEST_DEPTH, AxisInfo, ChannelFiles, Orbit, Planet, PlanetObservation, Star

logger = logging.getLogger(__name__)

STAR_COLUMNS = {"Rs": 1e3, "Ms": 1e3, "Ts": 1e5, "Mp": 1e3, "e": 1.0, "P": 1e5, "sma": 1e5, "i": 180.0}
"""Columns of the star table, and the largest number that can be true: R_sun, M_sun, K, M_Jupiter, 1, d, R_star, deg."""
SECONDS_PER_HOUR = 3600.0
_MARKERS = (
    ("2025", "adc_info.csv"),
    ("2024", "train_adc_info.csv"),
    ("2024", "test_adc_info.csv"),
    ("2025", "train.csv"),
    ("2025", "test_star_info.csv"),
    ("2024", "train_labels.csv"),
)
"""Tables that only one edition has; the later ones are for folders that have lost the first."""
_LABELS = tuple(f"wl_{i + 1}" for i in range(N_WAVELENGTH))
_ADC = tuple(f"{channel}_adc_{constant}" for channel in CHANNELS for constant in ("gain", "offset"))


def open_competition(root: Path | str) -> "CompetitionFolder":
    """Open a competition folder of either edition.

    Raises:
        CompetitionDataError: if the folder does not exist or holds none of the competition's tables.
    """
    root = Path(root)
    for edition, marker in _MARKERS:
        if (root / marker).is_file():
            return CompetitionFolder(root, edition)
    found = sorted(p.name for p in root.iterdir())[:12] if root.is_dir() else "no such folder"
    raise CompetitionDataError(
        f"competition folder {root}",
        wanted="adc_info.csv (2025) or train_adc_info.csv (2024)",
        got=found,
        remedy=_where_else(root),
    )


def _where_else(root: Path) -> str:
    """Return what was probably meant by a folder that is no competition's."""
    if root.resolve().name in ("train", "test") and _has_tables(root.resolve().parent):
        return f"give the folder that holds it, {root.parent}"
    below = [path for path in sorted(root.iterdir()) if path.is_dir() and _has_tables(path)] if root.is_dir() else []
    if len(below) == 1:
        return f"the competition lies below it, in {below[0]}"
    if any((root / name).exists() for name in ("events.jsonl", "model/model.json", "fits")):
        return "this is a work folder, which --work takes; --data takes the one with train/, test/ and the tables"
    return "give the folder that holds train/, test/ and the tables, or make one with `spectramind simulate`"


def _has_tables(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("adc_info.csv", "train_adc_info.csv", "test_adc_info.csv"))


@dataclass(frozen=True)
class CompetitionFolder:
    """A folder in the competition's layout; tables are read when first asked for.

    Attributes:
        root: the folder.
        edition: "2025" or "2024".
    """

    root: Path
    edition: str

    @cached_property
    def axis(self) -> AxisInfo:
        """Frame times [s] and AIRS wavelengths [um] of ``axis_info.parquet``."""
        path = self.root / "axis_info.parquet"
        table, of_wavelength = read_table(path), f"{AIRS.name}-axis2-um"
        of_time = {channel: f"{channel}-axis0-h" for channel in CHANNELS}
        _require_columns(table, (*of_time.values(), of_wavelength), path)
        times = {c: table[name].drop_nulls().to_numpy() * SECONDS_PER_HOUR for c, name in of_time.items()}
        wavelength = table[of_wavelength].drop_nulls().to_numpy()
        if len(wavelength) != AIRS.n_column:
            raise CompetitionDataError(f"{path}", wanted=f"{AIRS.n_column} wavelengths", got=len(wavelength))
        return AxisInfo(frame_time=times, wavelength=wavelength)

    @cached_property
    def wavelength(self) -> np.ndarray:
        """Wavelengths of the predictions, (283,) [um]: FGS1, then AIRS ascending."""
        path = self.root / "wavelengths.csv"
        table = read_text_table(path)
        _require_columns(table, _LABELS, path)
        rows = rows_of_numbers(table, _LABELS, path.name).select(_LABELS).unique(maintain_order=True)
        if len(rows) != 1:
            raise CompetitionDataError(f"{path}", wanted=f"1 row of {N_WAVELENGTH} numbers", got=len(rows))
        return rows.to_numpy()[0]

    def planet_ids(self, split: str) -> list[int]:
        """Return the planets that have a folder in "train" or "test", ascending."""
        folder = self.root / split
        if not folder.is_dir():
            raise CompetitionDataError(
                f"split {split!r} of {self.root}",
                wanted=f"a folder {split}/",
                got="none",
                remedy=_other_splits(self.root),
            )
        return sorted(int(p.name) for p in folder.iterdir() if p.is_dir() and p.name.isdigit())

    def sample_submission(self) -> pl.DataFrame:
        """Return ``sample_submission.csv``, one row a planet: ``planet_id`` Int64, Float64 and null where no number."""
        table = planet_rows(read_text_table(self.root / "sample_submission.csv"), "sample_submission.csv")
        return table.with_columns(pl.col(pl.String).cast(pl.Float64, strict=False))

    def tables(self) -> list[str]:
        """Return the names of the edition's tables, there or not; not every stage needs every one."""
        names = ["axis_info.parquet", "wavelengths.csv", "sample_submission.csv", self._labels_name]
        if self.edition == "2025":
            return [*names, "adc_info.csv", "train_star_info.csv", "test_star_info.csv"]
        return [*names, "train_adc_info.csv", "test_adc_info.csv"]

    def missing_tables(self) -> list[str]:
        """Return the edition's tables that are not in the folder."""
        return [name for name in self.tables() if not (self.root / name).is_file()]

    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return training planets (n,) int64 and their true spectra (n, 283) [(Rp/Rs)^2].

        Lines that are no planet's, and planets without a depth at every wavelength, are left out.

        Raises:
            CompetitionDataError: if the table is missing, or a column is.
        """
        path = self.root / self._labels_name
        table = read_text_table(path)
        _require_columns(table, ("planet_id", *_LABELS), path)
        depths = pl.all_horizontal(pl.col(_LABELS).is_between(0.0, LARGEST_DEPTH, closed="right"))
        rows = planet_rows(rows_of_numbers(table, _LABELS, path.name).filter(depths), path.name)
        return rows["planet_id"].to_numpy(), rows.select(_LABELS).to_numpy()

    def test_truth(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return test planets and their true spectra, as a simulation has them; None where nobody knows them."""
        path = self.root / "truth" / "test.csv"
        try:
            return read_spectra(path) if path.is_file() else None
        except CompetitionDataError as error:
            logger.warning("the truth of the test planets is not used: %s", error)
            return None

    def planet(self, split: str, planet_id: int) -> Planet:
        """Return what the star table holds of a planet; missing or damaged entries become None and a flag."""
        if self.edition == "2024":
            return Planet(planet_id)
        name = f"{split}_star_info.csv"
        if split not in self._star_tables:
            return Planet(planet_id, flags={Flag.STAR_TABLE_MISSING: name})
        row = self._star_tables[split].get(planet_id)
        if row is None:
            return Planet(planet_id, flags={Flag.STAR_ROW_MISSING: name})
        return _planet_from_row(planet_id, row, name)

    def observations(self, split: str, planet_id: int) -> list[PlanetObservation]:
        """Return the visits of a planet, in order.

        Raises:
            CompetitionDataError: if the planet has no folder or the folder no visit.
        """
        folder = self.root / split / str(planet_id)
        if not folder.is_dir():
            remedy = _other_splits(self.root, str(planet_id))
            raise CompetitionDataError(f"planet {planet_id}", wanted=f"a folder {folder}", got="none", remedy=remedy)
        planet = self.planet(split, planet_id)
        adc = self._adc_row(split, planet_id)
        observations = []
        for visit, suffix in self._visits(folder):
            files = {
                name: ChannelFiles(
                    signal=folder / f"{name}_signal{suffix}.parquet",
                    calibration=folder / f"{name}_calibration{suffix}",
                    gain=adc[f"{name}_adc_gain"],
                    offset=adc[f"{name}_adc_offset"],
                )
                for name in CHANNELS
            }
            observations.append(PlanetObservation(planet, visit, files, self.axis))
        return observations

    @property
    def _labels_name(self) -> str:
        return "train.csv" if self.edition == "2025" else "train_labels.csv"

    def _visits(self, folder: Path) -> list[tuple[int, str]]:
        """Return (visit, file suffix), from whatever entries of the visit are there."""
        if self.edition == "2024":
            return [(0, "")]
        found = {int(m[1]) for p in folder.iterdir() if (m := re.search(r"_(?:signal|calibration)_(\d+)", p.name))}
        if not found:
            raise CompetitionDataError(
                f"{folder}", wanted=f"{FGS1.name}_signal_0.parquet and its like", got=[p.name for p in folder.iterdir()]
            )
        return [(visit, f"_{visit}") for visit in sorted(found)]

    def _adc_row(self, split: str, planet_id: int) -> dict[str, float]:
        """Return gains and offsets by column name, every one a finite number and gains above zero."""
        name = "adc_info.csv" if self.edition == "2025" else f"{split}_adc_info.csv"
        path = self.root / name
        if name not in self._adc_tables:  # read once, not once a planet
            self._adc_tables[name] = read_text_table(path)
        table = self._adc_tables[name]
        _require_columns(table, _ADC, path)
        if self.edition == "2024":
            table = planet_rows(table, name).filter(pl.col("planet_id") == planet_id)
        rows = rows_of_numbers(table, _ADC, name).select(_ADC).unique(maintain_order=True)
        if len(rows) != 1:
            got = f"{len(rows)} of {len(table)} lines"
            raise CompetitionDataError(f"{path}, planet {planet_id}", wanted="one row of numbers", got=got)
        for column in _ADC:
            if column.endswith("gain") and rows[column][0] <= 0:
                raise CompetitionDataError(f"{path}, {column}", wanted="a usable number", got=rows[column][0])
        return rows.row(0, named=True)

    @cached_property
    def _adc_tables(self) -> dict[str, pl.DataFrame]:
        """Tables of the ADC by file name, as far as they were read."""
        return {}

    @cached_property
    def _star_tables(self) -> dict[str, dict[int, dict]]:
        """Rows by split and planet; a split whose table is missing or cannot be read is left out."""
        tables = {}
        for split in ("train", "test"):
            name = f"{split}_star_info.csv"
            try:
                tables[split] = rows_of_planets(read_text_table(self.root / name), name)
            except CompetitionDataError as error:
                logger.warning("the fit does without the star table: %s", error)
        return tables


def _other_splits(root: Path, below: str = "") -> str:
    """Return the splits that have what was looked for, as a remedy; "" if none has.

    Args:
        root: competition folder.
        below: folder of a planet, if one was looked for.
    """
    found = [split for split in ("train", "test") if (root / split / below).is_dir()]
    return f"it is there with {' or '.join(f'--split {split}' for split in found)}" if found else ""


def read_spectra(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Read a table ``planet_id, wl_1 .. wl_283``: planets (n,) int64 and spectra (n, 283).

    Raises:
        CompetitionDataError: if the file is missing, or the columns or numbers are not those.
    """
    path = Path(path)
    table = with_integer_ids(read_table(path), path.name)
    _require_columns(table, _LABELS, path)
    spectra = _numbers(table.select(_LABELS), path)
    if not np.isfinite(spectra).all():
        bad = table["planet_id"][int(np.argmin(np.isfinite(spectra).all(axis=1)))]
        raise CompetitionDataError(f"{path}", wanted="finite depths", got=f"NaN in the row of planet {bad}")
    return table["planet_id"].to_numpy(), spectra


def _require_columns(table: pl.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Refuse a table that has not all columns.

    Raises:
        CompetitionDataError: naming the first one that is missing.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise CompetitionDataError(f"{path}", wanted=f"column {missing[0]!r}", got=table.columns[:12])


def _numbers(table: pl.DataFrame, path: Path) -> np.ndarray:
    """Return a table of numbers (n_row, n_column) float64; a missing one is NaN."""
    text = [column for column, kind in table.schema.items() if not kind.is_numeric()]
    if text:
        raise CompetitionDataError(f"{path}", wanted=f"numbers in column {text[0]!r}", got=str(table.schema[text[0]]))
    return table.to_numpy().astype(np.float64)


def _number(value: object) -> float:
    """Return a table entry as a number; NaN where it is none."""
    try:
        return float(value) if isinstance(value, int | float | str) else math.nan
    except ValueError:
        return math.nan


def _planet_from_row(planet_id: int, row: dict, name: str) -> Planet:
    """Keep what is usable of a star-table row; name what is not."""
    number = {column: _number(row.get(column)) for column in STAR_COLUMNS}
    # No mass, size, temperature, period or inclination is zero or negative; an eccentricity may be zero.
    bad = [c for c, value in number.items() if not 0 <= value <= STAR_COLUMNS[c] or (value == 0 and c != "e")]

    def usable(*columns: str) -> bool:
        return not any(c in bad for c in columns)

    return Planet(
        planet_id,
        star=Star(number["Rs"], number["Ms"], number["Ts"]) if usable("Rs", "Ms", "Ts") else None,
        orbit=Orbit(number["P"], number["sma"], number["i"], number["e"]) if usable("P", "sma", "i", "e") else None,
        mass=number["Mp"] if usable("Mp") else None,
        flags={Flag.STAR_ROW_INCOMPLETE: f"{', '.join(bad)} in {name}"} if bad else {},
    )
