"""Runs as they were recorded under ``WORK/runs/``, those of sweeps under ``WORK/sweeps/`` included."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.files import replacing
from spectramind_kit.work_folder.manifest import read_lines
from spectramind_kit.work_folder.planet_scores import read_planet_scores
from spectramind_kit.work_folder.run_record import EVENTS, MANIFEST, METRICS, NOTES, PLANETS, RUNNING

LATEST = "latest"
SWEEPS = "sweeps"
_SCORES = ("held_out_score", "score")
"""Metrics that runs are ranked by, the first one that a run has."""


@dataclass(frozen=True)
class RecordedRun:
    """A run's record.

    Attributes:
        folder: of the record.
        manifest: what it says.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the folder, ``<time>-<command>``; in a sweep, ``<time of the sweep>/<number>/<command>``."""
        if self.work.parents[1].name == SWEEPS:
            return f"{self.work.parent.name}/{self.work.name}/{self.command}"
        return self.folder.name

    @property
    def work(self) -> Path:
        """The work folder that the run wrote into."""
        return self.folder.parents[1]

    @property
    def command(self) -> str:
        """What was run."""
        return self.manifest["command"]

    @property
    def status(self) -> str:
        """How it ended; a run that does not say so is under way, or was killed."""
        return "unfinished" if self.manifest["status"] == RUNNING else self.manifest["status"]

    @property
    def code(self) -> str:
        """The commit in short, "+" after it if the package differed from it; outside a checkout the sources' hash."""
        environment = self.manifest.get("environment", {})
        commit = environment.get("git_commit", "unknown")
        if commit == "unknown":
            return f"code {self.manifest.get('code', 'unknown')[:8]}"
        return commit[:8] + "+" * bool(environment.get("git_dirty"))

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Its figures by name."""
        return _read_json(self.folder / METRICS)

    @property
    def notes(self) -> dict[str, Any]:
        """What was noted about it afterwards: remark, submission, public and private score."""
        return _read_json(self.folder / NOTES)

    @property
    def score(self) -> float | None:
        """Held-out score of a training, score of predictions whose truth is known; None where there is neither."""
        return next((self.metrics[name] for name in _SCORES if self.metrics.get(name) is not None), None)

    @cached_property
    def planets(self) -> dict[int, float]:
        """What each planet adds to the score."""
        return read_planet_scores(self.folder / PLANETS)

    @cached_property
    def events(self) -> list[dict]:
        """Stages and log."""
        return read_lines(self.folder / EVENTS)

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage."""
        return {event["stage"]: event["seconds"] for event in self.events if "stage" in event and "seconds" in event}

    def left(self, path: Path, sha256: str) -> bool:
        """Return whether it left a file that has this hash."""
        outputs = self.manifest.get("outputs", {})
        return any(made == sha256 and self.path_of(place) == path for place, made in outputs.items())

    def path_of(self, place: str) -> Path:
        """Return where something lies that the record names relative to the work folder."""
        return (self.work / place).resolve()


def find_runs(works: Sequence[Path]) -> list[RecordedRun]:
    """Return the runs of work folders, oldest first.

    Args:
        works: the work folders.
    """
    below = ("runs", f"{SWEEPS}/*/*/runs")
    found = dict.fromkeys(
        path.resolve() for work in works for folder in below for path in Path(work).glob(f"{folder}/*/{MANIFEST}")
    )
    runs = [RecordedRun(path.parent, manifest) for path in found if "command" in (manifest := _read_json(path))]
    return sorted(runs, key=lambda run: (run.manifest.get("started", ""), run.name))


def find_run(works: Sequence[Path], name: str) -> RecordedRun:
    """Return one run.

    Args:
        works: the work folders.
        name: of the run, a part of the name that no other has, a command, of which the last run is meant, "latest", or
            the path of its folder.

    Raises:
        SpectraMindError: if there is none, or several.
    """
    manifest = _read_json(Path(name) / MANIFEST)
    if "command" in manifest:
        return RecordedRun(Path(name).resolve(), manifest)
    runs = find_runs(works)
    if runs and name == LATEST:
        return runs[-1]
    exact = [run for run in runs if name in (run.name, run.folder.name)] or [
        run for run in runs if run.command == name
    ][-1:]
    found = exact or [run for run in runs if name in run.name]
    if len(found) == 1:
        return found[0]
    names = [run.name for run in found] or difflib.get_close_matches(name, [run.name for run in runs], 5, 0.0)
    raise SpectraMindError(
        f"run {name!r}",
        wanted="one run of " + ", ".join(map(str, works)),
        got=f"{len(found)}" if found else "none",
        remedy=f"there are {', '.join(names)}" if names else "run a command of the kit with --work first",
    )


def write_notes(run: RecordedRun, notes: Mapping[str, Any]) -> dict[str, Any]:
    """Add to what is noted about a run; return all of it.

    Args:
        run: the run.
        notes: what is added, by name.
    """
    together = {**run.notes, **notes}
    with replacing(run.folder / NOTES) as temporary:
        temporary.write_text(json.dumps(together, indent=2) + "\n")
    return together


def made_by(work: Path, path: Path, sha256: str) -> RecordedRun | None:
    """Return the last run that left a file as it is now; None if no record says so.

    Args:
        work: the work folder.
        path: of the file.
        sha256: of the file.
    """
    return next((run for run in reversed(find_runs([work])) if run.left(path.resolve(), sha256)), None)


def _read_json(path: Path) -> dict[str, Any]:
    """Return what a file says; nothing where there is none, or a half one."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
