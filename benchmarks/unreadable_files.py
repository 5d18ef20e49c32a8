"""Files that are there and may not be read: another user's, or without permission."""

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_DROP_FROM_BOUNDING_SET = 24
_CAPABILITIES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root reads everything; see prctl(2), capabilities(7)."""
_MARK = "SPECTRAMIND_MAY_NOT_READ_ALL"


@dataclass(frozen=True)
class Place:
    """The folders of a run.

    Attributes:
        data: competition folder.
        work: work folder.
        model: folder of the model.
        planet: a test planet.
    """

    data: Path
    work: Path
    model: Path
    planet: int

    @property
    def files(self) -> Path:
        """Folder of the planet."""
        return self.data / "test" / str(self.planet)


def _below(folder: str, pattern: str) -> Callable[[Place], list[Path]]:
    """Return a choice of what matches a pattern below one of a run's folders."""

    def choice(place: Place) -> list[Path]:
        found = sorted(getattr(place, folder).glob(pattern.format(planet=place.planet)))
        assert found, f"nothing is called {pattern} in {folder}"
        return found

    return choice


def _train(place: Place) -> list[Path]:
    (place.data / "train").mkdir()
    return [place.data / "train"]


def _networks(place: Place) -> list[Path]:
    (place.model / "networks").mkdir(exist_ok=True)
    return [place.model / "networks"]


UNREADABLE: dict[str, Callable[[Place], list[Path]]] = {
    "signal of AIRS-CH0": _below("files", "AIRS*signal_0.parquet"),
    "signal of FGS1": _below("files", "FGS1*signal_0.parquet"),
    "signals of both": _below("files", "*signal_0.parquet"),
    "a calibration map": _below("files", "FGS1_calibration_0/flat.parquet"),
    "a calibration folder": _below("files", "AIRS-CH0_calibration_0"),
    "a planet's folder": _below("data", "test/{planet}"),
    "folder of all planets": _below("data", "test"),
    "folder of the training planets": _train,
    "star table": _below("data", "test_star_info.csv"),
    "adc_info.csv": _below("data", "adc_info.csv"),
    "axis_info.parquet": _below("data", "axis_info.parquet"),
    "wavelengths.csv": _below("data", "wavelengths.csv"),
    "sample_submission.csv": _below("data", "sample_submission.csv"),
    "train.csv": _below("data", "train.csv"),
    "all tables": _below("data", "*.*"),
    "arrays of the model": _below("model", "model.npz"),
    "record of the model": _below("model", "model.json"),
    "readout of the model": _below("model", "readout.npz"),
    "networks of the model": _networks,
    "all files of the model": _below("model", "*.*"),
    "folder of the model": lambda place: [place.model],
    "a stored fit": _below("work", "fits/test/{planet}_0.npz"),
    "stored light curves": _below("work", "light_curves/test/{planet}_0.npz"),
    "all products of a planet": _below("work", "*/test/{planet}_0.npz"),
    "folder of the stored fits": _below("work", "fits/test"),
    "stored training set": _below("work", "training/training_set.npz"),
    "folder of the stored training set": _below("work", "training"),
    "the submission of before": _below("work", "submission.csv"),
    "records of earlier runs": _below("work", "runs"),
    "manifest of before": _below("work", "manifest.json"),
    "events of before": _below("work", "events.jsonl"),
}
"""What may not be read, by name."""


class locked:
    """Take all permissions from files and folders within the block.

    Args:
        paths: of them; a file that is a link to another's content becomes a file of its own first.
    """

    def __init__(self, paths: list[Path]):
        self._modes = {}
        for path in paths:
            if path.is_file():
                content = path.read_bytes()
                path.unlink()
                path.write_bytes(content)
            self._modes[path] = path.stat().st_mode

    def __enter__(self) -> None:
        for path in self._modes:
            path.chmod(0)

    def __exit__(self, *exc: object) -> None:
        for path, mode in self._modes.items():
            if path.exists():
                path.chmod(mode)


def give_up_reading_all() -> None:
    """Have the programs that this process executes read what its user may, even if that is root."""
    if os.geteuid() == 0:
        for capability in _CAPABILITIES:
            ctypes.CDLL(None, use_errno=True).prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def restart_without_reading_all() -> None:
    """Begin this program once more, as one that may read what its user may."""
    if os.geteuid() == 0 and _MARK not in os.environ:
        give_up_reading_all()
        os.environ[_MARK] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv])
