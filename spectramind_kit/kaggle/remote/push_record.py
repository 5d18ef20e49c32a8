"""What was pushed last, stored beside the kernel: ``pushed.json``. A submission is made of exactly that version."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import replacing
from spectramind_kit.kaggle.rules.kernel import read_metadata

RECORD = "pushed.json"


@dataclass(frozen=True)
class PushRecord:
    """A version of a kernel on Kaggle.

    Attributes:
        kernel: "owner/slug".
        version: the number Kaggle gave it.
        url: where it is on Kaggle.
        pushed: when, local time with its offset.
        notebook_sha256: of the notebook's text as it was sent.
        parameters: what was baked into it.
        sources: what it was attached to, by kind.
        submissions: references of the submissions made of this version.
    """

    kernel: str
    version: int
    url: str
    pushed: str
    notebook_sha256: str
    parameters: dict[str, object]
    sources: dict[str, list[str]]
    submissions: tuple[int, ...] = ()

    @property
    def competition(self) -> str | None:
        """The competition it was attached to."""
        return next(iter(self.sources.get("competition_sources", [])), None)

    def with_submission(self, ref: int) -> "PushRecord":
        """Return the record with one more submission."""
        return replace(self, submissions=(*self.submissions, ref))


def write_record(folder: Path, record: PushRecord) -> Path:
    """Write the record of a kernel's folder."""
    with replacing(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=1) + "\n")
    return folder / RECORD


def read_record(folder: Path) -> PushRecord:
    """Read the record of a kernel's folder.

    Raises:
        PackagingError: if nothing was pushed from it, or the record is not one.
    """
    path = folder / RECORD
    if not path.is_file():
        remedy = f"spectramind kernel push {folder}"
        raise PackagingError(f"kernel {folder}", wanted="a version pushed from here", got="none", remedy=remedy)
    try:
        facts = json.loads(path.read_text())
        return PushRecord(**{**facts, "submissions": tuple(facts["submissions"])})
    except (ValueError, TypeError, KeyError) as error:
        remedy = "push again"
        raise PackagingError(f"{path}", wanted="the record of a push", got=str(error), remedy=remedy) from error


def kernel_name(folder: Path, owner: str = "") -> str:
    """Return "owner/slug" of a kernel: an owner that is given, else as it was pushed, else as its metadata says."""
    name = read_metadata(folder)["id"]
    if owner:
        return f"{owner}/{name.partition('/')[2]}"
    return read_record(folder).kernel if (folder / RECORD).is_file() else name
