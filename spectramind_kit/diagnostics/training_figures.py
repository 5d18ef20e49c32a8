"""Figures of training and timing: learning curves of the networks, seconds of each stage."""

from collections.abc import Sequence

import polars as pl

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, FGS1_COLOUR, FIT_COLOUR, QUIET, TRUTH_COLOUR, Figure

_COLOURS = (AIRS_COLOUR, FGS1_COLOUR, FIT_COLOUR, TRUTH_COLOUR, QUIET)
_STAGES_SHOWN = 12


def learning_figures(curves: pl.DataFrame) -> list[Figure]:
    """Return loss and held-back score of each network by epoch.

    Args:
        curves: of all networks, as ``read_learning_curves`` has them.
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
        for place, ((name,), table) in enumerate(curves.group_by("network", maintain_order=True)):
            known = table.filter(pl.col(column).is_finite())
            if len(known):
                colour = _COLOURS[place % len(_COLOURS)]
                traces.append(
                    figure.line(known["epoch"].to_numpy(), known[column], str(name).replace("_", " "), colour)
                )
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
    trace |= {"text": [f"{taken:.1f} s" for taken in seconds], "textposition": "outside", "cliponaxis": False}
    # Room for the words beyond the longest bar.
    layout = figure.axes("[s]", "", xaxis={"range": [0.0, 1.3 * max(seconds)]}, yaxis={"type": "category"})
    note = "As the work folder's events have them; a stage that found its products took less."
    return Figure("Seconds of each stage", note, [trace | {"showlegend": False}], layout, 130 + 26 * len(shown))
