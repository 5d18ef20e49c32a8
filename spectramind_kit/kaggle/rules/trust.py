"""Bind a notebook to the wheel dataset it was pushed for: the SHA-256 of its manifest, which states all other hashes.

The notebook's install cell compares manifest and installer with what was written into it, before it runs the installer;
the installer holds each wheel against the manifest.
"""

import copy
import re
from collections.abc import Collection
from pathlib import Path

from nbformat import NotebookNode

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.rules.metadata_file import read_metadata_file
from spectramind_kit.kaggle.rules.upload_rules import DATASET_METADATA

MANIFEST = "manifest.json"
INSTALLER = "install.py"
PLACE = re.compile(r'^manifest_sha256 = ""', re.MULTILINE)
"""The line of the install cell that takes the hash."""


def trusted_manifest(dataset: Path, attached: Collection[str]) -> str:
    """Return the SHA-256 of a wheel dataset's manifest.

    Args:
        dataset: the dataset's folder, as it was pushed.
        attached: the datasets that the kernel attaches.

    Raises:
        PackagingError: if it is no wheel dataset, its installer is not the manifest's, or it is not attached.
    """
    if not (dataset / MANIFEST).is_file() or not (dataset / INSTALLER).is_file():
        remedy = "build one: build_dataset.py build"
        raise PackagingError(f"--trust {dataset}", wanted=f"a folder with {MANIFEST} and {INSTALLER}", remedy=remedy)
    stated = read_metadata_file(dataset / MANIFEST).get("installer_sha256")
    if stated != sha256_of(dataset / INSTALLER):
        got = stated or "none"
        raise PackagingError(
            f"{INSTALLER} of {dataset}", wanted="the manifest's SHA-256", got=got, remedy="build again"
        )
    slug = str(read_metadata_file(dataset / DATASET_METADATA).get("id")).partition("/")[2]
    if slug not in {source.split("/")[1] for source in attached}:
        remedy = "attach it: --dataset-source OWNER/SLUG"
        raise PackagingError(f"--trust {dataset}", wanted=f"one of {sorted(attached)}", got=slug, remedy=remedy)
    return sha256_of(dataset / MANIFEST)


def bound_to(notebook: NotebookNode, manifest_sha256: str, where: object) -> NotebookNode:
    """Return a notebook whose install cell takes no other dataset than the one with this manifest.

    Raises:
        PackagingError: if its install cell has no place for the hash.
    """
    bound = copy.deepcopy(notebook)
    for cell in bound.cells:
        if "install" in cell.metadata.get("tags", []) and PLACE.search(cell.source):
            cell.source = PLACE.sub(f'manifest_sha256 = "{manifest_sha256}"', cell.source)
            return bound
    remedy = "copy the install cell of kernels/submit/submit.py"
    raise PackagingError(f"install cell of {where}", wanted='manifest_sha256 = ""', got="no such line", remedy=remedy)
