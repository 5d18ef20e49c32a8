"""Metadata files, which people edit by hand: read whatever an editor makes of them, or say what is wrong and where."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules import client_rules

SWITCHES = {"is_private": True, "enable_gpu": False, "enable_tpu": False}
"""Switches of a kernel, with the client's values where the metadata is silent."""
INTERNET = "enable_internet"
"""The switch without default here: the client's and the documentation's differ."""
LISTS = ("dataset_sources", "competition_sources", "kernel_sources", "model_sources", "keywords")
OUTPUT = "expected_output"
"""The one list without default: what a kernel leaves, which Kaggle does not know and never gets."""
SITE = re.compile(r"(https?://)?(www\.)?kaggle\.com/")
PARTS = {"dataset_sources": 2, "competition_sources": 1, "kernel_sources": 2, "model_sources": 5}
"""How many parts a name has, without a version; what an address has behind them is a tab of the page."""
PREFIXES = {
    "dataset_sources": ("datasets/", "d/"),
    "competition_sources": ("competitions/", "c/"),
    "kernel_sources": ("code/", "kernels/", "notebooks/"),
    "model_sources": ("models/", "m/"),
}
"""What stands before the name in an address of Kaggle's, and in what some versions of the client wrote."""


def read_metadata_file(path: Path) -> dict[str, Any]:
    """Read a metadata file; the mark that some editors put at its beginning (BOM) does no harm.

    Raises:
        PackagingError: if it is no JSON object in UTF-8, with the place where it ceases to be one.
    """
    if not path.is_file():
        raise PackagingError(f"{path}", wanted="a metadata file", got="no such file")
    try:
        metadata = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PackagingError(f"{path}", wanted="text in UTF-8", got=str(error), remedy="save it as UTF-8") from error
    except json.JSONDecodeError as error:
        remedy = "look there for a comma or quote too many or too few"
        got = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise PackagingError(f"{path}", wanted="JSON", got=got, remedy=remedy) from error
    if not isinstance(metadata, dict):
        raise PackagingError(f"{path}", wanted="a JSON object, {...}", got=type(metadata).__name__)
    return metadata


def with_meaning(metadata: Mapping[str, Any], where: object) -> dict[str, Any]:
    """Return kernel metadata with what was written put as it is meant: switches, lists, names of sources.

    Raises:
        PackagingError: on a switch that is neither true nor false, or a list that is none.
    """
    known = dict(metadata)
    for key, default in SWITCHES.items():
        known[key] = _switch(metadata, key, default, where)
    if metadata.get(INTERNET) is not None:
        known[INTERNET] = _switch(metadata, INTERNET, True, where)
    for key in LISTS:
        found = _list(metadata, key, where)
        known[key] = [plain_name(key, each) for each in found] if key in PREFIXES else found
    if metadata.get(OUTPUT) is not None:
        known[OUTPUT] = _list(metadata, OUTPUT, where)
    else:
        known.pop(OUTPUT, None)
    return known


def plain_name(kind: str, source: object) -> object:
    """Return the name of a source without what an address has around it: ``c/ariel`` is ``ariel``.

    Args:
        kind: of ``PARTS``.
        source: as somebody wrote it, or copied it from the browser.
    """
    if not isinstance(source, str):
        return source
    name = source.strip()
    is_address = SITE.match(name) is not None
    if is_address:
        name = re.split(r"[?#]", SITE.sub("", name, count=1))[0]
    name = name.strip("/") if is_address or name.startswith("/") else name
    words = PARTS[kind]
    for prefix in PREFIXES[kind]:
        rest = name.removeprefix(prefix)
        # datasets/x/3 is version 3 of somebody called datasets
        if rest != name and len(rest.split("/")) >= min(words, 2) and not (words == 2 and _is_versioned_pair(name)):
            name = rest
            break
    return _without_tab(name, words) if is_address else name


def _without_tab(name: str, words: int) -> str:
    """Return the name that an address begins with, and the version that it shows."""
    parts = name.split("/")
    behind = [part for part in parts[words:] if part not in ("version", "versions")][:1]
    is_version = words == PARTS["dataset_sources"] and behind != [] and behind[0].isdigit()
    return "/".join([*parts[:words], *(behind if is_version else [])])


def _is_versioned_pair(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 3 and parts[2].isdigit()


def _switch(metadata: Mapping[str, Any], key: str, default: bool, where: object) -> bool:
    try:
        return client_rules.boolean(metadata, key, default)
    except ValueError as error:
        raise PackagingError(f"{key} in {where}", wanted="true or false", got=str(error)) from error


def _list(metadata: Mapping[str, Any], key: str, where: object) -> list:
    value = metadata.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise PackagingError(f"{key} in {where}", wanted="a list, [...]", got=repr(value))
    for each in value:
        if not isinstance(each, str):
            raise PackagingError(f"{key} in {where}", wanted='a list of texts, ["..."]', got=repr(each))
    return value
