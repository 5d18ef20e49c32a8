"""Progress: a line in time, with what a reader waits for."""

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
import torch

from spectramind_kit.training import progress
from spectramind_kit.training.progress import TrainingProgress


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: now.seconds)
    return now


def trainer(step, **metrics):
    return SimpleNamespace(
        global_step=step,
        current_epoch=step // 10,
        max_epochs=20,
        estimated_stepping_batches=200,
        is_global_zero=True,
        callback_metrics={name: torch.tensor(value) for name, value in metrics.items()},
    )


def test_a_line_in_less_than_ten_seconds_with_loss_score_and_time_left(clock, caplog):
    shown = TrainingProgress("network fold0_0", timedelta(hours=1))
    shown.on_train_start(trainer(100), None)
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        for step in range(101, 121):
            clock.seconds += 1.0
            shown.on_train_batch_end(trainer(step, loss=-6.5, score=0.61))
    assert caplog.messages == [
        "network fold0_0: epoch 11 of 20, loss -6.5000, score held back 0.6100, at most 1.5 min left",
        "network fold0_0: epoch 12 of 20, loss -6.5000, score held back 0.6100, at most 1.4 min left",
    ]


def test_the_budget_bounds_the_time_left(clock, caplog):
    shown = TrainingProgress("pre-training", timedelta(seconds=38))
    shown.on_train_start(trainer(0), None)
    clock.seconds += 8.0
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        shown.on_validation_batch_end(trainer(1, loss=0.9))
    assert caplog.messages == ["pre-training: epoch 1 of 20, loss 0.9000, at most 0.5 min left"]


def test_one_process_of_several_logs(clock, caplog):
    shown, other = TrainingProgress("network", timedelta(hours=1)), trainer(50)
    other.is_global_zero = False
    clock.seconds += 60.0
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        shown.on_train_batch_end(other)
    assert not caplog.messages


class Bar:
    """What a terminal would show."""

    def __init__(self, **options):
        self.options, self.n, self.shown, self.disable = options, options["initial"], [], False

    def set_postfix_str(self, words):
        self.shown.append((self.n, words))

    def close(self):
        self.shown.append("closed")


def test_a_terminal_or_a_notebook_shows_a_bar_and_no_lines(clock, caplog, monkeypatch):
    bars = []
    monkeypatch.setattr(progress, "tqdm", lambda **options: bars.append(Bar(**options)) or bars[-1])
    shown = TrainingProgress("network fold0_0", timedelta(hours=1))
    with caplog.at_level(logging.INFO, logger="spectramind_kit"):
        shown.on_train_start(trainer(100), None)
        for step in (101, 102):
            clock.seconds += 5.0
            shown.on_train_batch_end(trainer(step, loss=-6.5, score=0.61))
        shown.on_train_end(trainer(102), None)
        shown.on_exception(trainer(102), None, KeyboardInterrupt())
    (bar,) = bars
    assert (bar.options["total"], bar.options["initial"], bar.options["disable"]) == (200, 100, None)
    words = "epoch 11 of 20, loss -6.5000, score held back 0.6100, at most 8.2 min left"
    assert bar.shown == [(101, words), (102, words), "closed"] and not caplog.messages
