"""The versions of what an image has, with all that it requires: ``wheels/<target>/image.lock``.

Kaggle makes its image from another one: it installs its own list over what is there, and what is there keeps its
version where the list allows. The lock is made in the same way, by uv: from the target's record and the base's
published ``pip freeze``, whose versions stay where they can; what it does not name gets the newest version of the day
that the image was built on. What the record says the image lacks is left out.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.targets import Target

LOCK_NAME = "image.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;+]+)", re.MULTILINE)
"""A pin without its local version ("+cu128"), which the package index does not have."""


def has_image_lock(target: Target) -> bool:
    """Return whether a target's versions are known whole."""
    return (target.folder / LOCK_NAME).is_file()


def read_image_lock(target: Target) -> dict[str, str]:
    """Return what a target's image has, versions by canonical name.

    Raises:
        PackagingError: if the target has no such lock.
    """
    path = target.folder / LOCK_NAME
    if not has_image_lock(target):
        remedy = f"build_dataset.py lock --target {target.name} --freeze FILE, with the `pip freeze` of a session"
        raise PackagingError(f"versions of the image {target.name}", wanted=path, got="no such file", remedy=remedy)
    return parse_pins(path.read_text())


def make_image_lock(target: Target, freeze: Path) -> dict[str, str]:
    """Write a target's ``image.lock`` and return its pins.

    Args:
        target: the image generation.
        freeze: what ``pip freeze`` said in the image or in its base.

    Raises:
        PackagingError: if the file holds no pin, or its versions and the record's do not go together.
    """
    known = parse_pins(freeze.read_text())
    if not known:
        raise PackagingError(f"{freeze}", wanted="lines of `pip freeze`, name==version", got="none")
    lacks = {canonicalize_name(name) for name in (*target.lacks, *target.compiled)}
    pins = {name: version for name, version in _resolve(target, known).items() if name not in lacks}
    head = f"# What Kaggle's image has. Made by: build_dataset.py lock --target {target.name} --freeze FILE"
    (target.folder / LOCK_NAME).write_text("\n".join([head, *pin_lines(pins), ""]))
    return pins


def parse_pins(text: str) -> dict[str, str]:
    """Return the pins among lines of requirements, versions by canonical name; files and addresses are no pins."""
    return {canonicalize_name(name): version for name, version in _PIN.findall(text)}


def pin_lines(pins: Mapping[str, str]) -> list[str]:
    """Return pins as sorted lines of requirements."""
    return [f"{name}=={version}" for name, version in sorted(pins.items())]


def run_uv(arguments: Sequence[str], folder: Path | None = None) -> None:
    """Run uv.

    Args:
        arguments: of uv.
        folder: where; None is here.

    Raises:
        PackagingError: if uv is not there, or with the end of what it says if it fails.
    """
    program = find_uv()
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last_lines = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise PackagingError(
            f"uv {' '.join(arguments[:2])}", got=last_lines, remedy="uv needs the index, or UV_FIND_LINKS"
        )


def find_uv() -> str:
    """Return the program uv, of the running environment or on the path.

    Raises:
        PackagingError: if it is in neither.
    """
    try:
        from uv import find_uv_bin

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        program = shutil.which("uv")
        if program is None:
            remedy = "pip install uv, or the kit with its extra: spectramind-kit[kaggle]"
            raise PackagingError("uv", wanted="installed or on the path", got="none", remedy=remedy) from error
        return program


def _resolve(target: Target, known: Mapping[str, str]) -> dict[str, str]:
    """Return what the record's image consists of; uv keeps the versions that its output file already has."""
    with tempfile.TemporaryDirectory() as temporary:
        wanted, lock = Path(temporary, "image.in"), Path(temporary, LOCK_NAME)
        lines = [name if version == "*" else f"{name}=={version}" for name, version in target.image.items()]
        wanted.write_text("\n".join(lines) + "\n")
        lock.write_text("\n".join(pin_lines(known)) + "\n")
        platform = f"x86_64-manylinux_{target.glibc.replace('.', '_')}"
        options = ["--python-version", target.python, "--python-platform", platform, "--no-header", "--no-annotate"]
        options += ["--exclude-newer", target.built] if target.built else []
        run_uv(["pip", "compile", *options, "--output-file", lock.name, wanted.name], Path(temporary))
        return parse_pins(lock.read_text())
