"""Products stored as files: one ``.npz`` each, written atomically, found again only if made from the same inputs.

The key of a file is a hash of what the product was made from (configuration, code, content of the input files); a file
with another key is made anew. No date and no folder enters the key, so another session that mounts the same files
elsewhere reuses the products. Arrays lie in the archive as they are, everything else as one JSON text; no pickle.
"""

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.files import replacing
from spectramind_kit.work_folder.encoding import decoded, encoded

logger = logging.getLogger(__name__)

Product = TypeVar("Product")
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, ProductError)
"""What reading a damaged file, or one that an older version wrote, may raise."""

_FORMAT = 2
"""Grows when files are written in another way; a file of another format is not read."""
TREE = "_tree"
"""Entry of an archive: everything of a product that is no array, as a text of JSON."""


def save_product(path: Path, product: object, key: str = "") -> None:
    """Write a product; a reader sees the old file or the new one, never a half.

    Args:
        path: the file.
        product: a dataclass of arrays, plain values, enums, tuples, mappings by name, and such dataclasses.
        key: what the product was made from.

    Raises:
        ProductError: if a value could only be pickled.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = {"format": _FORMAT, "kind": type(product).__name__, "key": key, "fields": encoded(product, "", arrays)}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        contents: dict[str, Any] = {TREE: np.array(json.dumps(tree)), **arrays}
        np.savez(file, **contents)


def load_product(path: Path, kind: type[Product]) -> Product:
    """Read a product of a known kind back.

    Args:
        path: the file.
        kind: the dataclass that was stored.

    Raises:
        OSError: if there is no such file; ``UNREADABLE`` has everything that another file may raise.
        ProductError: if the file holds another kind, another format, or values that are not of the declared types.
    """
    with np.load(path, allow_pickle=False) as archive:
        return _product(archive, _tree(archive), kind)


def stored_key(path: Path) -> str | None:
    """Return the key a product was stored under; None if there is no readable file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _tree(archive)["key"]
    except UNREADABLE:
        return None


def load_or_make(path: Path, key: str, kind: type[Product], make: Callable[[], Product]) -> Product:
    """Return the stored product if it is whole and its key is the wanted one, else make it and store it.

    A product that cannot be stored (no space, no permission) is returned all the same, with a warning.

    Args:
        path: where it is stored.
        key: what it is made from.
        kind: the dataclass that it is.
        make: makes it.
    """
    product = _stored(path, key, kind)
    if product is not None:
        return product
    product = make()
    try:
        save_product(path, product, key)
    except OSError as error:
        logger.warning("%s cannot be stored: %s", path, error)
    return product


def _stored(path: Path, key: str, kind: type[Product]) -> Product | None:
    """Return the product stored under a key; None if there is none, or none that can be read."""
    ours = False
    try:
        with np.load(path, allow_pickle=False) as archive:
            tree = _tree(archive)
            ours = tree["key"] == key
            return _product(archive, tree, kind) if ours else None
    except UNREADABLE as error:
        if ours:
            logger.warning("%s is damaged and is made anew: %s", path, error)
        return None


def _tree(archive: Any) -> dict[str, Any]:
    """Return what an archive says beside its arrays.

    Raises:
        ProductError: if the archive is of another format.
    """
    tree = json.loads(str(archive[TREE])) if TREE in archive.files else {}
    found = tree.get("format") if isinstance(tree, dict) else None
    if found != _FORMAT or not isinstance(tree.get("key"), str):
        raise ProductError("stored product", wanted=f"format {_FORMAT}", got="another one" if found is None else found)
    return tree


def _product(archive: Any, tree: dict[str, Any], kind: type[Product]) -> Product:
    if tree["kind"] != kind.__name__:
        raise ProductError("stored product", wanted=kind.__name__, got=tree["kind"])
    arrays = {name: archive[name] for name in archive.files if name != TREE}
    return decoded(tree["fields"], kind, "", arrays)
