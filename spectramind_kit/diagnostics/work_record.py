"""What a work folder remembers of how its products were made: settings, stages, failures, rungs, training curves.

The configuration is the one that made the products, never the one that the report is written with. It stands in
``manifest.json`` for the submission, and in ``runs/<time>-<command>/manifest.json`` for every command that was run.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spectramind_kit.flags import Flag
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.manifest import read_events, read_lines
from spectramind_kit.work_folder.model_record import read_model_record
from spectramind_kit.work_folder.run_record import EVENTS, MANIFEST

_FLAGGED_RUNGS = {
    "one channel": (Flag.FGS1_MISSING, Flag.AIRS_MISSING),
    "robust fit": (Flag.ROBUST_FIT,),
}
_WITHOUT_NETWORK = "without the network"
_UNFINISHED = {
    "running": "it was killed, or runs still",
    "failed": "it failed",
    "interrupted": "it was interrupted; the same command goes on",
}
"""Ends of a run that left no product of their own, in words."""


@dataclass(frozen=True)
class WorkRecord:
    """The record of a work folder.

    Attributes:
        manifest: of the submission; empty without one.
        model: record of the trained model; empty without one.
        events: what was run, oldest first.
        runs: manifests of the commands that were run, oldest first.
        run_stages: when a stage within a run ended, "command: stage", and how long it took [s], oldest first.
    """

    manifest: Mapping = field(default_factory=dict)
    model: Mapping = field(default_factory=dict)
    events: tuple[Mapping, ...] = ()
    runs: tuple[Mapping, ...] = ()
    run_stages: tuple[tuple[str, str, float], ...] = ()

    @property
    def configurations(self) -> dict[str, Mapping]:
        """The configuration that made the products, by the command that made them; empty where none was recorded."""
        made = {str(run.get("command")): run for run in self.runs if run.get("status") not in _UNFINISHED}
        if self.manifest:
            made["submit"] = self.manifest
        return {name: run["config"] for name in ("calibrate", "train", "predict", "submit") if (run := made.get(name))}

    @property
    def environment(self) -> Mapping:
        """Python, packages and machine that made the products; empty where none was recorded."""
        return next((each["environment"] for each in (self.manifest, *self.runs[::-1]) if "environment" in each), {})

    @property
    def stages(self) -> list[tuple[str, str, float]]:
        """When each stage ended, which one it was, and how long it took [s]; oldest first."""
        return sorted([*_timed(self.events, _stage_name), *self.run_stages])

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """What failed: where, which planet ("all" for all of them), and why; the last run of a stage counts."""
        last = {_stage_name(event): event for event in self.events}
        found = [
            (stage, str(planet), str(why))
            for stage, event in last.items()
            for planet, why in _mapping(event.get("problems")).items()
        ]
        commands = {str(run.get("command")): run for run in self.runs}
        found += [
            (command, "all", str(run.get("problem") or _UNFINISHED[run["status"]]))
            for command, run in commands.items()
            if run.get("status") in _UNFINISHED and command != "diagnose"  # which runs while this is read
        ]
        found += [("submit", "all", str(loss)) for loss in self.manifest.get("losses", ())]
        return found + [("submit", str(planet), str(why)) for planet, why in self.fallbacks.items()]

    @property
    def fallbacks(self) -> Mapping[str, str]:
        """Planets of the submission that got the population's spectrum, and why."""
        return _mapping(self.manifest.get("fallbacks"))

    @property
    def remarks(self) -> Mapping[str, str]:
        """What should be known of planets of the submission."""
        return _mapping(self.manifest.get("remarks"))

    @property
    def network(self) -> str:
        """What predicts beside fit and prior: "none" where nothing does."""
        return str(self.model.get("kind", "none"))

    @property
    def blending_weight(self) -> Mapping[str, float]:
        """Weight of the network beside the fit by channel, in [0, 1]."""
        return _mapping(self.model.get("network_share"))

    def rung(self, split: str, planet_id: int) -> str:
        """Return what a planet's answer rests on, one of ``prediction.spectrum.RUNGS``.

        Args:
            split: "train" or "test".
            planet_id: of the planet.
        """
        planet, usual = str(planet_id), "network" if any(self.blending_weight.values()) else "fit"
        if split != "test":
            return usual
        if planet in self.fallbacks:
            return "population"
        remark = str(self.remarks.get(planet, ""))
        for rung, flags in _FLAGGED_RUNGS.items():
            if any(flag in remark for flag in flags):
                return rung
        return "fit" if _WITHOUT_NETWORK in remark else usual


def read_work_record(work: Path) -> WorkRecord:
    """Read what a work folder remembers; whatever cannot be read counts as not there.

    Args:
        work: folder of a run.
    """
    here, runs, stages = WorkFolder(work), [], []
    for path in sorted(here.runs.glob(f"*/{MANIFEST}")):
        if run := _read_json(path):
            runs.append(run)
            command = run.get("command")
            stages += _timed(read_lines(path.with_name(EVENTS)), lambda e, c=command: f"{c}: {e.get('stage')}")
    model = read_model_record(here.model) or {}
    return WorkRecord(_read_json(here.manifest), model, tuple(read_events(work)), tuple(runs), tuple(stages))


def _timed(events: Iterable[Mapping], name: Callable[[Mapping], str]) -> list[tuple[str, str, float]]:
    """Return when events with seconds happened, their names, and the seconds."""
    timed = [event for event in events if isinstance(event.get("seconds"), int | float)]
    return [(str(event.get("time", "")), name(event), float(event["seconds"])) for event in timed]


def _stage_name(event: Mapping) -> str:
    split = event.get("split")
    return f"{event.get('stage', '?')} {split}" if split else str(event.get("stage", "?"))


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _read_json(path: Path) -> Mapping:
    try:
        return _mapping(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}
