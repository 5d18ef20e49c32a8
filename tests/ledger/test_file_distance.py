"""How far two files are apart: nothing, numbers by so much, or another thing altogether."""

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from spectramind_kit.ledger.file_distance import distance
from spectramind_kit.work_folder.store import TREE

NUMBERS = np.array([1.0, -4.0, 2.0])


def write(path, numbers):
    if path.suffix == ".csv":
        pl.DataFrame({"planet_id": [1, 2, 3], "wl_1": numbers}).write_csv(path)
    elif path.suffix == ".npz":
        np.savez(path, wl_1=numbers, words=np.array("a text"))
    elif path.suffix == ".safetensors":
        save_file({"wl_1": numbers}, path)
    else:
        path.write_text(json.dumps({"wl_1": numbers.tolist(), "deep": {"text": "a"}}))
    return path


@pytest.mark.parametrize("kind", ["csv", "npz", "safetensors", "json"])
def test_numbers_are_compared_with_the_largest(tmp_path, kind):
    first = write(tmp_path / f"a.{kind}", NUMBERS)
    assert distance(first, write(tmp_path / f"b.{kind}", NUMBERS.copy())) == "bit-identical"
    far = distance(first, write(tmp_path / f"c.{kind}", NUMBERS + np.array([0.0, 0.0, 4e-3])))
    assert far == "differs by at most 1.0e-03 of the largest value (wl_1)"
    assert "differs by at most inf" in distance(first, write(tmp_path / f"d.{kind}", np.array([1.0, np.nan, 2.0])))


def test_texts_that_differ_are_named_and_do_not_hide_how_far_numbers_are_apart(tmp_path):
    def stored(name, text, number):
        path = tmp_path / name
        contents: dict[str, Any] = {TREE: np.array(json.dumps({"key": text, "fields": {"scale": number}}))}
        np.savez(path, wl_1=NUMBERS, **contents)
        return path

    first = stored("a.npz", "one", 2.0)
    assert distance(first, stored("b.npz", "another", 2.0)) == "differs in no number, but in _tree.key"
    far = "differs by at most 5.0e-01 of the largest value (_tree.fields.scale)"
    assert distance(first, stored("c.npz", "another", 1.0)) == far


def test_other_columns_missing_files_and_bytes_are_no_numbers(tmp_path):
    first = write(tmp_path / "a.csv", NUMBERS)
    pl.DataFrame({"planet_id": [1]}).write_csv(tmp_path / "b.csv")
    assert distance(first, tmp_path / "b.csv") == "differs in shape"
    assert distance(first, tmp_path / "none.csv") == "missing"
    (tmp_path / "c.csv").write_bytes(b"\x00PAR1")
    assert distance(first, tmp_path / "c.csv").startswith("differs")
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_text(name)
    assert distance(tmp_path / "a.bin", tmp_path / "b.bin") == "differs"
    (tmp_path / "d.json").write_text('{"a": 1}')
    (tmp_path / "e.json").write_text('{ "a": 1 }')
    assert distance(tmp_path / "d.json", tmp_path / "e.json") == "differs, but in no number"
