"""Take the local version out of a wheel, so that its name survives an upload.

"2.3.1+cu12torch2.10" is a local version (PyPA, "Version specifiers"). Kaggle drops the "+" from a file's name, and
what is left can be installed by no tool, because name and metadata then disagree. So the part from the "+" on goes
out of the file name, the metadata, the names of the ``.dist-info`` and ``.data`` folders, and the record of hashes.
"""

import base64
import csv
import hashlib
import io
import re
import zipfile
from pathlib import Path

from spectramind_kit.errors import PackagingError

VERSION_LINE = re.compile(rb"^Version: *(\S+)[ \t]*$", re.MULTILINE)


def public_name(file: str) -> str:
    """Return a wheel's file name without local version."""
    name, version, tags = file.split("-", 2)
    return "-".join([name, version.split("+")[0], tags])


def without_local_version(path: Path) -> Path:
    """Write the wheel again beside itself without its local version, remove it, and return the new one.

    A wheel without local version is returned as it is.

    Raises:
        PackagingError: if the wheel's metadata has no version.
    """
    if "+" not in path.name:
        return path
    old, new = "-".join(path.name.split("-")[:2]), "-".join(public_name(path.name).split("-")[:2])
    place = path.with_name(public_name(path.name))
    rows = []
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as target:
        record = None
        for member in source.infolist():
            content = source.read(member)
            member.filename = _renamed(member.filename, old, new)
            if member.filename == f"{new}.dist-info/RECORD":
                record = member
                continue
            if member.filename == f"{new}.dist-info/METADATA":
                content = _without_local(content, path)
            target.writestr(member, content, zipfile.ZIP_DEFLATED)
            rows.append([] if member.is_dir() else [member.filename, _digest(content), str(len(content))])
        if record is None:
            place.unlink()
            raise PackagingError(f"wheel {path}", wanted=f"{old}.dist-info/RECORD", got="no such file in it")
        target.writestr(record, _record([*filter(None, rows), [record.filename, "", ""]]), zipfile.ZIP_DEFLATED)
    path.unlink()
    return place


def _renamed(name: str, old: str, new: str) -> str:
    """Rename the folders that bear the version."""
    for suffix in (".dist-info/", ".data/"):
        if name.startswith(old + suffix):
            return new + name[len(old) :]
    return name


def _without_local(metadata: bytes, path: Path) -> bytes:
    head, blank, body = metadata.partition(b"\n\n")
    if not VERSION_LINE.search(head):
        raise PackagingError(f"metadata of wheel {path}", wanted="a line 'Version: ...'", got="none")
    return VERSION_LINE.sub(lambda line: b"Version: " + line[1].split(b"+")[0], head, count=1) + blank + body


def _digest(content: bytes) -> str:
    """Return a file's hash as RECORD spells it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _record(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
