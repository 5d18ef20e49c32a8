"""Polling ends with the awaited state, or with an error that names the last one."""

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.polling import PollingPolicy, wait_until


def test_waiting_ends_with_the_answer_that_is_over():
    states = iter(["queued", "running", "complete", "never asked"])

    assert (
        wait_until(lambda: next(states), lambda a: a == "complete", PollingPolicy(0.001, 5), "run", "complete")
        == "complete"
    )
    assert next(states) == "never asked"


def test_waiting_without_time_asks_once():
    asked = []

    with pytest.raises(PackagingError, match="run: wanted complete within 0 s, got queued.*--timeout"):
        wait_until(lambda: asked.append(1) or "queued", lambda a: False, PollingPolicy(1, 0), "run", "complete")
    assert asked == [1]
