"""Files written whole or not at all, and identified by their content."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a name to write to that becomes ``path`` at the end; after an error the old file stands as it was.

    Folders above ``path`` are made where they are missing.

    Args:
        path: of the file.
        durable: have it on the disk before this returns, so that not even a crash of the machine leaves half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        yield temporary
        if durable:
            _sync(temporary)
        os.replace(temporary, path)
        if durable:
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def reuse_files(source: Path, place: Path, *, link: bool) -> int:
    """Bring one file, or all of a folder, to another place; what is there already stays. Return how many files.

    Args:
        source: file or folder.
        place: where it should be.
        link: link the files instead of copying them; a file that is written anew takes the place of its link.
    """
    files = [path for path in sorted([source, *source.rglob("*")]) if path.is_file()]
    reused = 0
    for path in files:
        target = place / path.relative_to(source) if path != source else place
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if link:
            target.symlink_to(path.resolve())
        else:
            shutil.copyfile(path, target)
        reused += 1
    return reused


def dvc_entry(path: Path) -> dict[str, object]:
    """Return a file or folder as ``dvc.lock`` has it: md5, size in bytes and, of a folder, the number of files.

    A folder's md5 is that of the list of its files, ``[{"md5": ..., "relpath": ...}, ...]``, with ".dir" after it.

    Args:
        path: of the file or folder.
    """
    if path.is_file():
        return {"md5": _md5_of(path), "size": path.stat().st_size}
    files = files_below(path)
    listed = [{"md5": _md5_of(file), "relpath": name} for name, file in files.items()]
    size = sum(file.stat().st_size for file in files.values())
    return {"md5": _md5_of_list(listed) + ".dir", "size": size, "nfiles": len(files)}


def listing_entry(path: Path) -> dict[str, object]:
    """Return a folder that is too large to be read by the names and sizes of its files alone.

    Args:
        path: of the folder.
    """
    sizes = {name: file.stat().st_size for name, file in files_below(path).items()}
    listed = [{"relpath": name, "size": size} for name, size in sizes.items()]
    return {"listing": _md5_of_list(listed), "size": sum(sizes.values()), "nfiles": len(sizes)}


def files_below(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their relative names, sorted; those that are being written are left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return dict(sorted((path.relative_to(folder).as_posix(), path) for path in files))


def _md5_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _md5_of_list(entries: list[dict]) -> str:
    text = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()
