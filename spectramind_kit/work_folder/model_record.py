"""``model.json``: what a trained model is and which files belong to it, for people and for whoever looks for one.

Networks, arrays and record are written one after another. A training that is killed between them, or two that write
into one folder, leave parts that do not belong together; the record's hashes tell.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from spectramind_kit import __version__
from spectramind_kit.files import replacing, sha256_of

MARKER = "model.json"
"""Name of the record; other tools write files of this name too, so what it holds is looked at."""


def is_model(folder: Path) -> bool:
    """True for a folder that training left."""
    return read_model_record(folder) is not None


def read_model_record(folder: Path) -> dict | None:
    """Return what a model's record says; None where there is none of ours."""
    try:
        record = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "kit_version" in record else None


def write_model_record(folder: Path, facts: Mapping[str, object]) -> None:
    """Write the record of the files that lie in a model's folder, with one generation id over all of them.

    Args:
        folder: of the model; every file in it belongs to it.
        facts: what else is recorded.
    """
    files = {
        str(path.relative_to(folder)): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARKER and not path.name.startswith(".")
    }
    generation = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]
    record = {"kit_version": __version__, "generation": generation, **facts, "files": files}
    with replacing(folder / MARKER, durable=True) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def foreign_files(folder: Path, record: Mapping, below: str) -> list[str]:
    """Return files of a model that are missing, damaged, or of another generation than its record.

    Args:
        folder: of the model.
        record: of the model.
        below: only files of this sub-folder, or this one file.
    """
    recorded = record.get("files", {})
    paths = sorted((folder / below).rglob("*")) if (folder / below).is_dir() else [folder / below]
    there = {str(path.relative_to(folder)): path for path in paths if path.is_file() and path.name[0] != "."}
    names = {name for name in recorded if name == below or name.startswith(f"{below}/")} | set(there)
    return sorted(name for name in names if name not in there or sha256_of(there[name]) != recorded.get(name))
