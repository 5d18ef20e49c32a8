"""The official client's own rules, asked of its code: which files it uploads, what it takes for a boolean or a source.

The client changes every few months, and a list of ours would be wrong by then. Nothing here signs in or asks Kaggle.
"""

import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from packaging.version import Version

from spectramind_kit.errors import PackagingError

CLIENT_MODULE = "kaggle.api.kaggle_api_extended"
OLDEST_CLIENT = "2.2.4"
"""The oldest client that has every call made here (as ``setup.cfg`` requires)."""
_NAMES = ("kaggle.json", ".env", ".env.*", "access_token", "access_token.txt", "credentials.json", ".netrc", ".kaggle/")
SECRETS = (*_NAMES, *(f"*/{name}" for name in _NAMES))
"""Credentials: beside what the client leaves behind, patterns of its syntax that are never uploaded."""
SOURCE_CHECKS = {
    "dataset_sources": "validate_dataset_string",
    "kernel_sources": "validate_kernel_string",
    "model_sources": "validate_model_instance_version_string",
}
"""The client's check of each kind of source; competitions it leaves to the server."""


@lru_cache(maxsize=1)
def client_module() -> ModuleType:
    """Return the client's module of rules without starting its package, which signs in: a dry run asks nobody.

    Raises:
        PackagingError: if the client is not installed, or too old to have them.
    """
    refuse_old_client()
    if CLIENT_MODULE in sys.modules:
        return sys.modules[CLIENT_MODULE]
    found = None if sys.modules.get("kaggle", ...) is None else PathFinder.find_spec("kaggle")
    if found is None or not found.submodule_search_locations:
        remedy = "pip install 'spectramind-kit[kaggle]' (the client needs six and does not declare it)"
        raise PackagingError("Kaggle client", wanted="the package kaggle", got="none", remedy=remedy)
    package = ModuleType("kaggle")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["kaggle"] = package
    try:
        return importlib.import_module(CLIENT_MODULE)
    except ImportError as error:
        raise PackagingError("Kaggle client", wanted="a whole installation", got=str(error)) from error
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "kaggle"]:
            del sys.modules[name]  # whoever imports the package later gets it as it is, signed in


def refuse_old_client() -> None:
    """Refuse a client without the calls that are made here, before it is imported: old ones end the process then.

    Raises:
        PackagingError: naming the version that is needed.
    """
    try:
        version = importlib.metadata.version("kaggle")
    except importlib.metadata.PackageNotFoundError:
        return  # importing it says so
    if Version(version) < Version(OLDEST_CLIENT):
        remedy = f"pip install 'kaggle>={OLDEST_CLIENT}'"
        raise PackagingError("Kaggle client", wanted=f"{OLDEST_CLIENT} or newer", got=version, remedy=remedy)


def boolean(metadata: Mapping[str, Any], key: str, default: bool) -> bool:
    """Return a switch of the metadata as the client reads it: true, false, or either as text; null is the default.

    Raises:
        ValueError: with the client's words, on anything else.
    """
    value = metadata.get(key)
    if value is None:
        return default
    if not isinstance(value, bool | str):
        raise ValueError(f"Invalid boolean value: {value!r}")
    return client_module().KaggleApi().get_bool(metadata, key, default)


def check_source(kind: str, source: str) -> None:
    """Hold a source against the client's check of its kind.

    Raises:
        ValueError: with the client's words.
    """
    if kind in SOURCE_CHECKS:
        getattr(client_module().KaggleApi(), SOURCE_CHECKS[kind])(source)


def pinning_types() -> list[str]:
    """Return how the client lets a kernel pin its image."""
    return client_module().KaggleApi.valid_push_pinning_types


def write_push(folder: Path, metadata: Mapping[str, Any], text: str) -> None:
    """Write what the client reads when it pushes: a notebook beside its metadata, wherever it lay."""
    name = Path(metadata["code_file"]).name
    (folder / client_module().KaggleApi.KERNEL_METADATA_FILE).write_text(json.dumps({**metadata, "code_file": name}))
    (folder / name).write_text(text)


def check_push(metadata: Mapping[str, Any], text: str) -> None:
    """Hold kernel metadata and notebook against all that the client asks of a push: its own is run, sending nothing.

    Args:
        metadata: contents of ``kernel-metadata.json``.
        text: the notebook as JSON.

    Raises:
        ValueError: with the client's words.
    """

    class Checking(client_module().KaggleApi):
        @contextlib.contextmanager
        def build_kaggle_client(self) -> Iterator[SimpleNamespace]:
            kernels = SimpleNamespace(save_kernel=lambda request: request)
            yield SimpleNamespace(kernels=SimpleNamespace(kernels_api_client=kernels))

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        write_push(Path(folder), metadata, text)
        try:
            Checking().kernels_push(folder)
        except TypeError as error:  # a field of another type than the request has
            raise ValueError(error) from error


def upload_entries(folder: Path) -> list[Path]:
    """Return the top-level entries that the client uploads, sorted: its own upload is run, sending nothing."""

    class Listing(client_module().KaggleApi):
        def _upload_file_or_folder(self, parent_path: str, file_or_folder_name: str, *rest: object) -> None:
            names.append(file_or_folder_name)

    names: list[str] = []
    request = SimpleNamespace(files=[])
    Listing().upload_files(request, None, str(folder), None, None, True, "zip", list(SECRETS))
    return sorted(folder / name for name in names)


def uploaded_files(folder: Path) -> list[Path]:
    """Return every file that the client uploads, those within its archives of folders too."""
    return [file for entry in upload_entries(folder) for file in ([entry] if not entry.is_dir() else _archived(entry))]


def left_behind(folder: Path) -> list[str]:
    """Return what a push of the folder leaves where it is, a folder for all that lies in it."""
    sent = {folder, *upload_entries(folder)}
    sent |= {path for file in uploaded_files(folder) for path in (file, *file.parents)}
    return [str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p not in sent and p.parent in sent]


def _archived(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that the client puts into its archive."""
    module = client_module()
    patterns = [*module.DEFAULT_IGNORE_PATTERNS, *SECRETS]

    def is_left(path: Path, is_dir: bool) -> bool:
        return module.should_ignore(str(path.relative_to(folder)), is_dir, patterns)

    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_left(Path(root, name), True)]
        yield from sorted(path for name in names if not is_left(path := Path(root, name), False))
