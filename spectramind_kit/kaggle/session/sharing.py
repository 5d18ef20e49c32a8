"""Make a report fit to be shown to everybody: no path of a machine, no name of a user or a host.

Pictures travel as base64 text and are left as they are. Everything else is searched twice: once to replace, once to
check that nothing is left.
"""

import getpass
import platform
import re
from collections.abc import Collection
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import input_root

PICTURE = re.compile(r"(data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+)")
PATH = re.compile(r"(?<![\w<:/.&])/(?:[\w.@+-]+/)+[\w.@+-]*")
"""An absolute path of two steps or more; not the end of an HTML tag, an address on the web, or a ratio."""
PUBLIC = {"", "root", "kaggle", "jovyan", "nobody", "localhost", "spectramind"}
"""Names that identify nobody: of accounts that every such machine has, and the project's own."""
OWNER_KINDS = ("datasets", "notebooks", "models")
"""Folders of the input root below which owners' folders lie."""


def share_report(report: Path, out: Path, owner: str = "") -> Path:
    """Write a copy of a report without paths and names, and return its path.

    Args:
        report: the HTML file.
        out: folder to write it into, under its own name.
        owner: a Kaggle user's name that must not appear, beside those found.

    Raises:
        PackagingError: if a path or a name is left.
    """
    names = private_names({owner})
    text = without_private(report.read_text(), names)
    left = private_parts(text, names)
    if left:
        raise PackagingError(
            f"report {report.name}", wanted="no path and no name", got=left[:5], remedy="do not share it"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / report.name).write_text(text)
    return out / report.name


def private_names(more: Collection[str] = ()) -> set[str]:
    """Return the names that must not be shown: login, host, and owners of what is attached."""
    owners = {path.name for kind in OWNER_KINDS for path in input_root().glob(f"{kind}/*") if path.is_dir()}
    return ({getpass.getuser(), platform.node(), Path.home().name} | owners | set(more)) - PUBLIC


def without_private(text: str, names: Collection[str]) -> str:
    """Return the text with every path cut to its last step and every name replaced, outside of pictures."""
    return "".join(part if PICTURE.fullmatch(part) else _cleaned(part, names) for part in PICTURE.split(text))


def private_parts(text: str, names: Collection[str]) -> list[str]:
    """Return the paths and names in a text, outside of pictures."""
    words = PICTURE.sub("", text)
    return PATH.findall(words) + [name for name in sorted(names) if _whole_word(name).search(words)]


def _cleaned(text: str, names: Collection[str]) -> str:
    text = PATH.sub(lambda match: match.group().rstrip("/").rpartition("/")[2], text)
    for name in sorted(names, key=len, reverse=True):
        text = _whole_word(name).sub("somebody", text)
    return text


def _whole_word(name: str) -> re.Pattern:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
