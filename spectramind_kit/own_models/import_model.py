"""The door for models from outside: ``model.kind=package.module:Class``.

Found where Python finds it, or in the folder the command is called from. Its source travels in the model's folder, so
that a kernel, which has nothing but that folder, predicts with the code that was trained. Whoever attaches a model
with such a source runs it, as with any package.
"""

import hashlib
import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from spectramind_kit.errors import SpectraMindError, describe
from spectramind_kit.settings.model import offered_models

SOURCE = "source"
"""Folder beside the trained models that their code lies in."""
_LARGEST_SOURCE = 4 * 2**20


def model_class(kind: str, carried: Path | None = None) -> type:
    """Return the class that a kind of model names.

    Args:
        kind: "package.module:Class", or the name of an entry point of the group ``spectramind.models``.
        carried: folder with the source that a model was trained with, which is preferred; None to look where Python
            looks, and in the current folder.

    Raises:
        SpectraMindError: if there is no such class, or importing it fails.
    """
    module_name, _, name = _address(kind).partition(":")
    try:
        found = getattr(_module(module_name, carried), name)
    except Exception as error:
        raise SpectraMindError(
            f"model.kind={kind}",
            wanted="a class that can be imported",
            got=describe(error),
            remedy="call from the folder that holds the module, or install its package",
        ) from error
    if not isinstance(found, type):
        raise SpectraMindError(f"model.kind={kind}", wanted="a class", got=type(found).__name__)
    return found


def is_network(model: type) -> bool:
    """Return whether a class is a torch module; torch is not loaded to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(model, torch.nn.Module)


def source_hash(kind: str) -> str:
    """Return a hash of the source of a kind of model: after an edit it is trained again.

    Args:
        kind: as ``model_class`` takes it.
    """
    model_class(kind)
    digest = hashlib.sha256()
    for name, path in sorted(_sources(_address(kind).partition(":")[0]).items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def carry_source(kind: str, folder: Path) -> None:
    """Copy the source of a kind of model beside what was trained; installed distributions stay where they are.

    Args:
        kind: as ``model_class`` takes it.
        folder: of the trained models.

    Raises:
        SpectraMindError: if the source is larger than a model's should be.
    """
    shutil.rmtree(folder / SOURCE, ignore_errors=True)
    sources = _sources(_address(kind).partition(":")[0])
    if (size := sum(path.stat().st_size for path in sources.values())) > _LARGEST_SOURCE:
        raise SpectraMindError(
            f"source of model.kind={kind}",
            wanted=f"at most {_LARGEST_SOURCE >> 20} MB to carry along",
            got=f"{size / 2**20:.1f} MB",
            remedy="move the model into a package of its own",
        )
    for name, path in sources.items():
        copy = folder / SOURCE / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


@lru_cache(maxsize=8)
def _address(kind: str) -> str:
    """Return "module:Class" of a kind of model."""
    if ":" in kind:
        return kind
    offered = offered_models()
    if kind in offered:
        return offered[kind]
    raise SpectraMindError(
        f"model.kind={kind}",
        wanted="package.module:Class, or a model that an installed package offers",
        got=f"offered are {', '.join(sorted(offered)) or 'none'}",
    )


def _module(name: str, carried: Path | None) -> ModuleType:
    with _importable(carried or Path.cwd(), first=carried is not None):
        return importlib.import_module(name)


@contextmanager
def _importable(folder: Path, *, first: bool) -> Iterator[None]:
    """Let Python look into a folder within the block, before or after all others."""
    path = str(folder)
    sys.path.insert(0 if first else len(sys.path), path)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(path)


def _sources(module_name: str) -> dict[str, Path]:
    """Return the files of a module, or of all of the package it lies in, by their place; none of an installed one."""
    root = module_name.split(".")[0]
    module = sys.modules.get(root) or importlib.import_module(root)
    origin = Path(getattr(module, "__file__", None) or "")
    if not origin.is_file() or "site-packages" in origin.parts or root == __name__.split(".")[0]:
        return {}
    if origin.name != "__init__.py":
        return {origin.name: origin}
    top = origin.parent
    return {str(path.relative_to(top.parent)): path for path in sorted(top.rglob("*.py"))}
