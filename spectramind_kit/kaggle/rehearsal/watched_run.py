"""Run a command within a budget of time, memory and disk: measured while it runs, stopped when it is over budget.

A session on Kaggle that runs out of any of them dies without an output, so a dry run stops in the same place. All
processes below the command count: a notebook's kernel is a session of its own, which a signal to the command's group
would not reach.
"""

import contextlib
import logging
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 8.0
"""Of the log: nobody should wonder whether a run still goes on."""
SECONDS_BETWEEN_SAMPLES = 0.5
SAMPLES_PER_DISK_SAMPLE = 4
"""Adding up a folder takes longer than adding up processes."""


@dataclass(frozen=True)
class Budget:
    """What a run may use.

    Attributes:
        seconds: wall-clock time [s].
        memory: of all its processes together [bytes].
        disk: size of its working folder [bytes].
    """

    seconds: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Usage:
    """What a run used.

    Attributes:
        returncode: exit status; None if it was stopped.
        seconds: wall-clock time [s].
        memory: peak of all its processes together [bytes].
        disk: peak size of its working folder [bytes].
        breach: why it was stopped; "" if it was not.
    """

    returncode: int | None
    seconds: float
    memory: int
    disk: int
    breach: str


def run_watched(
    command: Sequence[str], variables: Mapping[str, str], record: Path, folder: Path, budget: Budget
) -> Usage:
    """Run a command to its end, or to the end of its budget.

    Args:
        command: what to run.
        variables: its environment variables, all of them.
        record: file for what it prints.
        folder: whose contents count as disk.
        budget: what it may use.
    """
    start, memory, disk, breach, samples = time.monotonic(), 0, 0, "", 0
    logged = start
    with record.open("w") as stream:
        process = subprocess.Popen(command, env=dict(variables), stdout=stream, stderr=subprocess.STDOUT)
        while process.poll() is None and not breach:
            memory = max(memory, memory_of_tree(process.pid))
            if samples % SAMPLES_PER_DISK_SAMPLE == 0:
                disk = max(disk, size_of_folder(folder))
            samples += 1
            breach = over_budget(budget, time.monotonic() - start, memory, disk)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_BETWEEN_SAMPLES)
            if time.monotonic() - logged >= SECONDS_BETWEEN_LINES:
                logged = time.monotonic()
                log.info("%.0f s, %.2f GB: %s", logged - start, memory / 1e9, last_line(record))
        if breach:
            stop_tree(process.pid)
            process.wait()
    seconds, disk = time.monotonic() - start, max(disk, size_of_folder(folder))
    breach = breach or over_budget(budget, 0.0, 0, disk)
    return Usage(None if breach else process.returncode, seconds, memory, disk, breach)


def over_budget(budget: Budget, seconds: float, memory: float, disk: float) -> str:
    """Return which part of the budget a run is over, in words; "" if it is over none."""
    if seconds > budget.seconds:
        return f"stopped after {seconds:.0f} s: {budget.seconds:.0f} s is all that so few planets may take"
    if memory > budget.memory:
        return f"stopped at {memory / 1e9:.2f} GB of memory: a session has {budget.memory / 1e9:.2f} GB"
    if disk > budget.disk:
        return f"stopped at {disk / 1e9:.3f} GB in the working folder: it may hold {budget.disk / 1e9:.3f} GB"
    return ""


def last_line(record: Path) -> str:
    """Return the end of what a run has printed so far: its last line that says something, at most 160 characters."""
    with record.open("rb") as stream:
        stream.seek(max(0, record.stat().st_size - 4096))
        lines = stream.read().decode(errors="replace").replace("\r", "\n").splitlines()
    return next((line.strip()[-160:] for line in reversed(lines) if line.strip()), "nothing printed yet")


def memory_of_tree(pid: int) -> int:
    """Return the memory of a process and all below it [bytes]; what several share counts once."""
    return sum(_memory(process) for process in _tree(pid))


def size_of_folder(folder: Path) -> int:
    """Return the size of a folder's files [bytes]; links count nothing, and files may vanish meanwhile."""
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            size += 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
    return size


def stop_tree(pid: int) -> None:
    """Kill a process and all below it."""
    for process in reversed(_tree(pid)):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    """Return a process's proportional set size [bytes], or all it maps where that is not reported."""
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().pss
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0
