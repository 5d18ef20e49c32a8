"""Fetch a competition's files, or a chosen part of its 250 GB, through the client: each whole or not at all."""

import logging
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)

PAGE_SIZE = 200
SPLITS = ("train", "test")
"""Folders of planets."""
SIGNAL = "_signal"
"""Part of the names of files with a visit's frames: nearly all of the bytes."""


@dataclass(frozen=True)
class CompetitionFile:
    """A file of a competition.

    Attributes:
        path: below the competition's folder, such as "train/34983/FGS1_signal_0.parquet".
        size: its bytes.
    """

    path: PurePosixPath
    size: int

    @property
    def split(self) -> str | None:
        """The folder of planets that it lies in; None for a table, and for what lies in another folder."""
        return self.path.parts[0] if len(self.path.parts) > 1 and self.path.parts[0] in SPLITS else None

    @property
    def planet(self) -> str | None:
        """The planet that it is of; None for a table."""
        return self.path.parts[1] if self.split and len(self.path.parts) > 2 else None


@dataclass(frozen=True)
class Part:
    """What of a competition is wanted; its tables always are, and whatever is of no planet.

    Attributes:
        splits: of "train" and "test".
        planets: these alone; empty for all.
        first: so many planets of each split, in the order of their numbers; None for all.
        calibration_only: True to leave the frames out.
    """

    splits: Collection[str] = SPLITS
    planets: Collection[str] = ()
    first: int | None = None
    calibration_only: bool = False

    def of(self, files: Sequence[CompetitionFile]) -> list[CompetitionFile]:
        """Return the files of the part.

        Raises:
            PackagingError: on a planet that the competition has not.
        """
        there = {(file.split, file.planet) for file in files if file.planet and file.split in self.splits}
        unknown = sorted(set(self.planets) - {planet for _, planet in there})
        if unknown:
            wanted = f"among the {len(there)} planets of {' and '.join(self.splits)}"
            raise PackagingError("--planet", wanted=wanted, got=unknown)
        chosen = {pair for pair in there if not self.planets or pair[1] in self.planets}
        if self.first is not None:
            chosen = {pair for split in self.splits for pair in _first(chosen, split, self.first)}
        return [file for file in files if self._takes(file, chosen)]

    def _takes(self, file: CompetitionFile, chosen: Collection[tuple[str | None, str | None]]) -> bool:
        if file.planet is None:
            return file.split is None or file.split in self.splits
        return (file.split, file.planet) in chosen and not (self.calibration_only and SIGNAL in file.path.name)


def list_files(api: "KaggleApi", competition: str) -> list[CompetitionFile]:
    """Return every file of a competition.

    Raises:
        PackagingError: if the competition is not there, its rules are not accepted, or a name points out of its folder.
    """
    files = [file for page in _pages(api, competition) for file in page]
    for file in files:
        if file.path.is_absolute() or ".." in file.path.parts:
            raise PackagingError(f"file of {competition}", wanted="a path below its folder", got=str(file.path))
    return files


def download_files(api: "KaggleApi", competition: str, files: Sequence[CompetitionFile], out: Path) -> list[Path]:
    """Fetch files into a folder in the competition's layout; what lies there in full size is not fetched again.

    Returns:
        the files that were fetched.

    Raises:
        PackagingError: if they do not fit on the disk, or one does not come whole.
    """
    wanted = [file for file in files if not _is_there(out / file.path, file.size)]
    size = sum(file.size for file in wanted)
    out.mkdir(parents=True, exist_ok=True)
    if size > (free := shutil.disk_usage(out).free):
        remedy = "take a part: --planet, --first, --calibration-only"
        raise PackagingError(f"{out}", wanted=f"{size / 1e9:.1f} GB", got=f"{free / 1e9:.1f} GB free", remedy=remedy)
    for number, file in enumerate(wanted, start=1):
        log.info("%s: %d of %d, %.3g GB", file.path, number, len(wanted), file.size / 1e9)
        _fetch(api, competition, file, out)
    return [out / file.path for file in wanted]


def _fetch(api: "KaggleApi", competition: str, file: CompetitionFile, out: Path) -> None:
    """Fetch one file beside its place, unpack what the server packed, and move it there if it is whole."""
    what = f"file {file.path} of {competition}"
    with tempfile.TemporaryDirectory(dir=out, prefix=".download-") as temporary:
        with asking(what):
            api.competition_download_file(competition, str(file.path), temporary, force=True, quiet=True)
        found = [path for path in Path(temporary).iterdir() if not path.name.endswith(".kaggle-partial")]
        if len(found) != 1:
            raise PackagingError(what, wanted="one file", got=sorted(path.name for path in found) or "none")
        whole = found[0]
        if whole.stat().st_size != file.size and zipfile.is_zipfile(whole):
            with zipfile.ZipFile(whole) as archive:
                whole = Path(archive.extract(archive.namelist()[0], temporary))
        if whole.stat().st_size != file.size:
            remedy = "it was cut on the way: say it again, what is there stays"
            raise PackagingError(what, wanted=f"{file.size} bytes", got=whole.stat().st_size, remedy=remedy)
        (out / file.path).parent.mkdir(parents=True, exist_ok=True)
        whole.replace(out / file.path)


def _pages(api: "KaggleApi", competition: str) -> Iterator[list[CompetitionFile]]:
    token = None
    while True:
        with asking(f"files of {competition}"):
            page = api.competition_list_files(competition, page_token=token, page_size=PAGE_SIZE)
        yield [CompetitionFile(PurePosixPath(file.name), file.total_bytes) for file in page.files or () if file]
        if not page.next_page_token or page.next_page_token == token:
            return
        token = page.next_page_token


def _first(
    pairs: Collection[tuple[str | None, str | None]], split: str, number: int
) -> list[tuple[str | None, str | None]]:
    return sorted((pair for pair in pairs if pair[0] == split), key=lambda pair: (len(pair[1] or ""), pair[1]))[:number]


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
