"""What a wheel file states about itself: name, version, tags, licence, modules, compiled code.

A wheel is a zip archive with a ``*.dist-info`` folder (PyPA, "Binary distribution format"); the file name is
``name-version-python-abi-platform.whl`` with "-" in the name written "_".
"""

import re
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath

from spectramind_kit.errors import PackagingError

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)


@dataclass(frozen=True)
class WheelContents:
    """Facts read from inside a wheel.

    Attributes:
        name: as its metadata spells it.
        version: as its metadata spells it.
        tags: compatibility tags, such as ("py3-none-any",).
        licence: what its metadata calls its licence.
        licence_texts: licence files by name.
        imports: top-level packages and modules.
        extensions: those of them that are machine code.
        compiled: True if it holds machine code.
    """

    name: str
    version: str
    tags: tuple[str, ...]
    licence: str
    licence_texts: dict[str, str]
    imports: tuple[str, ...]
    extensions: tuple[str, ...]
    compiled: bool


def read_wheel(path: Path) -> WheelContents:
    """Read a wheel's own facts.

    Raises:
        PackagingError: if the file is no wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            info = _only_info_folder(path, names)
            metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
            wheel = Parser().parsestr(archive.read(f"{info}/WHEEL").decode())
            texts = {name: archive.read(name).decode(errors="replace") for name in _licence_files(names, info)}
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise PackagingError(f"wheel {path}", wanted="a readable wheel", got=str(error)) from error
    return WheelContents(
        name=metadata["Name"],
        version=metadata["Version"],
        tags=tuple(wheel.get_all("Tag", [])),
        licence=_licence(metadata),
        licence_texts=texts,
        imports=_top_level_modules(names),
        extensions=tuple(sorted(name.split(".")[0] for name in names if "/" not in name and name.endswith(".so"))),
        compiled=wheel["Root-Is-Purelib"].lower() != "true" or any(name.endswith(".so") for name in names),
    )


def _only_info_folder(path: Path, names: list[str]) -> str:
    folders = {name.split("/")[0] for name in names if ".dist-info/" in name}
    if len(folders) != 1:
        raise PackagingError(f"wheel {path}", wanted="one .dist-info folder", got=sorted(folders))
    return folders.pop()


def _licence_files(names: list[str], info: str) -> list[str]:
    return [n for n in names if n.startswith(f"{info}/") and LICENCE_FILE.search(n) and not n.endswith("/")]


def _licence(metadata: Message) -> str:
    """Return the licence's short name: the SPDX expression, the first line of the field, or the classifier."""
    stated = metadata["License-Expression"] or (metadata["License"] or "").strip().split("\n")[0]
    classifiers = [c for c in metadata.get_all("Classifier", []) if c.startswith("License :: ")]
    return stated or (classifiers[0].split(" :: ")[-1] if classifiers else "not stated")


def _top_level_modules(names: list[str]) -> tuple[str, ...]:
    """Return packages (folders with an ``__init__.py``) and single modules at the wheel's top."""
    paths = [PurePosixPath(name) for name in names if ".dist-info/" not in name and ".data/" not in name]
    packages = {p.parts[0] for p in paths if len(p.parts) == 2 and p.name == "__init__.py"}
    modules = {p.name.split(".")[0] for p in paths if len(p.parts) == 1 and p.suffix in (".py", ".so")}
    return tuple(sorted(packages | modules))
