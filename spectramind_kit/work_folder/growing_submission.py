"""A submission that is complete and valid from the first minute on, and gets better as planets finish.

Whatever ends the run, a kill, a full disk or the platform's clock, leaves the last whole file. Space for the next one
is reserved beforehand, because light curves and fits may fill the disk.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.products import Spectrum
from spectramind_kit.work_folder.submission import COLUMNS, write_submission

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 60.0
_BYTES_A_NUMBER = 26


def require_writable(folder: Path, option: str = "--work") -> None:
    """Refuse a work folder that cannot be written to, before hours are spent on it.

    Args:
        folder: that is made if it is not there.
        option: of the command line that names it.

    Raises:
        SpectraMindError: if no file can be made and replaced in it.
    """
    probe, moved = (folder / f".writable{end}.{os.getpid()}" for end in ("", ".moved"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"yes")
        os.replace(probe, moved)
        moved.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
        raise SpectraMindError(
            f"{'work folder' if option == '--work' else 'folder'} {folder}",
            wanted="a folder that can be written to",
            got=error.strerror or str(error),
            remedy=f"give another one with {option}",
        ) from error


class GrowingSubmission:
    """The submission of a run: a spectrum for every planet of the sample, each replaced by a better one.

    Args:
        spectra: one per planet of the sample, such as the population's.
        sample: ``sample_submission.csv``.
        path: of the submission.
    """

    def __init__(self, spectra: Iterable[Spectrum], sample: pl.DataFrame, path: Path):
        self._spectra = {spectrum.planet_id: spectrum for spectrum in spectra}
        self._sample, self._path = sample, path
        self._reserve = path.with_name(f".{path.name}.reserved")
        self._written = time.monotonic()
        self._write()
        self._reserve_space()

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        """The spectra as they are now, in the sample's order."""
        return tuple(self._spectra[planet] for planet in self._sample["planet_id"].to_list())

    def put(self, spectrum: Spectrum) -> None:
        """Take a better spectrum; the file follows at most once a minute, and a write that fails costs nothing."""
        self._spectra[spectrum.planet_id] = spectrum
        if time.monotonic() - self._written < SECONDS_BETWEEN_WRITES:
            return
        self._written = time.monotonic()
        self._try_to_write()

    def finish(self, spectra: Iterable[Spectrum]) -> Path:
        """Write the last spectra; on a full disk the space that was reserved makes it possible.

        A disk that fails all the same leaves the file of the minute before, which is better than none.
        """
        self._spectra |= {spectrum.planet_id: spectrum for spectrum in spectra}
        self.close()
        self._try_to_write()
        return self._path

    def close(self) -> None:
        """Give the reserved space back; the file stays as it is."""
        with contextlib.suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            logger.error("%s stays as it was: %s", self._path, error)

    def _write(self) -> None:
        """Write the file; what fails once, as a disk does that is full for a moment, is tried a second time."""
        spectra = list(self._spectra.values())
        try:
            write_submission(spectra, self._sample, self._path)
        except OSError as error:
            logger.warning("%s is written a second time: %s", self._path, error)
            write_submission(spectra, self._sample, self._path)

    def _reserve_space(self) -> None:
        """Keep the bytes of one more file; where that is not possible, the run goes on without."""
        size = _BYTES_A_NUMBER * len(COLUMNS) * (len(self._sample) + 1)
        try:
            with open(self._reserve, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            self.close()
            logger.warning("no space can be reserved for the submission: %s", error)
