"""Read detector frames and calibration tables of one channel of one visit.

A parquet column is one pixel's time series, so a cube is read pixel-major and only the asked pixels are decoded.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.possible_pixels import possible_pixels
from spectramind_kit.competition.tables import UNREADABLE
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import NOT_LINEAR, Flag, Flags
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, Channel
from spectramind_kit.products import CalibrationFrames, PlanetObservation, RawCube

_CALIBRATION_LOST = {FGS1.name: Flag.FGS1_CALIBRATION_LOST, AIRS.name: Flag.AIRS_CALIBRATION_LOST}

_SAMPLED_PIXELS = 32
"""Pixels by which a read that was lost differs from one that was made."""
_SAMPLED_EXPOSURES = 200
"""Exposures by which the level of pixels without light is known to a fraction of a count."""
_IMPOSSIBLE = {FGS1.name: Flag.FGS1_IMPOSSIBLE_CALIBRATION, AIRS.name: Flag.AIRS_IMPOSSIBLE_CALIBRATION}


@dataclass(frozen=True)
class DecodedPixels:
    """The counts of some pixels as decoded, one column a pixel, to be taken block by block without a copy of all.

    Attributes:
        channel: "AIRS-CH0" or "FGS1".
        table: (n_frame, n_pixel) uint16, in the order of ``row`` and ``column``.
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        time: (n_frame,) [s] since the start of the observation.
    """

    channel: str
    table: pl.DataFrame
    row: np.ndarray
    column: np.ndarray
    time: np.ndarray

    def block(self, first: int, stop: int) -> RawCube:
        """Return the pixels ``first`` to ``stop`` (exclusive) as a cube."""
        counts = self.table[:, first:stop].to_numpy(order="fortran").T[:, : len(self.time)]
        return RawCube(self.channel, counts, self.row[first:stop], self.column[first:stop], self.time)

    def cube(self) -> RawCube:
        """Return all pixels as a cube."""
        return self.block(0, len(self.row))

    def unread_exposures(self) -> np.ndarray:
        """Return which exposures (n_exposure,) bool have a read that was lost: zero in every pixel that is sampled.

        The converter's offset keeps every pixel that was read above zero, the dark ones too.
        """
        step = max(1, self.table.width // _SAMPLED_PIXELS)
        counts = self.table[: len(self.time), ::step].to_numpy()
        return (counts == 0).all(axis=1).reshape(-1, 2).any(axis=1)

    def dark_count(self) -> float:
        """Return what pixels without light show [ADU]: the lower quartile of sampled pixels' medians of first reads."""
        step, stride = max(1, self.table.width // _SAMPLED_PIXELS), max(1, len(self.time) // 2 // _SAMPLED_EXPOSURES)
        first_reads = self.table[: len(self.time) : 2 * stride, ::step].to_numpy()
        return float(np.quantile(np.median(first_reads, axis=0), 0.25))


def decode_pixels(observation: PlanetObservation, channel: str, rows: np.ndarray, columns: np.ndarray) -> DecodedPixels:
    """Decode the counts of some pixels, and of no others.

    Args:
        observation: the visit.
        channel: "AIRS-CH0" or "FGS1".
        rows: (n_pixel,) detector rows.
        columns: (n_pixel,) detector columns.

    Returns:
        The pixels with the first n_frame entries of the axis file as times, so a visit with fewer frames is fine.

    Raises:
        CompetitionDataError: if the file is missing, damaged, of another shape or type, or longer than the axis file.
    """
    detector = CHANNELS[channel]
    path = observation.files[channel].signal
    what = f"{channel} signal of {observation.name} ({path.name})"
    time = observation.axis.frame_time[channel]
    n_column = _n_column(path, what)
    if n_column != detector.n_pixel:
        other = next((c.name for c in CHANNELS.values() if c.n_pixel == n_column), None)
        raise CompetitionDataError(
            what,
            wanted=f"{detector.n_pixel} columns ({detector.n_row} x {detector.n_column})",
            got=n_column,
            remedy=f"is this the {other} file?" if other else "download the file again",
        )
    table = _read(path, what, columns=(rows * detector.n_column + columns).tolist())
    other_types = [str(kind) for kind in table.dtypes if kind != pl.UInt16]
    if other_types:
        raise CompetitionDataError(what, wanted="uint16 counts", got=f"{other_types[0]} in {len(other_types)} columns")
    if sum(table.null_count().row(0)):
        raise CompetitionDataError(what, wanted="a count in every frame", got="missing values")
    if not 2 <= len(table) <= len(time):
        raise CompetitionDataError(what, wanted=f"2 to {len(time)} frames (as in axis_info)", got=len(table))
    return DecodedPixels(channel, table, rows, columns, time[: len(table) // 2 * 2])


def read_frame(observation: PlanetObservation, channel: str, columns: np.ndarray, frame: int = 1) -> np.ndarray:
    """Return one raw frame of some detector columns, (n_row, n_column) [ADU].

    Args:
        observation: the visit.
        channel: "AIRS-CH0" or "FGS1".
        columns: (n_column,) of the detector; each more costs time.
        frame: its number; odd ones are second reads, which have gathered light.

    Raises:
        CompetitionDataError: if the file is missing, damaged, of another shape, or shorter.
    """
    detector, path = CHANNELS[channel], observation.files[channel].signal
    what = f"{channel} signal of {observation.name} ({path.name})"
    if (found := _n_column(path, what)) != detector.n_pixel:
        raise CompetitionDataError(what, wanted=f"{detector.n_pixel} columns", got=found)
    pixels = np.arange(detector.n_row)[:, None] * detector.n_column + columns
    table = _read(path, what, columns=pixels.ravel().tolist(), most_rows=frame + 1)
    if len(table) <= frame:
        raise CompetitionDataError(what, wanted=f"more than {frame} frames", got=len(table))
    return np.asarray(table.row(frame)).reshape(pixels.shape)


def empty_signal(observation: PlanetObservation, channel: str) -> CompetitionDataError:
    """Return the error of a file that holds no count above zero."""
    what = f"{channel} signal of {observation.name} ({observation.files[channel].signal.name})"
    return CompetitionDataError(what, wanted="counts above zero", got="zero in every pixel and frame")


def read_calibration_frames(observation: PlanetObservation, channel: str) -> CalibrationFrames:
    """Read dark, dead, flat, read-noise and linearity tables; a pixel whose numbers cannot be becomes dead.

    Raises:
        CompetitionDataError: if a table is missing, damaged or of another shape.
    """
    detector = CHANNELS[channel]
    files = observation.files[channel]
    tables = {}
    for name in ("dark", "dead", "flat", "read", "linear_corr"):
        path = files.calibration / f"{name}.parquet"
        tables[name] = _read_map(path, f"{channel} {name} of {observation.name} ({path.name})", detector)
    linearity = tables["linear_corr"].reshape(-1, *detector.shape)
    usable = np.isfinite(linearity).all(axis=0)
    for name in ("dark", "dead", "flat", "read"):
        usable &= np.isfinite(tables[name])
    with np.errstate(all="ignore"):  # numbers that are lost already, and those that are too large to compute with
        possible = possible_pixels(detector, tables["dark"], tables["flat"], tables["read"], linearity)
    lost, impossible = int((~usable).sum()), int((usable & ~possible).sum())
    usable &= possible
    return CalibrationFrames(
        dark=np.where(usable, tables["dark"], 0.0),
        dead=(tables["dead"] != 0) | ~usable,
        flat=np.where(usable, tables["flat"], 1.0),
        read_noise=np.where(usable, tables["read"], 0.0),
        linearity=np.where(usable, linearity, _identity(len(linearity))),
        gain=files.gain,
        offset=files.offset,
        flags={
            flag: f"{n} of {detector.n_pixel}"
            for flag, n in ((_CALIBRATION_LOST[channel], lost), (_IMPOSSIBLE[channel], impossible))
            if n
        }
        | {**_lost_correction(observation, detector, linearity)},
    )


def _lost_correction(observation: PlanetObservation, detector: Channel, linearity: np.ndarray) -> Flags:
    """Return a flag where a channel's polynomials correct nothing and the other's do; ideal detectors have no such."""
    if linearity[2:].any():
        return {}
    (other,) = (channel for channel in CHANNELS.values() if channel is not detector)
    path = observation.files[other.name].calibration / "linear_corr.parquet"
    try:
        corrects = _read_map(path, f"{other.name} linear_corr of {observation.name}", other)[2 * other.n_row :].any()
    except CompetitionDataError:
        return {}
    return {NOT_LINEAR[detector.name]: f"its table corrects nothing, that of {other.name} does"} if corrects else {}


def _read_map(path: Path, what: str, detector: Channel) -> np.ndarray:
    """Return a calibration table, (n_row, n_column) float64 or several such below each other; NaN where empty."""
    table = _read(path, what)
    kinds = {kind for kind in table.dtypes if not (kind.is_numeric() or kind == pl.Boolean)}
    if kinds:
        raise CompetitionDataError(what, wanted="numbers", got=str(kinds.pop()))
    n_map, rest = divmod(table.height, detector.n_row)
    fits = n_map >= 2 if path.stem == "linear_corr" else n_map == 1  # a polynomial has a constant and a slope at least
    if table.width != detector.n_column or rest or not fits:
        raise CompetitionDataError(what, wanted=f"{detector.n_row} x {detector.n_column} values", got=table.shape)
    return table.cast(pl.Float64).to_numpy()


def detector_pixels(channel: Channel, columns: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column (n_pixel,) of all rows and a half-open range of columns, row by row."""
    first, stop = columns or (0, channel.n_column)
    rows, cols = np.meshgrid(np.arange(channel.n_row), np.arange(first, stop), indexing="ij")
    return rows.ravel(), cols.ravel()


def _identity(n_coefficient: int) -> np.ndarray:
    """Coefficients of the polynomial x, (n_coefficient, 1, 1)."""
    return (np.arange(n_coefficient) == 1).astype(np.float64)[:, None, None]


def _n_column(path: Path, what: str) -> int:
    _require_file(path, what)
    try:
        return len(pl.scan_parquet(path, glob=False).collect_schema())
    except UNREADABLE as error:
        raise _damaged(what, error) from error


def _read(path: Path, what: str, columns: list[int] | None = None, most_rows: int | None = None) -> pl.DataFrame:
    _require_file(path, what)
    try:
        with warnings.catch_warnings():
            # Thousands of columns are thousands of small reads; polars takes busy threads for a sign of deadlock.
            warnings.filterwarnings("ignore", message="POLARS_MAX_BLOCKING_THREAD_COUNT reached", category=UserWarning)
            table = pl.read_parquet(path, columns=columns, n_rows=most_rows, glob=False)
    except UNREADABLE as error:
        raise _damaged(what, error) from error
    if len(table) == 0:
        raise CompetitionDataError(what, wanted="at least one row", got="an empty table")
    return table


def _require_file(path: Path, what: str) -> None:
    try:
        there = path.is_file()
    except OSError as error:  # one may not look into its folder
        raise _damaged(what, error) from error
    if not there:
        raise CompetitionDataError(what, wanted=f"a file {path}", got="no such file", remedy="complete the folder")


def _damaged(what: str, error: BaseException) -> CompetitionDataError:
    got = (str(error).splitlines() or [type(error).__name__])[0][:160]
    return CompetitionDataError(what, wanted="a readable parquet file", got=got, remedy="download the file again")
