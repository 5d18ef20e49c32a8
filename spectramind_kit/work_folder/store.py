"""Products kept as files: one ``.npz`` each, written atomically, found again only if made from the same inputs.

The key of a file is a hash of what the product was made from (configuration, content of the input files); a file
with another key is made anew. No date and no folder enters the key, so another session that mounts the same files
elsewhere takes the products up. Arrays lie in the archive as they are, everything else as one JSON text; no pickle.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import numpy as np

from spectramind_kit.config import config_hash
from spectramind_kit.errors import ProductError
from spectramind_kit.files import replacing
from spectramind_kit.flags import Flag
from spectramind_kit.products import Estimate, PlanetObservation

logger = logging.getLogger(__name__)

Product = TypeVar("Product")
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, ProductError)
"""What reading a damaged file, or one that an older version wrote, may raise."""

_READ_WHOLE = 2**20
_SAMPLES = 16
_SAMPLE_BYTES = 4096


def save_product(path: Path, product: object, key: str = "") -> None:
    """Write a product; a reader sees the old file or the new one, never a half."""
    arrays, rest = {}, {}
    for field in fields(product):
        value = getattr(product, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif field.name == "flags":
            rest[field.name] = {flag.name: detail for flag, detail in value.items()}
        elif isinstance(value, Mapping):
            rest[field.name] = {name: [e.value, e.error] for name, e in value.items()}
        else:
            rest[field.name] = value
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, _rest=np.array(json.dumps({"key": key, "fields": rest})), **arrays)


def load_product(path: Path, kind: type[Product]) -> Product:
    """Read a product of a known kind back."""
    with np.load(path, allow_pickle=False) as archive:
        values = {name: archive[name] for name in archive.files if name != "_rest"}
        rest = json.loads(str(archive["_rest"]))["fields"]
    for name, value in rest.items():
        if name == "flags":
            value = {Flag[n]: detail for n, detail in value.items()}
        elif isinstance(value, dict):
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

    That is the content of its files (as ``fingerprint`` tells it), converter constants, time and wavelength axes,
    planet and visit, and ``parts``: configuration, and of the star table what the product depends on.
    """
    prints = []
    for files in observation.files.values():
        for path in (files.signal, *sorted(files.calibration.glob("*.parquet"))):
            prints.append((path.name, fingerprint(path)))
        prints.append((files.gain, files.offset))
    axis = hashlib.sha256(observation.axis.wavelength.tobytes())
    for times in observation.axis.frame_time.values():
        axis.update(times.tobytes())
    return config_hash(prints, axis.hexdigest(), observation.planet.planet_id, observation.visit, *parts)


def fingerprint(path: Path) -> str:
    """Return a hash of a file's size and content, "missing" where there is none.

    Small files are read whole. Of a large one samples are read, evenly spaced from the first byte to the last:
    frames of another exposure differ in every one of them.
    """
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with open(path, "rb") as file:
        if size <= _READ_WHOLE:
            digest.update(file.read())
        else:
            for i in range(_SAMPLES):
                file.seek(i * (size - _SAMPLE_BYTES) // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
