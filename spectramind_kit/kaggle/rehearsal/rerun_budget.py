"""From the few planets of a dry run to the hidden test set: how long it would take, and what a dry run may use.

The cells after the installation are taken to grow with the number of planets. Planets run side by side, so a pace that
was measured on some cores is projected to the session's: with n planets on c cores, min(n, c) ran at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.environment import available_cores
from spectramind_kit.kaggle.rehearsal.verdict import Check, State
from spectramind_kit.kaggle.rehearsal.watched_run import Budget, Usage
from spectramind_kit.settings.kaggle import KaggleConfig

SIGNAL = "AIRS-CH0_signal*.parquet"
STARTUP_SECONDS = 600.0
"""Allowed for what does not grow with the planets: starting, installing, importing, compiling."""
GB = 1e9


@dataclass(frozen=True)
class DryRunPlanets:
    """The planets that a dry run predicts.

    Attributes:
        planets: how many.
        visits: of all of them together.
        cores: processor cores that they run on.
    """

    planets: int
    visits: int
    cores: int

    @property
    def at_a_time(self) -> int:
        """Planets that ran side by side."""
        return max(1, min(self.planets, self.cores))

    def time_ratio(self, config: KaggleConfig) -> float:
        """Return by how much longer the hidden test set takes on a session's cores than these planets did here."""
        return config.rerun_planets / max(1, self.planets) * self.at_a_time / config.cores

    def check(self) -> Check:
        """Return the row on the planets: a single planet or visit leaves much untried."""
        several = self.planets > 1 and self.visits != self.planets
        detail = f"{self.planets} planets, {self.visits} visits"
        few = "" if several else "; several planets, some of several visits, would show more"
        return Check("planets", "ok" if several else "note", detail + few)


def dry_run_planets(data: Path, split: str) -> DryRunPlanets:
    """Count the planets and visits of a split of a competition folder, and the cores that are here."""
    if split == "test":
        lines = (data / "sample_submission.csv").read_text().splitlines()
        planets = len([line for line in lines if line.strip()]) - 1
    else:
        planets = len([path for path in (data / split).glob("*") if path.is_dir()])
    visits = len(list((data / split).glob(f"*/{SIGNAL}")))
    return DryRunPlanets(planets, visits, available_cores())


def dry_run_budget(config: KaggleConfig, planets: DryRunPlanets) -> Budget:
    """Return what a dry run may use: a session's memory and disk, and the part of its hours for so few planets."""
    limit = 3600 * config.hours
    seconds = min(limit, STARTUP_SECONDS + limit / planets.time_ratio(config))
    return Budget(seconds, config.memory_gb * GB, config.disk_gb * GB)


def budget_checks(
    seconds: Mapping[str, float], usage: Usage, planets: DryRunPlanets, config: KaggleConfig, ended: bool
) -> list[Check]:
    """Return the rows on installation, time, memory and disk; no time is projected from a run that did not end well."""
    unknown = Check("time", "note", "nothing to project: the notebook did not run to its end")
    memory, disk = usage.memory / GB, usage.disk / GB
    return [
        Check("install", "ok", f"{seconds['install']:.1f} s"),
        time_check(seconds, planets, config) if ended else unknown,
        Check("memory", _state(memory <= config.memory_gb), f"peak {memory:.2f} GB of {config.memory_gb:g} GB"),
        Check("disk", _state(disk <= config.disk_gb), f"{disk:.3f} GB of {config.disk_gb:g} GB in the working folder"),
    ]


def time_check(seconds: Mapping[str, float], planets: DryRunPlanets, config: KaggleConfig) -> Check:
    """Project the measured time to the hidden test set on a session's cores.

    Args:
        planets: of the dry run.
        config: how many planets the rerun has, on how many cores, and its limit.
        seconds: of the stages "venv", "run" and "total" [s].
    """
    start = seconds["total"] - seconds["venv"] - seconds["run"]
    hours = (start + seconds["run"] * planets.time_ratio(config)) / 3600
    pace = seconds["run"] / max(1, planets.planets)
    here = f"{planets.planets} planets in {seconds['run']:.1f} s, {pace:.2f} s each, {planets.at_a_time} at a time"
    there = f"{config.rerun_planets} on {config.cores} cores would take {hours:.2f} h of {config.hours:g} h"
    return Check("time", _state(hours <= config.hours), f"{here}; {there}")


def _state(passed: bool) -> State:
    return "ok" if passed else "FAILED"
