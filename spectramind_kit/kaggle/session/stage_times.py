"""Where a session's time went: a picture of the commands it ran, and what the hidden planets would take."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import RUN_RECORD
from spectramind_kit.settings.kaggle import KaggleConfig
from spectramind_kit.work_folder.manifest import read_events


def read_stages(work: Path) -> list[dict]:
    """Return the stages that a work folder's record holds, each with its seconds and planets, oldest first.

    Raises:
        PackagingError: if nothing ran there.
    """
    stages = [event for event in read_events(work) if event.get("seconds") is not None and event.get("planets")]
    if not stages:
        raise PackagingError(
            f"{work / RUN_RECORD}", wanted="stages that ran", got="none", remedy="run a command of the kit first"
        )
    return stages


def plot_stages(work: Path, config: KaggleConfig) -> Figure:
    """Draw the seconds of each stage, with the hours that the hidden planets would take at this pace.

    Args:
        work: the session's work folder.
        config: how many planets there are in the rerun, and its limit.
    """
    stages = read_stages(work)
    figure = Figure(figsize=(7.5, 1.1 + 0.6 * len(stages)), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(stages)), [stage["seconds"] for stage in stages], color="#1f5a94", height=0.35)
    for place, label in enumerate(stage_labels(stages, config)):
        above = (0.01, place - 0.32)
        axes.annotate(label, above, xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color="#475467")
    axes.set_yticks(range(len(stages)), [_name(stage) for stage in stages])
    axes.set_ylim(len(stages) - 0.6, -0.6)
    axes.set_xlabel("seconds")
    axes.set_title(f"where the time went; the rerun may take {config.hours:g} h", fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def stage_labels(stages: Sequence[Mapping], config: KaggleConfig) -> list[str]:
    """Return a sentence on each stage: planets, pace, and the hours of as many planets as the rerun has."""
    labels = []
    for stage in stages:
        pace = stage["seconds"] / stage["planets"]
        hours = pace * config.rerun_planets / 3600
        labels.append(
            f"{stage['planets']} planets, {pace:.2f} s each; {config.rerun_planets} would take {hours:.2f} h here"
        )
    return labels


def _name(stage: Mapping) -> str:
    return " ".join(filter(None, (stage["stage"], stage.get("split"))))
