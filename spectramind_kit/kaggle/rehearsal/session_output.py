"""What a session leaves in its working folder, exported as Kaggle exports a kernel's output.

Files keep their place, folders are merged, logs of one record a line (``.jsonl``) are continued, so that after a
dry run the work folder looks as if every stage had run there.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

LOG_SUFFIX = ".jsonl"


def export_output(working: Path, work: Path, without: Collection[str] = ()) -> list[Path]:
    """Copy a session's files into the work folder.

    Args:
        working: the session's working folder.
        work: where the files go, each to the same relative path.
        without: top-level names that stay behind.

    Returns:
        the relative paths of the exported files, sorted. Links are left behind: what they point to is not output.
    """
    files = sorted(path for path in working.rglob("*") if path.is_file() and not path.is_symlink())
    relative = [path.relative_to(working) for path in files]
    exported = [path for path in relative if path.parts[0] not in without]
    for path in exported:
        place = work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == LOG_SUFFIX and place.is_file():
            with place.open("ab") as log:
                log.write((working / path).read_bytes())
        else:
            shutil.copyfile(working / path, place)
    return exported
