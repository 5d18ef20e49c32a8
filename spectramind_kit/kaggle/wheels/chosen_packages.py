"""Packages that a user names, in the place of the kit's: wheels of anybody's CUDA extension for a Kaggle image.

They are built, checked and laid out as the kit's own are, in a store of their own in the cache.
"""

import dataclasses
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.upload_rules import DATASET_SLUG_LENGTH
from spectramind_kit.kaggle.wheels.package_index import build_constraints, find_pin, write_lock
from spectramind_kit.kaggle.wheels.targets import Pin, Target

REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)")


def parse_packages(texts: Sequence[str]) -> dict[str, str]:
    """Read ``NAME==VERSION`` texts.

    Raises:
        PackagingError: on another text, or two versions of one package: a dataset is of exact versions.
    """
    packages = {}
    for text in texts:
        found = REQUIREMENT.fullmatch(text.strip())
        if found is None:
            raise PackagingError(f"--package {text}", wanted="NAME==VERSION", remedy="a dataset is of exact versions")
        name = canonicalize_name(found[1])
        if packages.setdefault(name, found[2]) != found[2]:
            raise PackagingError(
                f"--package {text}", wanted="one version of each", got=f"also {name}=={packages[name]}"
            )
    return packages


def dataset_slug(packages: Collection[str]) -> str:
    """Return a slug for a dataset of these packages, within Kaggle's length."""
    return (
        re.sub(r"[^a-z0-9]+", "-", "-".join(sorted(packages)).lower())
        .strip("-")[: DATASET_SLUG_LENGTH[1] - 7]
        .rstrip("-")
        + "-wheels"
    )


def target_of(packages: Mapping[str, str], target: Target, cache: Path, compiled: bool) -> Target:
    """Return a target that lacks these packages and nothing else, locked, with its store in the cache.

    Args:
        packages: versions by name.
        target: the image generation.
        cache: folder of build trees.
        compiled: True to compile what the index has as source only.

    Raises:
        PackagingError: if the image has one of them, the index has not, or one cannot be built without a compiler.
    """
    there: dict[str, str] = {canonicalize_name(name): version for name, version in target.image.items()}
    if known := sorted(set(packages) & set(there)):
        got = ", ".join(f"{name} {there[name]}" for name in known)
        raise PackagingError(f"--package for {target.name}", wanted="nothing that the image has", got=got)
    label = "-".join(f"{name}-{version}" for name, version in sorted(packages.items()))
    folder = cache / "packages" / label / target.name
    folder.mkdir(parents=True, exist_ok=True)
    if build_constraints(target).is_file():
        shutil.copyfile(build_constraints(target), folder.parent / build_constraints(target).name)
    pins = [_pin(name, version, target) for name, version in packages.items()]
    if not compiled and (wanting := sorted(f"{pin.name} {pin.version}" for pin in pins if pin.builds_with_torch)):
        got = f"{', '.join(wanting)}, which the index has as source that builds with torch"
        remedy = "name a compiler: --toolchain or --cuda-home"
        raise PackagingError(f"--package without CUDA for {target.name}", wanted="wheels", got=got, remedy=remedy)
    sources = {pin.name for pin in pins if pin.is_sdist and compiled}
    chosen = dataclasses.replace(
        target,
        folder=folder,
        lacks={name: version for name, version in packages.items() if name not in sources},
        compiled={name: version for name, version in packages.items() if name in sources},
    )
    write_lock(chosen, pins, f"# Packages that were named: build_dataset.py build --target {target.name} --package ...")
    return chosen


def _pin(name: str, version: str, target: Target) -> Pin:
    """Return a package's file: a wheel, a source, or a source whose set-up wants the torch that is here."""
    try:
        return find_pin(name, version, target)
    except PackagingError:
        return find_pin(name, version, target, compiled=True)
