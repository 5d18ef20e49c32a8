"""What a product is made from, as short hashes: the code that makes it, its settings, and the files of a visit.

The code of a product is the import closure of the modules that make it: these, every module of ours that they import
anywhere in their files, and so on. An edit of any of them gives another hash, so that the product is made anew; an
edit elsewhere does not. Sources are read as they lie, in a checkout or an installed wheel.
"""

import hashlib
import json
import re
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from pathlib import Path

from spectramind_kit.errors import CompetitionDataError, ProductError
from spectramind_kit.products import PlanetObservation

PACKAGE = Path(__file__).parents[1]

_TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+.*\n|\n)+", re.MULTILINE)
"""What a type checker reads and Python does not."""
_IMPORT = re.compile(r"^[ \t]*(?:from[ ]+([\w.]+)[ ]+import[ ]+(\([^)]*\)|[^\n#]+)|import[ ]+([\w.]+))", re.MULTILINE)
_NAME = re.compile(r"\w+")

_READ_WHOLE = 2**20
_SAMPLES = 16
_SAMPLE_BYTES = 4096


@lru_cache(maxsize=64)
def code_hash(*modules: str, package: Path = PACKAGE) -> str:
    """Return a hash of the sources of modules and of everything of ours that they import.

    Args:
        modules: dotted names of the modules that make a product, such as "spectramind_kit.fitting.posterior".
        package: folder of the package, which has the package's name.

    Raises:
        ProductError: if there is no such module.
    """
    sources = _sources(package)
    digest = hashlib.sha256()
    for name in sorted(import_closure(*modules, package=package)):
        digest.update(name.encode() + b"\0" + sources[name] + b"\0")
    return digest.hexdigest()[:16]


def import_closure(*modules: str, package: Path = PACKAGE) -> set[str]:
    """Return modules and all modules of the package that they import, wherever in the file, and so on.

    The packages that a module lies in belong to it: Python executes their ``__init__`` first.

    Args:
        modules: dotted names.
        package: folder of the package.

    Raises:
        ProductError: if there is no such module.
    """
    sources = _sources(package)
    for name in modules:
        if name not in sources:
            raise ProductError(f"code of {name}", wanted=f"a module of {package}", got="no such file")
    closure: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in closure:
            closure.add(name)
            waiting += imported_modules(name, package)
    return closure


@lru_cache(maxsize=1024)
def imported_modules(module: str, package: Path = PACKAGE) -> frozenset[str]:
    """Return the modules of the package that one module imports, and the package it lies in.

    Statements are found as text, ten times faster than by parsing: a worker process has the hashes in milliseconds.
    That serves this package, whose imports are absolute and stand on lines of their own.

    Args:
        module: dotted name.
        package: folder of the package.
    """
    sources = _sources(package)
    text = _TYPES_ONLY.sub("", sources[module].decode())
    found = {module.rpartition(".")[0]}
    for origin, names, plain in _IMPORT.findall(text):
        if (origin or plain).split(".")[0] == package.name:
            found |= {origin or plain, *(f"{origin}.{name}" for name in _NAME.findall(names))}
    return frozenset(found & sources.keys())


@lru_cache(maxsize=4)
def _sources(package: Path) -> dict[str, bytes]:
    """Return the sources of a package by the names of its modules."""
    found = {}
    for path in package.rglob("*.py"):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_bytes()
    return found


def config_hash(*parts: object) -> str:
    """Return a short SHA-256 of configuration dataclasses, strings and numbers, the same in every session."""
    plain = [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]


def observation_hash(observation: PlanetObservation) -> str:
    """Return a hash of what one visit of a planet is.

    That is the content of its files (as ``fingerprint`` tells it), converter constants, time and wavelength axes,
    planet and visit. No date and no folder is part of it.

    Args:
        observation: the visit.
    """
    prints: list[object] = []
    for files in observation.files.values():
        paths = (files.signal, *sorted(files.calibration.glob("*.parquet")))
        prints += [(path.name, fingerprint(path)) for path in paths]
        prints.append((files.gain, files.offset))
    axis = hashlib.sha256(observation.axis.wavelength.tobytes())
    for times in observation.axis.frame_time.values():
        axis.update(times.tobytes())
    return config_hash(prints, axis.hexdigest(), observation.planet.planet_id, observation.visit)


def fingerprint(path: Path) -> str:
    """Return a hash of a file's size and content, "missing" where there is none.

    Small files are read whole. Of a large one samples are read, evenly spaced from the first byte to the last:
    frames of another exposure differ in every one of them.

    Args:
        path: the file.

    Raises:
        CompetitionDataError: if it is there and cannot be read.
    """
    try:
        return _fingerprint(path) if path.is_file() else "missing"
    except OSError as error:
        raise CompetitionDataError(f"{path}", wanted="a file that can be read", got=error.strerror) from error


def _fingerprint(path: Path) -> str:
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
