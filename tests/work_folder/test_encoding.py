"""Products within products: taken apart into arrays and plain values, refused when what is read is not what it was."""

import enum
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Literal

import numpy as np
import pytest

from spectramind_kit.errors import ProductError
from spectramind_kit.work_folder.store import UNREADABLE, load_or_make, load_product, save_product


class Quality(enum.IntFlag):
    JUMP = 1
    SATURATED = 2


class Source(enum.Enum):
    FIT = "the fit"
    POPULATION = "the population"


@dataclass(frozen=True, eq=False)
class Factor:
    usual: np.ndarray
    slope: float


@dataclass(frozen=True, eq=False)
class Labels:
    planet_ids: np.ndarray
    names: tuple[str, ...]
    limb: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Learned:
    labels: Labels
    factor: Factor
    other: Factor | None
    both: tuple[Factor, Factor]
    flags: Quality
    sources: tuple[Source, ...]
    score: float
    kind: Literal["none", "v50"] = "none"
    by_name: Mapping[str, np.ndarray] = field(default_factory=dict)


def learned(**changes):
    first, second = Factor(np.array([1.0, np.nan]), 0.5), Factor(np.zeros((0, 3), dtype=np.float32), -1)
    values = {
        "labels": Labels(np.array([2**40, 7]), ("a", "b, c"), None),
        "factor": first,
        "other": None,
        "both": (second, first),
        "flags": Quality.JUMP | Quality.SATURATED,
        "sources": (Source.FIT, Source.POPULATION),
        "score": math.inf,
        "by_name": {"depth": np.arange(3), "array": np.ones(1)},
    }
    return Learned(**{**values, **changes})


def assert_same(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == wanted.dtype
    elif is_dataclass(wanted):
        for each in fields(wanted):
            assert_same(getattr(got, each.name), getattr(wanted, each.name))
    elif isinstance(wanted, tuple):
        assert len(got) == len(wanted)
        for pair in zip(got, wanted):
            assert_same(*pair)
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for name in wanted:
            assert_same(got[name], wanted[name])
    else:
        assert got == wanted or (math.isnan(got) and math.isnan(wanted))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"score": math.nan, "flags": Quality(0), "sources": ()},
        {"other": Factor(np.ones(2), 1.0), "labels": Labels(np.zeros(0), (), np.ones((2, 2)))},
    ],
)
def test_values_within_values_come_back_as_they_were(tmp_path, changes):
    path = tmp_path / "a.npz"
    save_product(path, learned(**changes))
    assert_same(load_product(path, Learned), learned(**changes))


def test_nothing_is_pickled(tmp_path):
    path = tmp_path / "a.npz"
    save_product(path, learned())
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive.files) > {"factor.usual", "both.0.usual", "labels.planet_ids", "by_name.depth"}
        assert all(archive[name].dtype != object for name in archive.files)
    for value in (object(), np.array([object()]), {1: 2.0}, [1.0], 1j):
        with pytest.raises(ProductError, match=r"value to store in score"):
            save_product(path, learned(score=value))
    assert_same(load_product(path, Learned), learned())


def rewritten(path, change):
    """Change what a file says beside its arrays."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    tree = json.loads(str(arrays["_tree"]))
    change(tree)
    np.savez(path, **{**arrays, "_tree": np.array(json.dumps(tree))})


@pytest.mark.parametrize(
    "field_name, value",
    [
        ("score", "0.5"),
        ("score", True),
        ("score", None),
        ("kind", "another"),
        ("flags", 1.0),
        ("flags", "JUMP AND MORE"),
        ("sources", ["FIT", "GUESS"]),
        ("sources", "FIT"),
        ("labels", None),
        ("labels", {"planet_ids": {"array": "labels.planet_ids"}, "names": [], "limb": None, "more": 1}),
        ("labels", {"planet_ids": {"array": "labels.planet_ids"}, "names": []}),
        ("labels", {"planet_ids": [1, 2], "names": [], "limb": None}),
        ("labels", {"planet_ids": {"array": "of another file"}, "names": [], "limb": None}),
        ("labels", {"planet_ids": {"array": "labels.planet_ids"}, "names": [1], "limb": None}),
        ("both", []),
        ("other", 3),
        ("by_name", []),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(tmp_path, field_name, value):
    path = tmp_path / "a.npz"
    save_product(path, learned(), "k")
    rewritten(path, lambda tree: tree["fields"].update({field_name: value}))
    with pytest.raises(ProductError, match=rf"stored {field_name}.*wanted .*got "):
        load_product(path, Learned)
    assert_same(load_or_make(path, "k", Learned, learned), learned())
    assert_same(load_product(path, Learned), learned())


@pytest.mark.parametrize("lost", ["kind", "labels"])
def test_a_missing_field_is_refused_even_if_it_has_a_default(tmp_path, lost):
    path = tmp_path / "a.npz"
    save_product(path, learned())
    rewritten(path, lambda tree: tree["fields"].pop(lost))
    with pytest.raises(ProductError, match="the fields of Learned: labels, .* got "):
        load_product(path, Learned)


def test_another_kind_with_the_same_fields_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    save_product(path, Factor(np.ones(2), 1.0))
    rewritten(path, lambda tree: tree.update(kind="Factory"))
    with pytest.raises(ProductError, match="wanted Factor, got Factory"):
        load_product(path, Factor)


def test_files_of_the_former_format_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    rest = {"key": "k", "fields": {"slope": 1.0}}
    np.savez(path, usual=np.ones(2), _rest=np.array(json.dumps(rest)))
    with pytest.raises(ProductError, match="wanted format 2"):
        load_product(path, Factor)
    assert load_or_make(path, "k", Factor, lambda: Factor(np.zeros(2), 2.0)).slope == 2.0


def test_whatever_is_damaged_reading_raises_what_is_expected_of_it(tmp_path):
    path, rng = tmp_path / "a.npz", np.random.default_rng(0)
    save_product(path, learned(), "k")
    whole = path.read_bytes()
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            product = load_product(path, Learned)
        except UNREADABLE:
            continue
        assert_same(product, learned())
