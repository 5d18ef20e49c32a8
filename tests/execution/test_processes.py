"""Planets in processes: every result in its place, and a process that dies costs its planet only."""

import dataclasses
import os
import pickle
import subprocess
import sys
import time

import pytest

from spectramind_kit.execution import processes
from spectramind_kit.execution.processes import ONE_THREAD, affordable_workers, map_planets
from spectramind_kit.prediction.measure import PlanetTask

PLANETS = [4294967311, 7, 34983, 5, 6]


def square(planet):
    time.sleep(0.2 if planet == PLANETS[0] else 0.0)  # the first to start is not the first to end
    return planet * planet


def die_at_seven(planet):
    if planet == 7:
        time.sleep(0.2)  # while the others run
        os._exit(1)
    return os.getpid()


def die_always(planet):
    os._exit(1)


def fail(planet):
    raise ValueError(f"no planet {planet}")


def threads(planet):
    return {os.environ[name] for name in ONE_THREAD}, os.getpid()


def lost(planet, reason):
    return planet, reason


def run(task, planets=PLANETS, workers=2):
    return map_planets(task, planets, workers=workers, lost=lost, label="test")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_by_planet_in_the_order_asked(workers):
    results = run(square, workers=workers)
    assert list(results.items()) == [(planet, planet**2) for planet in PLANETS]


def test_a_dying_process_costs_its_planet_only():
    """Only planets that ran when it died are tried alone; the rest shares processes as before."""
    planets = [*range(20, 25), 7, *range(25, 32)]
    results = run(die_at_seven, planets)
    assert list(results) == planets
    assert results.pop(7) == (7, "its process died (out of memory?)")
    assert len(set(results.values())) <= 6


def test_every_process_dying_still_ends_with_every_planet_accounted_for():
    results = run(die_always, PLANETS[:3])
    assert list(results) == PLANETS[:3] and all("died" in reason for _, reason in results.values())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_task_is_not_swallowed(workers):
    with pytest.raises(ValueError, match="no planet"):
        run(fail, workers=workers)


def test_workers_have_one_thread_each_and_leave_the_environment_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    results = run(threads, PLANETS[:2])
    assert all(counts == {"1"} for counts, _ in results.values())
    assert os.getpid() not in {process for _, process in results.values()}
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_no_planets_and_one_worker_per_core():
    assert run(square, []) == {}
    assert run(square, PLANETS[:2], workers=0) == {planet: planet**2 for planet in PLANETS[:2]}


def test_no_more_processes_than_memory_allows(monkeypatch):
    monkeypatch.setattr("spectramind_kit.execution.processes.available_cores", lambda: 8)
    for memory, wanted in ((0.2e9, 1), (3.5e9, 3), (float("inf"), 8)):
        monkeypatch.setattr("spectramind_kit.execution.processes.available_memory", lambda memory=memory: memory)
        assert affordable_workers() == wanted


def test_progress_is_logged_where_there_is_no_terminal_even_before_the_first_planet_is_done(monkeypatch, caplog):
    assert processes.SECONDS_BETWEEN_LOGS <= 10.0
    monkeypatch.setattr(processes, "SECONDS_BETWEEN_LOGS", 0.02)
    with caplog.at_level("INFO", logger=processes.__name__), processes.Progress("fit test", 9) as progress:
        deadline = time.monotonic() + 30
        while len(caplog.messages) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert caplog.messages[0] == "fit test: 0 of 9 planets after 0 s"
        for _ in range(6):
            progress.step()
        caplog.clear()
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.01)
    logged = list(caplog.messages)
    time.sleep(0.1)
    assert caplog.messages == logged, "the clock goes on after the end"


def test_progress_gives_rate_and_time_left(monkeypatch):
    clock = iter([0.0, 60.0, 60.0])
    monkeypatch.setattr(processes.time, "monotonic", lambda: next(clock))
    progress = processes.Progress("fit test", 9)
    for _ in range(3):
        progress.step()
    assert progress.line() == "fit test: 3 of 9 planets, 0.05 planets/s, 2 min left"


HEAVY = ("torch", "torch_geometric", "pytorch_lightning", "lightning", "matplotlib", "scipy.signal", "torch._dynamo")
"""What a process that measures planets without a network has no use for."""


def test_a_worker_without_a_network_loads_no_more_than_it_needs(competition, tmp_path):
    model = dataclasses.replace(competition.config.model, kind="none")
    task = PlanetTask(competition.data, tmp_path, "test", dataclasses.replace(competition.config, model=model))
    (tmp_path / "task").write_bytes(pickle.dumps(task.measure))
    planet = next((competition.data / "test").iterdir()).name
    code = (
        "import pickle, sys; task = pickle.load(open(sys.argv[1], 'rb')); measured = task(int(sys.argv[2]));"
        "assert measured.estimate is not None, measured.problems; print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "task"), planet], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert [name for name in HEAVY if name in loaded] == []
    rooms = {name.split(".")[1] for name in loaded if name.startswith("spectramind_kit.")}
    assert not rooms & {"networks", "training", "symbolic", "diagnostics", "kaggle", "runs", "cli"}
