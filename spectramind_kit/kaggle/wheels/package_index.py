"""Ask the package index for what a target lacks: wheels that fit it, or sources; pins with their hashes.

Everything goes through pip, with whatever index and proxy the user has set up for it.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.wheels.source_file import builds_with_torch
from spectramind_kit.kaggle.wheels.targets import LOCK_NAME, Pin, Target

log = logging.getLogger(__name__)

CONSTRAINTS_NAME = "build-constraints.txt"
FIRST_ZIP_DATE = "315532800"
"""1980-01-01, the oldest date a zip archive can hold: files get the same date in every build."""
FORCED_BUILD = {"CAUSAL_CONV1D_FORCE_BUILD": "TRUE", "MAMBA_FORCE_BUILD": "TRUE"}
"""Without these the set-ups first look for a ready wheel on a host that may not be reachable."""
KEPT_CUDA = {**FORCED_BUILD, "MAMBA_KEEP_CUDA_BUILD": "TRUE"}
"""With these they compile: from the release after 2.3.2 on, mamba-ssm does so only where it is asked to."""
SKIPPED_CUDA = {**FORCED_BUILD, "CAUSAL_CONV1D_SKIP_CUDA_BUILD": "TRUE", "MAMBA_SKIP_CUDA_BUILD": "TRUE"}
"""With these they do no more than state their metadata, which needs no compiler."""


def download(arguments: Sequence[str], target: Target, folder: Path) -> None:
    """Download wheels that fit the target's Python and C library, whatever Python runs here."""
    minor = int(target.glibc.split(".")[1])
    platforms = [f"manylinux_2_{older}_x86_64" for older in range(minor, 16, -1)] + ["manylinux2014_x86_64"]
    fits = ["--python-version", target.python, "--implementation", "cp", "--only-binary", ":all:"]
    fits += [part for platform in platforms for part in ("--platform", platform)]
    run_pip(["download", "--no-deps", "--dest", str(folder), *fits, *arguments])


def download_source(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    isolated: bool = True,
    constraints: Path | None = None,
    python: Path = Path(sys.executable),
) -> None:
    """Download a source distribution.

    Args:
        name: the distribution.
        arguments: what pip is asked for.
        folder: where it goes.
        isolated: False for set-ups that import torch even to state their version: ``python`` must have it.
        constraints: pins of the build tools.
        python: whose pip.
    """
    command = ["download", "--no-deps", "--no-binary", name, "--dest", str(folder), *arguments]
    if isolated:
        run_pip(command, constraints, python)
    else:
        run_pip([*command, "--no-build-isolation"], constraints, python, SKIPPED_CUDA)


def make_lock(target: Target) -> list[Pin]:
    """Ask the index for the pins of a target's record and write their hashes into its lock."""
    wanted = {**target.lacks, **target.compiled}
    pins = [find_pin(name, version, target, compiled=name in target.compiled) for name, version in wanted.items()]
    head = f"# What Kaggle's image lacks. Made by: build_dataset.py lock --target {target.name}"
    write_lock(target, pins, head)
    return pins


def write_lock(target: Target, pins: Sequence[Pin], head: str) -> None:
    """Write a target's lock under a line that says what it is."""
    (target.folder / LOCK_NAME).write_text("\n".join([head, *(pin.line() for pin in pins), ""]))


def find_pin(name: str, version: str, target: Target, *, compiled: bool = False) -> Pin:
    """Return the index's file of a distribution: a wheel that fits the target where there is one, else the source.

    Args:
        name: the distribution.
        version: its version.
        target: what a wheel must fit.
        compiled: True to take the source whatever there is, of a set-up that imports torch to state its version.

    Raises:
        PackagingError: if the index has neither.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder, wanted = Path(temporary), f"{name}=={version}"
        if compiled:
            download_source(name, [wanted], folder, isolated=False)
        else:
            try:
                download([wanted], target, folder)
            except PackagingError:
                log.info("%s %s: no wheel on the index, taking its source", name, version)
                _download_any_source(name, [wanted], folder, build_constraints(target))
        file = next(folder.iterdir())
        return Pin(name, version, sha256_of(file), file.name, builds_with_torch(file))


def _download_any_source(name: str, wanted: Sequence[str], folder: Path, constraints: Path) -> None:
    """Download a source, with the build tools that are here where they do, else with those that it states.

    What is stated may be torch, of which pip would fetch gigabytes to learn a version.
    """
    try:
        download_source(name, wanted, folder, isolated=False)
    except PackagingError:
        download_source(name, wanted, folder, constraints=constraints)


def build_wheel(arguments: Sequence[str], folder: Path, constraints: Path) -> None:
    """Build one wheel from a source, in an environment that pip makes."""
    run_pip(["wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder), *arguments], constraints)


def run_pip(
    arguments: Sequence[str],
    constraints: Path | None = None,
    python: Path = Path(sys.executable),
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run pip; build environments that it makes keep to the constraints.

    Args:
        arguments: of pip.
        constraints: pins that build environments keep to.
        python: whose pip.
        variables: environment variables beside the caller's.

    Raises:
        PackagingError: with the end of pip's output, if it fails.
    """
    environment = {**os.environ, "SOURCE_DATE_EPOCH": FIRST_ZIP_DATE, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if constraints is not None and constraints.is_file():
        environment |= {"PIP_CONSTRAINT": str(constraints), "PIP_BUILD_CONSTRAINT": str(constraints)}
    command = [str(python), "-m", "pip", *arguments]
    done = subprocess.run(command, env={**environment, **(variables or {})}, capture_output=True, text=True)
    if done.returncode:
        last_lines = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise PackagingError(
            f"pip {' '.join(arguments)}", got=last_lines, remedy="pip needs its index, or PIP_FIND_LINKS"
        )


def build_constraints(target: Target) -> Path:
    """Return the file with the pins of the build tools, which all targets share."""
    return target.folder.parent / CONSTRAINTS_NAME
