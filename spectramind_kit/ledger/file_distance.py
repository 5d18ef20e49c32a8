"""How far two files of one kind are apart: the largest difference of a column or array, over its largest value."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from spectramind_kit.competition.tables import read_table
from spectramind_kit.files import sha256_of
from spectramind_kit.ledger.comparison import dotted
from spectramind_kit.work_folder.store import TREE

IDENTICAL = "bit-identical"
_NAMED = 3
"""Texts that differ are named, so many at most."""


def distance(first: Path, second: Path) -> str:
    """Return how far two files are apart, in words.

    Args:
        first: one file.
        second: the other, which need not be there.
    """
    if not second.is_file():
        return "missing"
    if sha256_of(first) == sha256_of(second):
        return IDENTICAL
    try:
        ours, theirs = _arrays(first), _arrays(second)
    except Exception:  # of whatever reads them: then bytes are all that can be compared
        return "differs"
    if ours.keys() != theirs.keys() or any(ours[name].shape != theirs[name].shape for name in ours):
        return "differs in shape"
    numbers = {name for name in ours if _are_numbers(ours[name], theirs[name])}
    words = [name for name in ours if name not in numbers and not np.array_equal(ours[name], theirs[name])]
    apart = {name: relative_difference(ours[name], theirs[name]) for name in ours if name in numbers}
    if not ours:
        return "differs"
    worst = max(apart, key=lambda name: apart[name], default="")
    if worst and apart[worst] > 0.0:
        return f"differs by at most {apart[worst]:.1e} of the largest value ({worst})"
    return f"differs in no number, but in {', '.join(words[:_NAMED])}" if words else "differs, but in no number"


def _are_numbers(first: np.ndarray, second: np.ndarray) -> bool:
    return first.dtype.kind in "fiub" and second.dtype.kind in "fiub"


def relative_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference of two arrays over their largest value; infinite where one has a NaN alone.

    Args:
        first: numbers.
        second: of the same shape.
    """
    ours, theirs = first.astype(float), second.astype(float)
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        return np.inf
    scale = max(np.nanmax(np.abs(ours), initial=0.0), np.nanmax(np.abs(theirs), initial=0.0))
    return float(np.nanmax(np.abs(ours - theirs), initial=0.0) / scale) if scale else 0.0


def _arrays(path: Path) -> Mapping[str, np.ndarray]:
    """Return the numbers in a file by name."""
    if path.suffix in (".csv", ".parquet"):
        return {column.name: column.to_numpy() for column in read_table(path)}
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {each: value for name in archive.files for each, value in _leaves(name, archive[name])}
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(path)
    if path.suffix == ".json":
        return {name: np.asarray(value) for name, value in dotted(json.loads(path.read_text()))}
    return {}


def _leaves(name: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield an array of an archive; a product's plain values, which are one text of JSON there, one by one."""
    if name == TREE:
        yield from ((each, np.asarray(value)) for each, value in dotted(json.loads(str(array)), f"{name}."))
    else:
        yield name, array
