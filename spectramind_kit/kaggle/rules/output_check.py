"""Whether the files that a session left are what the competition wants."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from spectramind_kit.errors import PackagingError, SpectraMindError, SubmissionError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.rules.metadata_file import read_metadata_file
from spectramind_kit.work_folder.submission import COLUMNS, read_submission, validate_submission

SUBMISSION = "submission.csv"
MANIFEST = "manifest.json"


def check_output(folder: Path, expected: Collection[str], sample: Path | None = None) -> list[str]:
    """Check that a session left what its kernel is for.

    Args:
        folder: the output.
        expected: patterns of files that must be there and not empty.
        sample: the competition's ``sample_submission.csv``, where it is at hand.

    Returns:
        a sentence on each thing that was found.

    Raises:
        PackagingError: if something expected is missing.
        SubmissionError: if the submission is not whole or not valid.
    """
    findings = []
    for pattern in expected:
        found = [path for path in folder.glob(pattern) if path.is_file() and path.stat().st_size]
        if not found:
            there = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
            remedy = "read the session's log"
            raise PackagingError(f"output {folder}", wanted=pattern, got=there[:12] or "no file", remedy=remedy)
        findings.append(f"{pattern}: {len(found)} file{'s' if len(found) > 1 else ''}")
    if (folder / SUBMISSION).is_file():
        findings.append(check_submission(folder / SUBMISSION, sample))
    return findings


def check_submission(path: Path, sample: Path | None = None) -> str:
    """Validate a submission, with the sample where it is at hand, and against its manifest; describe it.

    Raises:
        SubmissionError: naming what is wrong.
    """
    try:
        table = read_submission(path)
        validate_submission(table, read_submission(sample) if sample else _sample_of(table["planet_id"]))
    except SpectraMindError as error:
        raise SubmissionError(f"{path}", got=str(error), remedy="fetch it again; if it stays, read the log") from error
    outputs = read_manifest(path.parent / MANIFEST).get("outputs")
    stated = outputs.get(path.name) if isinstance(outputs, dict) else None
    if stated and stated != sha256_of(path):
        remedy = "it was cut or altered on the way: fetch it again"
        raise SubmissionError(f"{path}", wanted=f"SHA-256 {stated}", got=sha256_of(path), remedy=remedy)
    return f"{path.name}: valid, {table.height} planets, {table.width} columns"


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a run says of itself; nothing where it left no manifest.

    Raises:
        SubmissionError: if the file is no manifest.
    """
    if not path.is_file():
        return {}
    try:
        return read_metadata_file(path)
    except PackagingError as error:
        remedy = "it was cut on the way, or the run ended early: fetch it again, or read the log"
        raise SubmissionError(f"{path.name} of the run", got=str(error), remedy=remedy) from error


def _sample_of(planet_ids: pl.Series) -> pl.DataFrame:
    """Return the sample submission that these planets would have, each once."""
    ids = planet_ids.unique(maintain_order=True)
    return pl.DataFrame({COLUMNS[0]: ids, **{name: pl.zeros(len(ids), eager=True) for name in COLUMNS[1:]}})
