"""Two runs side by side: scores with paired errors, settings that differ, planets that changed most.

A run is compared by what its report leaves in ``report.json``: numbers of every planet, and the configuration.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import AIRS_COLOUR, Figure
from spectramind_kit.diagnostics.planet_rows import PlanetRow, planet_rows
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.diagnostics.work_record import WorkRecord
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.ledger.comparison import dotted
from spectramind_kit.ledger.paired import paired_difference

FORMAT = 1
_MOST_CHANGED = 8


@dataclass(frozen=True)
class RunFigures:
    """What a run is compared by.

    Attributes:
        name: of its folder.
        planets: rows by split and planet.
        configuration: settings by their full names, such as "fit.drift_order".
        network: what predicts beside the fit.
    """

    name: str
    planets: Mapping[tuple[str, int], PlanetRow]
    configuration: Mapping[str, object]
    network: str = "none"


@dataclass(frozen=True)
class SplitComparison:
    """Two runs on the planets of a split that both judged.

    Attributes:
        split: "train" or "test".
        n_planet: that both have.
        scores: of this run and of the other one.
        difference: of the means, this less the other.
        standard_error: of the difference, planet by planet; None with one planet.
        changed: planets that changed most, with both scores.
    """

    split: str
    n_planet: int
    scores: tuple[float, float]
    difference: float
    standard_error: float | None
    changed: list[tuple[int, float, float]]


def run_figures(name: str, rows: Sequence[PlanetRow], record: WorkRecord) -> RunFigures:
    """Return what a run is compared by.

    Args:
        name: of its folder.
        rows: of all planets.
        record: of the run.
    """
    settings: dict[str, object] = {}
    for configuration in record.configurations.values():
        settings |= dict(dotted(configuration))
    return RunFigures(name, {(row.split, row.planet): row for row in rows}, settings, record.network)


def figures_of_folder(name: str, splits: Sequence[Predictions], record: WorkRecord) -> RunFigures:
    """Return what another work folder is compared by; its fits are not looked at.

    Args:
        name: of its folder.
        splits: its predictions.
        record: of the run.
    """
    return run_figures(name, [row for p in splits for row in planet_rows(p, None, {}, record)], record)


def write_figures(figures: RunFigures, path: Path) -> None:
    """Write what a run is compared by.

    Args:
        figures: of the run.
        path: of the file.
    """
    content = {
        "format": FORMAT,
        "name": figures.name,
        "network": figures.network,
        "configuration": dict(figures.configuration),
        "planets": [row.as_dict() for row in figures.planets.values()],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def read_figures(path: Path) -> RunFigures:
    """Read what a report left.

    Args:
        path: of ``report.json``.

    Raises:
        SpectraMindError: if it is no such file, or another version's.
    """
    try:
        content = json.loads(path.read_text())
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        rows = [PlanetRow(**row) for row in content["planets"]]
        name, settings, network = content["name"], content["configuration"], content["network"]
        return RunFigures(name, {(row.split, row.planet): row for row in rows}, settings, network)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpectraMindError(
            f"report to compare with, {path}",
            wanted="report.json of this version, or a work folder",
            got=f"{type(error).__name__}: {error}",
            remedy="run `spectramind diagnose` on that work folder",
        ) from error


def differing_settings(ours: RunFigures, other: RunFigures) -> list[tuple[str, str, str]]:
    """Return the settings that differ: name, ours, the other's; what one did not record is "not recorded"."""
    names = sorted({*ours.configuration, *other.configuration})
    first, second = ([str(run.configuration.get(name, "not recorded")) for name in names] for run in (ours, other))
    return [(name, a, b) for name, a, b in zip(names, first, second) if a != b]


def compared(ours: RunFigures, other: RunFigures) -> list[SplitComparison]:
    """Compare two runs on the planets that both have a score of."""
    found = []
    for split in ("test", "train"):
        pairs = [
            (planet, row.score, theirs.score)
            for (where, planet), row in ours.planets.items()
            if where == split and row.score is not None
            if (theirs := other.planets.get((split, planet))) is not None and theirs.score is not None
        ]
        if not pairs:
            continue
        first, second = (np.array([pair[1 + place] for pair in pairs], dtype=float) for place in (0, 1))
        ids, gain, n = [pair[0] for pair in pairs], first - second, len(pairs)
        paired = paired_difference(dict(zip(ids, first)), dict(zip(ids, second)))
        changed = [pairs[i] for i in np.argsort(-np.abs(gain), kind="stable")[:_MOST_CHANGED] if gain[i]]
        scores = float(first.mean()), float(second.mean())
        found.append(SplitComparison(split, n, scores, paired.mean, paired.error if n > 1 else None, changed))
    return found


def comparison_figure(ours: RunFigures, other: RunFigures, split: str) -> Figure:
    """Show the scores of planets in two runs against each other.

    Args:
        ours: this run.
        other: the one it is compared with.
        split: "train" or "test".
    """
    both = [key for key in ours.planets if key[0] == split and key in other.planets]
    scored = [(ours.planets[key], other.planets[key]) for key in both]
    pairs = [(a.planet, a.score, b.score) for a, b in scored if a.score is not None and b.score is not None]
    x, y = (np.array([pair[place] for pair in pairs], dtype=float) for place in (2, 1))
    trace = figure.points(x, y, "", AIRS_COLOUR, size=6.0, text=[str(pair[0]) for pair in pairs])
    trace["hovertemplate"] = "planet %{text}: %{y:.3f} and %{x:.3f}"
    low = float(max(-1.0, min(x.min(), y.min()) - 0.05))
    layout = figure.axes(f"score in {other.name}", f"score in {ours.name}", shapes=[figure.diagonal(low, 1.0)])
    layout["xaxis"]["range"] = layout["yaxis"]["range"] = [low, 1.02]
    title = "Test planets in both runs" if split == "test" else "Held-out training planets in both runs"
    return Figure(title, "Above the line a planet is better here.", [trace], layout | {"planets": True}, 340)
