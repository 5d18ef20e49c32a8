"""Planets in processes: every result in its place, and a process that dies costs its planet only."""

import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from spectramind_kit.execution import processes, supervisor
from spectramind_kit.execution.processes import affordable_workers, map_planets
from spectramind_kit.execution.supervisor import FIRST_DEATHS, Limits
from spectramind_kit.prediction.measure import PlanetTask
from tests.execution.planet_tasks import (
    SLOWEST,
    die_always,
    die_in_workers_of,
    misbehave,
    process,
    square,
    take_memory,
    threads,
)

PLANETS = [SLOWEST, 7, 34983, 5, 6]


def lost(planet, reason):
    return planet, reason


def run(task, planets=PLANETS, workers=2, **more):
    return map_planets(task, planets, workers=workers, lost=lost, label="test", **more)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_by_planet_in_the_order_asked(workers):
    came = []
    results = run(square, workers=workers, came=lambda planet, result: came.append((planet, result)))
    assert list(results.items()) == [(planet, planet**2) for planet in PLANETS]
    assert dict(came) == results and len(came) == len(PLANETS)


def test_a_dying_process_costs_its_planet_only():
    """It is tried a second time, alone, and the others share two processes as before, each replaced once."""
    planets = [*range(20, 25), 7, *range(25, 32)]
    results = run(process, planets)
    assert list(results) == planets
    assert results.pop(7) == (7, "its process died: it ended with status 1")
    assert len(set(results.values())) <= 4


def test_every_process_dying_still_ends_with_every_planet_accounted_for():
    planets = PLANETS[: FIRST_DEATHS - 1]
    results = run(die_always, planets)
    assert list(results) == planets and all("died" in reason for _, reason in results.values())


def test_when_processes_of_the_first_planets_all_die_this_process_does_the_work(caplog):
    results = run(partial(die_in_workers_of, os.getpid()), PLANETS)
    assert results == {planet: planet for planet in PLANETS}
    assert any("in this process" in message for message in caplog.messages)


class TestMisbehaviour:
    """Whatever a planet does to its process, its neighbours have their results and it has a reason."""

    def test_errors_and_panics_become_words(self):
        for workers in (1, 2):
            planets = [1, 2, 3, 9, 10]
            results = run(misbehave, planets, workers)
            assert list(results) == planets and [results[p] for p in (9, 10)] == [81, 100]
            said = [results[planet][1] for planet in (1, 2, 3)]
            assert said == ["Panic: index out of range", "SystemExit: 3", "ValueError: no planet 3"]

    def test_hanging_and_stopped_processes_are_ended_at_their_deadline(self):
        started = time.monotonic()
        results = run(misbehave, [5, 9, 6, 10, 7, 11], limits=Limits(seconds=1.0))
        assert [results[p] for p in (9, 10, 11)] == [81, 100, 121]
        assert {results[p][1] for p in (5, 6, 7)} == {"not done after 1 s"}
        assert time.monotonic() - started < 60

    def test_crashes_and_results_that_cannot_be_sent(self):
        results = run(misbehave, [8, 9, 4, 10])
        assert [results[p] for p in (9, 10)] == [81, 100]
        assert "SIGSEGV" in results[8][1] and "cannot be sent" in results[4][1]

    def test_memory_is_limited(self):
        results = run(take_memory, [20, 4000, 30], limits=Limits(memory=1.0e9))
        assert results[20] == 20 * 2**20 and results[30] == 30 * 2**20
        assert "MemoryError" in results[4000][1]

    @pytest.mark.parametrize("workers", [1, 2])
    def test_what_is_not_done_in_time_is_lost_at_once(self, workers):
        results = run(square, workers=workers, limits=Limits(until=time.monotonic() - 1.0))
        assert {reason for _, reason in results.values()} == {"the time budget was used up"}


SCRIPT = """
from pathlib import Path
from spectramind_kit.execution.processes import map_planets
from {module} import sleep_and_tell, square
from functools import partial
task = {task}
print(map_planets(task, [3, 4], workers=2, lost=lambda planet, reason: reason, label="test"))
"""


def script(task):
    return SCRIPT.format(module=square.__module__, task=task)


class TestCallers:
    """Who calls need not be an importable module, and takes its workers along when it ends, however it ends."""

    @pytest.mark.parametrize("way", ["a file without main guard", "standard input"])
    def test_a_script_needs_no_main_guard(self, tmp_path, way):
        text = script("square")
        (tmp_path / "mine.py").write_text(text)
        file = way.startswith("a file")
        done = subprocess.run(
            [sys.executable, tmp_path / "mine.py" if file else "-"],
            input=None if file else text,
            env=with_path_of_tests(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout == "{3: 9, 4: 16}\n", done.stderr

    def test_a_task_of_the_main_module_is_done_in_this_process(self, tmp_path):
        text = script("cube").replace("task =", "def cube(planet):\n    return planet**3\ntask =")
        done = subprocess.run(
            [sys.executable, "-"], input=text, env=with_path_of_tests(), capture_output=True, text=True, timeout=120
        )
        assert done.stdout == "{3: 27, 4: 64}\n", done.stderr
        assert "in this process" in done.stderr

    @pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
    def test_workers_end_with_their_parent(self, tmp_path, by):
        text = script(f"partial(sleep_and_tell, Path({str(tmp_path)!r}))")
        with subprocess.Popen(
            [sys.executable, "-c", text], env=with_path_of_tests(), stderr=subprocess.DEVNULL
        ) as parent:
            files = [tmp_path / "3", tmp_path / "4"]
            wait_until(lambda: all(file.is_file() and file.read_text() for file in files))
            parent.send_signal(by)
            parent.wait(timeout=20)
        wait_until(lambda: not any(is_running(int(file.read_text())) for file in files))


def with_path_of_tests():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid):
    status = Path(f"/proc/{pid}/status")
    return status.is_file() and "State:\tZ" not in status.read_text()


def test_workers_have_one_thread_each_and_leave_the_environment_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    results = run(threads, PLANETS[:2])
    assert all(counts == {"1"} for counts, _ in results.values())
    assert os.getpid() not in {process for _, process in results.values()}
    assert os.environ["OMP_NUM_THREADS"] == "7" and "MKL_NUM_THREADS" not in os.environ


def test_one_planet_is_worked_on_by_a_process_too():
    assert run(process, [8], workers=0)[8] != os.getpid()
    assert run(process, [8], workers=1)[8] == os.getpid()


def test_a_machine_on_which_no_process_starts_still_gives_results(monkeypatch, caplog):
    monkeypatch.setattr(supervisor, "_PROGRAM", "raise SystemExit(5)")
    assert run(square, PLANETS[1:]) == {planet: planet**2 for planet in PLANETS[1:]}
    assert any("did not start (ended with status 5)" in message for message in caplog.messages)


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
