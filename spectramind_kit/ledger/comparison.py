"""Two runs side by side: what was asked of each, from what, by which code, and what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spectramind_kit.ledger.paired import PairedDifference, paired_difference
from spectramind_kit.ledger.recorded_runs import RecordedRun


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes:
        first: one run.
        second: the other.
        settings: values of the two by dotted key, where they differ.
        surroundings: commands, code and versions of the two by name, where they differ.
        inputs: files and folders that both are made from, and that differ.
        metrics: figures of the two by name.
        difference: of their scores over the planets that both scored, first minus second; None without such planets.
    """

    first: RecordedRun
    second: RecordedRun
    settings: dict[str, tuple[Any, Any]]
    surroundings: dict[str, tuple[Any, Any]]
    inputs: list[str]
    metrics: dict[str, tuple[Any, Any]]
    difference: PairedDifference | None


def compare(first: RecordedRun, second: RecordedRun) -> Comparison:
    """Return what differs between two runs.

    Args:
        first: one run.
        second: the other.
    """
    shared = first.planets.keys() & second.planets.keys()
    return Comparison(
        first=first,
        second=second,
        settings=_differing(settings_of(first), settings_of(second)),
        surroundings=_differing(_surroundings(first), _surroundings(second)),
        inputs=_changed_inputs(first, second),
        metrics=_differing(first.metrics, second.metrics),
        difference=paired_difference(first.planets, second.planets) if shared else None,
    )


def settings_of(run: RecordedRun) -> dict[str, Any]:
    """Return a run's settings by dotted key."""
    return dict(dotted(run.manifest.get("config", {})))


def dotted(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings by dotted key.

    Args:
        tree: the mappings.
        prefix: of every key.
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _surroundings(run: RecordedRun) -> dict[str, Any]:
    environment = dict(run.manifest.get("environment", {}))
    versions = environment.pop("packages", {})
    around = {"command": run.command, "code": run.code, "sources": run.manifest.get("code")}
    return around | {name: environment.get(name) for name in ("python", "cuda", "threads")} | versions


def _changed_inputs(first: RecordedRun, second: RecordedRun) -> list[str]:
    """Return the names of inputs of both that differ; the same file may lie elsewhere for each."""
    ours, theirs = (
        {place.rpartition("/")[2]: entry for place, entry in run.manifest.get("inputs", {}).items()}
        for run in (first, second)
    )
    return sorted(name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name])


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys((*first, *second))
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}
