"""The competition folder: which planets it holds, where their files are, what the tables hold.

Both editions are read: 2025 (star tables, one ADC row, visits by suffix) and 2024 (no star table, an ADC
row per planet, one visit without suffix). Nothing is assumed that a file holds: planets and visits come from
the folders, times from ``axis_info.parquet``, rows and columns of the submission from ``sample_submission.csv``.
"""

import contextlib
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.readout import Readout, adc_row, read_axis
from spectramind_kit.competition.tables import (
    planet_rows,
    read_table,
    read_text_table,
    require_columns,
    rows_of_numbers,
    rows_of_planets,
    with_integer_ids,
)
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import CHANNELS, FGS1, N_WAVELENGTH
from spectramind_kit.products import LARGEST_DEPTH, AxisInfo, ChannelFiles, Orbit, Planet, PlanetObservation, Star

logger = logging.getLogger(__name__)

STAR_COLUMNS = {"Rs": 1e3, "Ms": 1e3, "Ts": 1e5, "Mp": 1e3, "e": 1.0, "P": 1e5, "sma": 1e5, "i": 180.0}
"""Columns of the star table, and the largest number that can be true: R_sun, M_sun, K, M_Jupiter, 1, d, R_star, deg."""
_MARKERS = (
    ("2025", "adc_info.csv"),
    ("2024", "train_adc_info.csv"),
    ("2024", "test_adc_info.csv"),
    ("2025", "train.csv"),
    ("2025", "test_star_info.csv"),
    ("2024", "train_labels.csv"),
)
"""Tables that only one edition has; the later ones are for folders that have lost the first."""
_PLANET = re.compile("0|[1-9][0-9]{0,17}")
"""Names of planets' folders: whole numbers that 64 bits hold."""
_LABELS = tuple(f"wl_{i + 1}" for i in range(N_WAVELENGTH))


def open_competition(root: Path | str, known: Readout | None = None) -> "CompetitionFolder":
    """Open a competition folder of either edition.

    Args:
        root: the folder.
        known: what the training folder had, for tables that this one has lost; used where the edition is the same.

    Raises:
        CompetitionDataError: if the folder does not exist or holds none of the competition's tables.
    """
    root = Path(root)
    for edition, marker in _MARKERS:
        if _is_file(root / marker):
            return CompetitionFolder(root, edition, known if known and known.edition == edition else None)
    found = sorted(p.name for p in root.iterdir())[:12] if root.is_dir() else "no such folder"
    raise CompetitionDataError(
        f"competition folder {root}",
        wanted="adc_info.csv (2025) or train_adc_info.csv (2024)",
        got=found,
        remedy=_where_else(root),
    )


def _is_file(path: Path) -> bool:
    """Whether a file is there; one that the system says nothing of counts as missing, as other tables may tell."""
    try:
        return path.is_file()
    except OSError:
        return False


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
        known: what stands in for tables that are lost, if anything does.
    """

    root: Path
    edition: str
    known: Readout | None = field(default=None, compare=False, repr=False)

    @property
    def axis(self) -> AxisInfo:
        """Frame times [s] and AIRS wavelengths [um] of ``axis_info.parquet``, or the known ones."""
        return self._axis[0]

    @cached_property
    def _axis(self) -> tuple[AxisInfo, Flags]:
        try:
            return read_axis(self.root / "axis_info.parquet"), {}
        except CompetitionDataError as error:
            if self.known is None or self.known.axis is None:
                raise
            logger.warning("the axes of the training folder are used: %s", error)
            return self.known.axis, {Flag.AXIS_OF_TRAINING: ""}

    @cached_property
    def wavelength(self) -> np.ndarray:
        """Wavelengths of the predictions, (283,) [um]: FGS1, then AIRS ascending."""
        path = self.root / "wavelengths.csv"
        table = read_text_table(path)
        require_columns(table, _LABELS, path)
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
        return sorted(int(p.name) for p in folder.iterdir() if _PLANET.fullmatch(p.name) and p.is_dir())

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
        require_columns(table, ("planet_id", *_LABELS), path)
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
        (adc, adc_flags), (axis, axis_flags) = self._adc(split, planet_id), self._axis
        planet = self.planet(split, planet_id)
        planet = replace(planet, flags={**planet.flags, **adc_flags, **axis_flags})
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
            observations.append(PlanetObservation(planet, visit, files, axis))
        return observations

    def readout(self, split: str) -> Readout:
        """Return what all planets of a split share, as far as it can be read."""
        adc, axis = None, None
        with contextlib.suppress(CompetitionDataError):
            adc = self._adc_row(split)
        with contextlib.suppress(CompetitionDataError):
            axis = read_axis(self.root / "axis_info.parquet")
        return Readout(self.edition, adc, axis)

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

    def _adc(self, split: str, planet_id: int) -> tuple[Mapping[str, float], Flags]:
        try:
            return self._adc_row(split, planet_id), {}
        except CompetitionDataError as error:
            if self.known is None or self.known.adc is None:
                raise
            logger.debug("the ADC constants of the training folder are used: %s", error)
            return self.known.adc, {Flag.ADC_OF_TRAINING: ""}

    def _adc_row(self, split: str, planet_id: int | None = None) -> dict[str, float]:
        """Return the ADC's constants by column name, of a planet or of all."""
        name = "adc_info.csv" if self.edition == "2025" else f"{split}_adc_info.csv"
        if name not in self._adc_tables:  # read once, not once a planet
            self._adc_tables[name] = read_text_table(self.root / name)
        return adc_row(self._adc_tables[name], self.root / name, planet_id, by_planet=self.edition == "2024")

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
    require_columns(table, _LABELS, path)
    spectra = _numbers(table.select(_LABELS), path)
    if not np.isfinite(spectra).all():
        bad = table["planet_id"][int(np.argmin(np.isfinite(spectra).all(axis=1)))]
        raise CompetitionDataError(f"{path}", wanted="finite depths", got=f"NaN in the row of planet {bad}")
    return table["planet_id"].to_numpy(), spectra


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
