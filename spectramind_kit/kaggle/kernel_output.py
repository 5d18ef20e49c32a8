"""Fetch what a kernel's session left, whole, and see that it is what the kernel is for.

The client's own download writes whatever an error page says into the file, and a short answer leaves an empty one, so
its list is taken and the files are fetched here: checked status, checked length, whole or not at all.
"""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl
import requests

from spectramind_kit.errors import PackagingError, SpectraMindError, SubmissionError
from spectramind_kit.files import replacing, sha256_of
from spectramind_kit.kaggle.client import asking
from spectramind_kit.submission import COLUMNS, read_submission, validate_submission

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)

SUBMISSION = "submission.csv"
MANIFEST = "manifest.json"
PAGE_SIZE = 100
SECONDS_BETWEEN_BYTES = 60.0


@dataclass(frozen=True)
class OutputFile:
    """A file of a kernel's output: its path below the working folder, and where to get it."""

    path: str
    url: str


def list_output(api: "KaggleApi", ref: str) -> tuple[list[OutputFile], str]:
    """Return the files of a kernel's latest session, and its log."""
    from kagglesdk.kernels.types.kernels_api_service import ApiListKernelSessionOutputRequest

    request, files, log_text = ApiListKernelSessionOutputRequest(), [], ""
    request.user_name, request.kernel_slug = ref.split("/")
    request.page_size, request.page_token = PAGE_SIZE, ""
    with asking(f"output of kernel {ref}"), api.build_kaggle_client() as kaggle:
        while True:
            answer = kaggle.kernels.kernels_api_client.list_kernel_session_output(request)
            files += [OutputFile(file.file_name, file.url) for file in answer.files]
            log_text = log_text or answer.log or ""
            if not answer.next_page_token:
                return files, log_text
            request.page_token = answer.next_page_token


def fetch_output(api: "KaggleApi", ref: str, out: Path, only: Collection[str] = ()) -> list[Path]:
    """Fetch a kernel's output and its log into a folder.

    Args:
        ref: "owner/slug".
        out: the folder.
        only: paths to fetch; empty fetches all.

    Returns:
        the files written.

    Raises:
        PackagingError: if a file does not come whole, or its name points out of the folder.
    """
    files, log_text = list_output(api, ref)
    written = [_fetch(file, ref, out) for file in files if not only or file.path in only]
    if log_text and not only:
        path = out / f"{ref.split('/')[1]}.log"
        with replacing(path) as temporary:
            temporary.write_text(log_text)
        written.append(path)
    return written


def _fetch(file: OutputFile, ref: str, out: Path) -> Path:
    what = f"file {file.path} of kernel {ref}"
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise PackagingError(what, wanted="a path below the working folder", got=repr(file.path))
    with asking(what), requests.get(file.url, stream=True, timeout=SECONDS_BETWEEN_BYTES) as answer:
        answer.raise_for_status()
        with replacing(out / path) as temporary, temporary.open("wb") as stream:
            for block in answer.iter_content(2**20):
                stream.write(block)
    return out / path


def check_output(folder: Path, expected: Collection[str], sample: Path | None = None) -> list[str]:
    """See that a session left what its kernel is for.

    Args:
        folder: the output.
        expected: patterns of files that must be there and not empty.
        sample: the competition's ``sample_submission.csv``, where it is at hand.

    Returns:
        a sentence on each thing that was seen.

    Raises:
        PackagingError: if something expected is missing.
        SubmissionError: if the submission is not whole or not valid.
    """
    said = []
    for pattern in expected:
        found = [path for path in folder.glob(pattern) if path.is_file() and path.stat().st_size]
        if not found:
            there = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
            remedy = "read the session's log"
            raise PackagingError(f"output {folder}", wanted=pattern, got=there[:12] or "no file", remedy=remedy)
        said.append(f"{pattern}: {len(found)} file{'s' if len(found) > 1 else ''}")
    if (folder / SUBMISSION).is_file():
        said.append(check_submission(folder / SUBMISSION, sample))
    return said


def check_submission(path: Path, sample: Path | None = None) -> str:
    """Validate a submission, with the sample where it is at hand, and against its manifest; say what it is.

    Raises:
        SubmissionError: naming what is wrong.
    """
    try:
        table = read_submission(path)
        validate_submission(table, read_submission(sample) if sample else _sample_of(table["planet_id"]))
    except SpectraMindError as error:
        raise SubmissionError(f"{path}", got=str(error), remedy="fetch it again; if it stays, read the log") from error
    manifest = path.parent / MANIFEST
    stated = json.loads(manifest.read_text()).get("outputs", {}).get(path.name) if manifest.is_file() else None
    if stated and stated != sha256_of(path):
        remedy = "it was cut or altered on the way: fetch it again"
        raise SubmissionError(f"{path}", wanted=f"SHA-256 {stated}", got=sha256_of(path), remedy=remedy)
    return f"{path.name}: valid, {table.height} planets, {table.width} columns"


def _sample_of(planet_ids: pl.Series) -> pl.DataFrame:
    """Return the sample submission that these planets would have, each once."""
    ids = planet_ids.unique(maintain_order=True)
    return pl.DataFrame({COLUMNS[0]: ids, **{name: pl.zeros(len(ids), eager=True) for name in COLUMNS[1:]}})
