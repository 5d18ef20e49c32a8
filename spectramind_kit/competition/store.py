"""Products kept as files: one ``.npz`` each, written atomically, found again only if made from the same inputs.

The key of a file is a hash of what the product was made from (configuration, input files); a file with another
key is made anew. Arrays lie in the archive as they are, everything else as one JSON text; no pickle.
"""

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from spectramind_kit.config import config_hash
from spectramind_kit.errors import ProductError
from spectramind_kit.products import Estimate, PlanetObservation

logger = logging.getLogger(__name__)

Product = TypeVar("Product")
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, ProductError)
"""What reading a damaged file, or one that an older version wrote, may raise."""


def save_product(path: Path, product: object, key: str = "") -> None:
    """Write a product; a reader sees the old file or the new one, never a half."""
    arrays, rest = {}, {}
    for field in fields(product):
        value = getattr(product, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif isinstance(value, Mapping):
            rest[field.name] = {name: [e.value, e.error] for name, e in value.items()}
        else:
            rest[field.name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, _rest=np.array(json.dumps({"key": key, "fields": rest})), **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_product(path: Path, kind: type[Product]) -> Product:
    """Read a product of a known kind back."""
    with np.load(path, allow_pickle=False) as archive:
        values = {name: archive[name] for name in archive.files if name != "_rest"}
        rest = json.loads(str(archive["_rest"]))["fields"]
    for name, value in rest.items():
        if isinstance(value, dict):
            value = {n: Estimate(*pair) for n, pair in value.items()}
        values[name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def stored_key(path: Path) -> str | None:
    """Return the key a product was stored under; None if there is no readable file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return json.loads(str(archive["_rest"]))["key"]
    except UNREADABLE:
        return None


def load_or_make(path: Path, key: str, kind: type[Product], make: Callable[[], Product]) -> Product:
    """Return the stored product if it is whole and its key is the wanted one, else make it and store it.

    A product that cannot be stored (no space, no permission) is returned all the same, with a warning.
    """
    if stored_key(path) == key:
        try:
            return load_product(path, kind)
        except UNREADABLE:
            logger.warning("%s is damaged and is made anew", path)
    product = make()
    try:
        save_product(path, product, key)
    except OSError as error:
        logger.warning("%s cannot be stored: %s", path, error)
    return product


def observation_key(observation: PlanetObservation, *parts: object) -> str:
    """Hash what a product of one visit is made from.

    That is its files (size, modification time), converter constants, time and wavelength axes, what the star table
    tells, and ``parts``.
    """
    stamps = []
    for files in observation.files.values():
        for path in (files.signal, *sorted(files.calibration.glob("*.parquet"))):
            stat = path.stat() if path.is_file() else None
            stamps.append((path.name, stat.st_size, stat.st_mtime_ns) if stat else (path.name, "missing"))
        stamps.append((files.gain, files.offset))
    axis = hashlib.sha256(observation.axis.wavelength.tobytes())
    for times in observation.axis.frame_time.values():
        axis.update(times.tobytes())
    return config_hash(stamps, axis.hexdigest(), observation.planet, observation.visit, *parts)
