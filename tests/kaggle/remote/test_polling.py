"""Waiting ends with the answer, or with a sentence on the last one."""

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.waiting import Patience, wait_until


def test_waiting_ends_with_the_answer_that_is_over():
    answers = iter(["queued", "running", "complete", "never asked"])

    assert (
        wait_until(lambda: next(answers), lambda a: a == "complete", Patience(0.001, 5), "run", "complete")
        == "complete"
    )
    assert next(answers) == "never asked"


def test_waiting_without_time_asks_once():
    asked = []

    with pytest.raises(PackagingError, match="run: wanted complete within 0 s, got queued.*--timeout"):
        wait_until(lambda: asked.append(1) or "queued", lambda a: False, Patience(1, 0), "run", "complete")
    assert asked == [1]
