"""What a page carries: packed and unpacked again, rounded to what a screen shows."""

import json

import numpy as np
import pytest

from spectramind_kit.diagnostics.payload import packed, packed_json, packed_plotly, rounded, unpacked


def test_what_is_packed_comes_back_and_is_the_same_each_time():
    text = "depth 0.0147 ± 0.0001 " * 400
    assert unpacked(packed(text)) == text and packed(text) == packed(text)
    assert len(packed(text)) < len(text) / 10
    assert json.loads(unpacked(packed_json({"y": [1, None]}))) == {"y": [1, None]}


@pytest.mark.parametrize(
    "values, shown",
    [
        (np.array([0.99, 1.0, 1.000123456]), [0.99, 1.0, 1.00012]),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        (np.array([12345.678, 99999.0]), [12346, 99999]),
        (np.array([[0.1, 0.2], [np.nan, 0.3]]), [[0.1, 0.2], [None, 0.3]]),
        (np.zeros(2), [0.0, 0.0]),
        (np.array([]), []),
    ],
)
def test_numbers_keep_the_digits_of_their_range(values, shown):
    assert rounded(values) == shown


def test_numbers_that_are_not_finite_cannot_slip_through():
    with pytest.raises(ValueError, match="JSON"):
        packed_json([float("nan")])


def test_plotly_is_at_hand():
    assert unpacked(packed_plotly()).startswith("/**\n* plotly.js v")
