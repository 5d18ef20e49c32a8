"""Reuse what earlier sessions left, attached as kernel outputs: products of visits, models.

Attached files are read-only. Products that are found again by the key of what they were made from are linked, so that
a gigabyte costs nothing and one with another key is made anew beside it; what a run writes into is copied.
"""

from collections.abc import Collection
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import reuse_files
from spectramind_kit.kaggle.session.inputs import find_runs, input_root
from spectramind_kit.work_folder.layout import OF_VISITS

LINKED = OF_VISITS
COPIED = ("model", "predictions")
RECORDS = ("submission.csv", "manifest.json", "events.jsonl")
EVERYTHING = (*LINKED, *COPIED, *RECORDS)


def reuse_earlier_runs(work: Path, parts: Collection[str] = LINKED) -> dict[str, int]:
    """Make parts of attached runs available in a work folder; what lies there already stays.

    Args:
        work: the work folder.
        parts: folders and files of a run, of ``EVERYTHING``.

    Returns:
        how many files of each part were reused.

    Raises:
        PackagingError: if several attached runs have a part that cannot be merged, such as a model.
    """
    counts = {}
    for part in parts:
        found = [run / part for run in find_runs() if (run / part).exists()]
        if part not in LINKED and len(found) > 1:
            got = [str(path.relative_to(input_root())) for path in found]
            raise PackagingError(f"{part} of attached runs", wanted="one", got=got, remedy="detach the others")
        counts[part] = sum(reuse_files(path, work / part, link=part in LINKED) for path in found)
    return counts
