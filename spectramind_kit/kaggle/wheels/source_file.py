"""Source distributions: what a set-up wants before it can be built."""

import re
import tarfile
import tomllib
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TORCH = "torch"
IMPORTS_TORCH = re.compile(rb"^[ \t]*(import|from)[ \t]+torch\b", re.MULTILINE)


def builds_with_torch(path: Path) -> bool:
    """Return whether a source's set-up states torch among its build tools, or imports it: so do CUDA extensions.

    Args:
        path: of the ``.tar.gz``; what is none states nothing.
    """
    if not tarfile.is_tarfile(path):
        return False
    with tarfile.open(path) as archive:
        pyproject, setup = (_top_level(archive, name) for name in ("pyproject.toml", "setup.py"))
    return TORCH in _build_tools(pyproject) or IMPORTS_TORCH.search(setup) is not None


def _top_level(archive: tarfile.TarFile, name: str) -> bytes:
    """Return a file of the source's only folder; nothing where there is none."""
    for member in archive:
        parts = PurePosixPath(member.name).parts
        if len(parts) == 2 and parts[1] == name and (file := archive.extractfile(member)) is not None:
            return file.read()
    return b""


def _build_tools(pyproject: bytes) -> set[str]:
    """Return the names of what ``pyproject.toml`` wants for a build."""
    try:
        stated = tomllib.loads(pyproject.decode()).get("build-system", {}).get("requires", [])
        return {canonicalize_name(Requirement(each).name) for each in stated}
    except (ValueError, InvalidRequirement):
        return set()
