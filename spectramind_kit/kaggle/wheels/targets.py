"""Targets: the image generations that wheels are made for, one folder of ``wheels/`` each.

A compiled wheel is valid for one (Python minor, torch minor, CUDA major, C++ ABI) tuple, and Kaggle's image moves
every few months. So an image generation is a record, ``wheels/<target>/target.toml``, with a hashed lock of what
the image lacks beside it, ``requirements.lock``; a new image is a new record, not new code.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import install

RECORD_NAME = "target.toml"
LOCK_NAME = "requirements.lock"
_LOCK_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)\s+--hash=sha256:(?P<sha256>[0-9a-f]{64})\s+# (?P<filename>\S+)"
)


@dataclass(frozen=True)
class Pin:
    """One file of the package index.

    Attributes:
        name: its distribution.
        version: of the distribution.
        sha256: of the file.
        filename: the index's name for it.
        builds_with_torch: True for a source whose set-up wants torch; a lock does not say so.
    """

    name: str
    version: str
    sha256: str
    filename: str
    builds_with_torch: bool = field(default=False, compare=False)

    @property
    def is_sdist(self) -> bool:
        """True if the index has no wheel that fits, so that one is built from the source distribution."""
        return not self.filename.endswith(".whl")

    def line(self) -> str:
        """Return the pin as a line that pip reads as a requirement with its hash."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}  # {self.filename}"


@dataclass(frozen=True)
class Target:
    """An image generation.

    Attributes:
        folder: its folder of ``wheels/``; the name is the target's name.
        python: minor version of its Python, such as "3.12".
        torch: minor version of its torch, such as "2.10".
        cuda: minor version of torch's CUDA, such as "12.8".
        cxx11_abi: the C++ ABI torch was built with.
        glibc: the image's C library.
        architectures: what CUDA code is compiled for: "sm_75" is machine code, "compute_80" is PTX.
        image: distributions that the image already has, with their versions ("*": not recorded). Never bundled.
        lacks: distributions that it lacks, pinned; all of them without compiled code.
        compiled: distributions that it lacks and that are compiled for its GPUs from their source, pinned.
        toolchain: the package index's distributions, pinned, that make a compiler for its CUDA, if there are any.
        built: the day the image was built on, such as "2026-06-29"; "" if it is not known.
    """

    folder: Path
    python: str
    torch: str
    cuda: str
    cxx11_abi: bool
    glibc: str
    architectures: tuple[str, ...]
    image: Mapping[str, str]
    lacks: Mapping[str, str]
    compiled: Mapping[str, str] = field(default_factory=dict)
    toolchain: Mapping[str, str] = field(default_factory=dict)
    built: str = ""

    @property
    def name(self) -> str:
        """The target's name, such as "cp312-torch2.10-cu128"."""
        return self.folder.name

    @property
    def python_tag(self) -> str:
        """The wheel tag of its Python, such as "cp312"."""
        return "cp" + self.python.replace(".", "")

    def facts(self) -> dict[str, object]:
        """Return what a session must agree with before compiled wheels are installed (see install.py)."""
        keys = ("python", "torch", "cuda", "cxx11_abi", "glibc")
        return {key: getattr(self, key) for key in keys}


def load_target(wheels: Path, name: str) -> Target:
    """Read ``wheels/<name>/target.toml``.

    Raises:
        PackagingError: if there is no such target or its record lacks a field.
    """
    path = wheels / name / RECORD_NAME
    if not path.is_file():
        raise PackagingError(
            f"target {name!r}",
            wanted=f"one of {target_names(wheels)}",
            got=f"no file {path}",
            remedy="`build_dataset.py targets` lists them; a new image generation is a new folder with a target.toml",
        )
    record = tomllib.loads(path.read_text())
    try:
        return Target(
            folder=path.parent,
            architectures=tuple(record["architectures"]),
            **{key: record[key] for key in ("python", "torch", "cuda", "cxx11_abi", "glibc", "image", "lacks")},
            **{key: record.get(key, {}) for key in ("compiled", "toolchain")},
            built=record.get("built", ""),
        )
    except KeyError as missing:
        raise PackagingError(f"{path}", wanted=f"the field {missing}", got=sorted(record)) from missing


def target_names(wheels: Path) -> list[str]:
    """Return the names of the targets under ``wheels``, sorted."""
    return sorted(path.parent.name for path in wheels.glob(f"*/{RECORD_NAME}"))


def incompatibilities(target: Target) -> list[str]:
    """Return why compiled wheels of the target would not run here; empty if they would."""
    return install.incompatibilities(target.facts(), install.session_facts())


def read_lock(target: Target) -> list[Pin]:
    """Read the target's lock and hold it against the pins of its record.

    Raises:
        PackagingError: on a line that is no hashed pin, or where lock and record name different versions.
    """
    path = target.folder / LOCK_NAME
    remedy = f"make it anew: build_dataset.py lock --target {target.name}"
    if not path.is_file():
        raise PackagingError(f"lock of target {target.name}", got=f"no file {path}", remedy=remedy)
    pins = [_parse_lock_line(line, path) for line in path.read_text().splitlines() if line and line[0] != "#"]
    locked = {pin.name: pin.version for pin in pins}
    wanted = {**target.lacks, **target.compiled}
    if locked != wanted:
        raise PackagingError(f"{path}", wanted=wanted, got=locked, remedy=remedy)
    return pins


def _parse_lock_line(line: str, path: Path) -> Pin:
    match = _LOCK_LINE.fullmatch(line.strip())
    if match is None:
        raise PackagingError(f"{path}", wanted="name==version --hash=sha256:...  # file name", got=repr(line))
    return Pin(match["name"], match["version"], match["sha256"], match["filename"])
