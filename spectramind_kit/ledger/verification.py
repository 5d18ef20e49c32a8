"""Whether what a run was made from, and what it left, is still as its record says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.files import dvc_entry, listing_entry, sha256_of
from spectramind_kit.ledger.recorded_runs import RecordedRun

SAME, CHANGED, MISSING = "same", "changed", "missing"


@dataclass(frozen=True)
class Verified:
    """A file or folder of a run's record, and what became of it.

    Attributes:
        kind: "input" or "output".
        place: relative to the work folder.
        state: "same", "changed" or "missing".
        by: name of the later run that left it as it is now; "" if none did.
    """

    kind: str
    place: str
    state: str
    by: str = ""


def verify(run: RecordedRun, later: Sequence[RecordedRun] = ()) -> list[Verified]:
    """Return what became of every input and output of a run.

    Args:
        run: the run.
        later: runs that may have written over what it left.
    """
    found = []
    for place, entry in run.manifest.get("inputs", {}).items():
        hashed = listing_entry if "listing" in entry else dvc_entry
        found.append(Verified("input", place, _state(run.path_of(place), entry, hashed)))
    for place, sha256 in run.manifest.get("outputs", {}).items():
        path = run.path_of(place)
        state = _state(path, sha256, sha256_of)
        found.append(Verified("output", place, state, _written_by(path, later) if state == CHANGED else ""))
    return found


def _state(path: Path, recorded: object, hashed: Callable[[Path], object]) -> str:
    if not path.exists():
        return MISSING
    return SAME if hashed(path) == recorded else CHANGED


def _written_by(path: Path, later: Sequence[RecordedRun]) -> str:
    """Return the name of the last run whose record has a file as it is now."""
    sha256 = sha256_of(path)
    return next((run.name for run in reversed(later) if run.left(path, sha256)), "")
