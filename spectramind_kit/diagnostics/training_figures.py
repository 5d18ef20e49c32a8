"""Figures of training and timing: learning curves of the networks, seconds of each stage."""

from collections.abc import Mapping, Sequence

import numpy as np

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, FGS1_COLOUR, FIT_COLOUR, QUIET, TRUTH_COLOUR, Figure

_COLOURS = (AIRS_COLOUR, FGS1_COLOUR, FIT_COLOUR, TRUTH_COLOUR, QUIET)
_STAGES_SHOWN = 12


def learning_figures(curves: Mapping[str, Mapping[str, np.ndarray]]) -> list[Figure]:
    """Return loss and held-back score of each network by epoch.

    Args:
        curves: columns of each network's log, "epoch", "loss" and "score" among them.
    """
    found = []
    for column, title, note in (
        ("loss", "Loss", "Of the training planets, as it is minimised."),
        (
            "score",
            "Score held back",
            "Of planets that were held back to stop the training, never of those that judge it.",
        ),
    ):
        traces = []
        for place, (name, table) in enumerate(curves.items()):
            if len(table[column]) != len(table["epoch"]):
                continue
            epoch, mean = _by_epoch(table["epoch"], table[column])
            if epoch.size:
                traces.append(figure.line(epoch, mean, name.replace("_", " "), _COLOURS[place % len(_COLOURS)]))
        if traces:
            found.append(Figure(title, note, traces, figure.axes("epoch", column), 280))
    return found


def stages_figure(stages: Sequence[tuple[str, str, float]]) -> Figure:
    """Show how long the last runs of the stages took.

    Args:
        stages: when, which, and seconds, oldest first.
    """
    shown = stages[-_STAGES_SHOWN:][::-1]
    names = [f"{name} {when[5:16].replace('T', ' ')}" for when, name, _ in shown]
    seconds = [taken for _, _, taken in shown]
    trace = {"type": "bar", "orientation": "h", "x": seconds, "y": names, "marker": {"color": f"{AIRS_COLOUR}/0.75"}}
    trace |= {"text": [f"{taken:.1f} s" for taken in seconds], "textposition": "auto"}
    layout = figure.axes("[s]", "", yaxis={"type": "category"})
    note = "As the work folder's events have them; a stage that found its products took less."
    return Figure("Seconds of each stage", note, [trace | {"showlegend": False}], layout, 130 + 26 * len(shown))


def _by_epoch(epoch: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return epochs and the mean of each epoch's finite values."""
    used = np.isfinite(epoch) & np.isfinite(values)
    epochs = np.unique(epoch[used])
    return epochs, np.array([values[used & (epoch == each)].mean() for each in epochs])
