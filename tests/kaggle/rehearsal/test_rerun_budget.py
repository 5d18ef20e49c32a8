"""From a few planets to the hidden ones: what a projection must grow with."""

import dataclasses

import pytest

from spectramind_kit.kaggle.rehearsal.rerun_budget import (
    DryRunPlanets,
    budget_checks,
    dry_run_budget,
    dry_run_planets,
    time_check,
)
from spectramind_kit.kaggle.rehearsal.watched_run import Usage

SECONDS = {"venv": 5.0, "install": 10.0, "run": 60.0, "total": 95.0}


def hours(config, planets=2, cores=4, **changes):
    check = time_check(SECONDS, DryRunPlanets(planets, planets, cores), dataclasses.replace(config, **changes))
    return float(check.detail.split("would take ")[1].split(" h")[0]), check.state


def test_time_grows_with_planets_and_is_shared_by_cores(config):
    # 30 s to start; 2 planets, side by side, took 60 s: 4 at a time, 1000 planets take 250 times as long.
    assert hours(config, rerun_planets=1000) == (pytest.approx(4.175, abs=0.006), "ok")
    # One after the other on one core, they would have been half as long each.
    assert hours(config, rerun_planets=1000, cores=1) == (pytest.approx(2.092, abs=0.006), "ok")
    assert hours(config, rerun_planets=1000, hours=4.1)[1] == "FAILED"


def test_many_cores_are_not_taken_along(config):
    """What ran on more cores than a session has takes longer there."""
    slower, _ = hours(config, planets=64, cores=64)
    faster, _ = hours(config, planets=64, cores=4)
    assert slower > 10 * faster


def test_budget_of_few_planets_is_their_share(config):
    few = dry_run_budget(config, DryRunPlanets(11, 11, 4))
    assert few.seconds == pytest.approx(600 + 9 * 36)
    assert dry_run_budget(config, DryRunPlanets(5000, 5000, 4)).seconds == 9 * 3600
    assert (few.memory, few.disk) == (29e9, 20e9)


def test_planets_and_visits_are_counted(competition):
    for name in ("AIRS-CH0_signal_0.parquet", "AIRS-CH0_signal_1.parquet", "FGS1_signal_0.parquet"):
        (competition / "test" / "1" / name).write_text("")
    counted = dry_run_planets(competition, "test")

    assert (counted.planets, counted.visits) == (3, 2)
    assert counted.check().state == "ok"
    assert DryRunPlanets(1, 1, 4).check().state == "note"
    (competition / "train" / "5").mkdir(parents=True)
    assert dry_run_planets(competition, "train").planets == 1


def test_every_breach_is_a_failed_row(config):
    usage = Usage(0, 60.0, memory=30 * 10**9, disk=21 * 10**9, breach="")
    rows = budget_checks(SECONDS, usage, DryRunPlanets(2, 2, 4), dataclasses.replace(config, hours=1.0), ended=True)

    assert [row.name for row in rows if row.state == "FAILED"] == ["time", "memory", "disk"]
    assert [row.state for row in rows if row.name == "install"] == ["ok"]
    unfinished = budget_checks(SECONDS, usage, DryRunPlanets(2, 2, 4), config, ended=False)
    assert {row.name: row.state for row in unfinished}["time"] == "note"
