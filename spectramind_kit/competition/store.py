"""Products kept as files: one ``.npz`` each, written atomically, found again only if made from the same inputs.

The key of a file is a hash of what the product was made from (configuration, input files); a file with another
key is made anew. Arrays lie in the archive as they are, everything else as one JSON text; no pickle.
"""

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from spectramind_kit.config import config_hash
from spectramind_kit.products import Estimate, PlanetObservation

Product = TypeVar("Product")


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
    with open(temporary, "wb") as file:
        np.savez(file, _rest=np.array(json.dumps({"key": key, "fields": rest})), **arrays)
    os.replace(temporary, path)


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
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def load_or_make(path: Path, key: str, kind: type[Product], make: Callable[[], Product]) -> Product:
    """Return the stored product if its key is the wanted one, else make it and store it."""
    if stored_key(path) == key:
        return load_product(path, kind)
    product = make()
    save_product(path, product, key)
    return product


def observation_key(observation: PlanetObservation, *parts: object) -> str:
    """Hash what a product of one visit is made from: its files (size, modification time) and ``parts``."""
    stamps = []
    for files in observation.files.values():
        for path in (files.signal, *sorted(files.calibration.glob("*.parquet"))):
            stat = path.stat() if path.is_file() else None
            stamps.append((path.name, stat.st_size, stat.st_mtime_ns) if stat else (path.name, "missing"))
        stamps.append((files.gain, files.offset))
    return config_hash(stamps, observation.planet.planet_id, observation.visit, *parts)
