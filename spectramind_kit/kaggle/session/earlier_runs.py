"""Reuse what earlier sessions left, attached as kernel outputs: products of visits, models.

Attached files are read-only. Products that are found again by the key of what they were made from are linked, so that
a gigabyte costs nothing and one with another key is made anew beside it; what a run writes into is copied.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import find_runs, input_root

LINKED = ("light_curves", "fits", "features", "baseline_input")
"""Products of visits, all that are stored of them."""
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
        counts[part] = sum(_reuse(path, work / part, part in LINKED) for path in found)
    return counts


def _reuse(source: Path, place: Path, link: bool) -> int:
    """Bring one file, or all of a folder, to its place; return how many files that were."""
    files = [path for path in sorted([source, *source.rglob("*")]) if path.is_file()]
    reused = 0
    for path in files:
        target = place / path.relative_to(source) if path != source else place
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            target.symlink_to(path)
        else:
            shutil.copyfile(path, target)
        reused += 1
    return reused
