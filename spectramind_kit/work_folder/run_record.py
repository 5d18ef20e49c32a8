"""The record of a run, ``WORK/runs/<time>-<command>/``: what was asked for, by what, from what, and what came of it.

    manifest.json   command, configuration with its hash, code, versions, inputs (md5 as in DVC), outputs (sha256)
    metrics.json    the figures, flat
    log.jsonl       events: stages with their seconds, and the log (events.jsonl is what marks a work folder)
    planets.csv     planet_id, fold, score: what each planet adds to the score, where its truth is known
    curves.csv      network, epoch, step, loss, score of the planets held back, where networks were trained
    notes.json      what people say of it afterwards: remark, submission, public and private score

It is written when the run begins and again when it ends, however it ends. A run never fails because it cannot be
recorded: it goes on with a warning.
"""

import contextlib
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from spectramind_kit import __version__
from spectramind_kit.config import Config
from spectramind_kit.environment import cuda_in_use, threads_in_use
from spectramind_kit.environment import describe as describe_environment
from spectramind_kit.errors import describe
from spectramind_kit.files import dvc_entry, files_below, listing_entry, replacing, sha256_of
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.manifest import append_line, record_event, shareable_config
from spectramind_kit.work_folder.provenance import code_hash, config_hash

logger = logging.getLogger(__name__)

MANIFEST, METRICS, EVENTS, PLANETS = "manifest.json", "metrics.json", "log.jsonl", "planets.csv"
CURVES, NOTES = "curves.csv", "notes.json"
"""Files of a run's folder."""
RUNNING, DONE, FAILED, INTERRUPTED = "running", "done", "failed", "interrupted"
"""What the manifest says of a run's end; a run that was killed stays "running"."""
MOST_BYTES_READ = 2**30
"""Folders above this size are recorded by names and sizes [bytes]; products are keyed by their content anyway."""
CODE = "spectramind_kit.cli"
"""Imports, at last, all the package."""

Made = TypeVar("Made")


class RunRecord:
    """A run that is being recorded.

    Args:
        work: the work folder.
        command: what is run, as on the command line.
        config: of the run.
        arguments: what else was asked for; paths are kept relative to the work folder.
    """

    def __init__(self, work: Path, command: str, config: Config, arguments: Mapping[str, object]):
        self._work, self._command, self._started = Path(work), command, time.monotonic()
        self.folder = _attempt(lambda: _new_folder(WorkFolder(self._work).runs, command), "a folder")
        self._facts: dict[str, object] = {}
        self._metrics: dict[str, object] = {}
        self._inputs: dict[str, dict[str, object]] = {}
        self._folders: dict[str, Future[dict[str, object]]] = {}
        # Hashing lets go of the interpreter's lock: it costs the run nothing where a second core idles.
        self._reader = ThreadPoolExecutor(1, "hashes")
        self._outputs: list[Path] = []
        self._published: Path | None = None
        self._made_by = _attempt(lambda: _made_by(config), "what it is made by") or {}
        self._head = {
            "kit_version": __version__,
            "run": self.folder.name if self.folder else None,
            "command": command,
            "arguments": {name: self._plain(value) for name, value in arguments.items()},
            "started": _now(),
        }
        self._write(RUNNING)

    def inputs(self, *paths: Path) -> None:
        """Hash what the run is made from: tables at once, before they may change, folders beside the run.

        What is not there is left out.
        """
        for path in paths:
            _attempt(lambda path=path: self._input(path), "an input")

    def _input(self, path: Path) -> None:
        if path.is_dir():
            self._folders[self.place(path)] = self._reader.submit(input_entry, path)
        elif path.exists():
            self._inputs[self.place(path)] = input_entry(path)

    def outputs(self, *paths: Path) -> None:
        """Name files and folders that the run writes; they are hashed at its end."""
        self._outputs += paths

    def facts(self, **facts: object) -> None:
        """Keep what a reader of the manifest and of the work folder's events should know."""
        self._facts |= {name: _known(fact) for name, fact in facts.items()}

    def metrics(self, **figures: float | int | None) -> None:
        """Keep figures that runs are compared by; one that is no number becomes null."""
        self._metrics |= {name: _known(figure) for name, figure in figures.items()}

    def publish(self, path: Path) -> None:
        """Have the manifest copied to another place at the end."""
        self._published = path

    def keep(self, name: str, write: Callable[[Path], object]) -> None:
        """Have a file written into the record.

        Args:
            name: of the file.
            write: writes it to the path that it is given.
        """
        if self.folder is not None:
            place = self.folder / name
            _attempt(lambda: _replace(place, write), name)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Record the seconds that the block takes."""
        started = time.monotonic()
        yield
        self._event(stage=name, seconds=_since(started))

    def place(self, path: Path) -> str:
        """Return a path relative to the work folder, which a moved folder keeps."""
        return Path(os.path.relpath(path, self._work)).as_posix()

    def end(self, status: str, problem: str = "") -> None:
        """Write how the run ended, and hash what it left."""
        seconds = _since(self._started)
        self._facts["seconds"] = seconds
        if status == DONE:
            _attempt(lambda: record_event(self._work, self._command, run=self._head["run"], **self._facts), "an event")
        else:
            self._facts["problem"] = problem
        self._write(status, self._hashed_outputs() if status == DONE else {})
        if self._metrics:
            self.keep(METRICS, lambda path: _write_json(path, self._metrics))
        if status == DONE:
            _attempt(self._copy_latest, "figures")
        if self._published is not None and self.folder is not None:
            _copy(self.folder / MANIFEST, self._published)

    def _copy_latest(self) -> None:
        """Copy figures to places that are the same for every run, which DVC's metrics and plots need."""
        for name in (METRICS, PLANETS, CURVES):
            if self.folder is not None and (self.folder / name).is_file():
                _copy(self.folder / name, WorkFolder(self._work).latest(self._command) / name)

    def listener(self) -> logging.Handler:
        """Return a handler of the log that keeps its lines."""
        return _KeptLog(self._event)

    def _write(self, status: str, outputs: Mapping[str, str] | None = None) -> None:
        """Write the manifest."""

        def write(path: Path) -> None:
            manifest = {
                **self._head,
                "status": status,
                "written": _now(),
                **self._made_by,
                # Only the run may have loaded torch.
                "environment": self._made_by.get("environment", {})
                | {"cuda": cuda_in_use(), "threads": threads_in_use()},
                "inputs": {} if status == RUNNING else self._hashed_inputs(),
                "outputs": outputs or {},
                **self._facts,
            }
            _write_json(path, manifest)

        self.keep(MANIFEST, write)

    def _hashed_inputs(self) -> dict[str, dict[str, object]]:
        """Return inputs by their place, those left out that could not be read."""
        self._reader.shutdown()
        folders = {place: entry for place, one in self._folders.items() if (entry := _attempt(one.result, "an input"))}
        return self._inputs | folders

    def _hashed_outputs(self) -> dict[str, str]:
        """Return the SHA-256 of every file that was written, by its place in the work folder."""

        def hashed() -> dict[str, str]:
            files = [
                file
                for path in self._outputs
                for file in (files_below(path).values() if path.is_dir() else [path] if path.is_file() else [])
            ]
            return {self.place(file): sha256_of(file) for file in files}

        return _attempt(hashed, "outputs") or {}

    def _event(self, **facts: object) -> None:
        if self.folder is not None:
            with contextlib.suppress(OSError):  # without a word, which would be a line of the log again
                append_line(self.folder / EVENTS, {"time": _now(), **facts})

    def _plain(self, value: object) -> object:
        return self.place(value) if isinstance(value, Path) else value


@contextmanager
def recorded(work: Path, command: str, config: Config, **arguments: object) -> Iterator[RunRecord]:
    """Record what the block does, however it ends.

    Args:
        work: the work folder.
        command: what is run, as on the command line.
        config: of the run.
        arguments: what else was asked for, such as ``data`` and ``split``.
    """
    run, log = RunRecord(work, command, config, arguments), logging.getLogger("spectramind_kit")
    listener = run.listener()
    log.addHandler(listener)
    status, problem = DONE, ""
    try:
        yield run
    except (KeyboardInterrupt, SystemExit):  # Lightning answers an interrupt by ending the process
        status = INTERRUPTED
        raise
    except BaseException as error:
        status, problem = FAILED, describe(error)
        raise
    finally:
        log.removeHandler(listener)
        run.end(status, problem)


def input_entry(path: Path) -> dict[str, object]:
    """Return an input as it is recorded: as DVC has it, or a very large folder by its names and sizes.

    Args:
        path: of a file or folder.
    """
    if path.is_dir():
        listing = listing_entry(path)
        if int(str(listing["size"])) > MOST_BYTES_READ:
            return listing
    return dvc_entry(path)


class _KeptLog(logging.Handler):
    """Keeps every line of the log."""

    def __init__(self, keep: Callable[..., None]):
        super().__init__()
        self._keep = keep

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._keep(level=record.levelname, logger=record.name, message=record.getMessage())


def _made_by(config: Config) -> dict[str, Any]:
    """Return what stays the same from the beginning of a run to its end: settings, code, versions, machine."""
    return {
        "config_hash": config_hash(config),
        "config": shareable_config(config),
        "code": code_hash(CODE),
        "environment": describe_environment(),
    }


def _new_folder(runs: Path, command: str) -> Path:
    """Make the folder of a run; two that begin in the same second get a number."""
    stem, runs_begun = f"{time.strftime('%Y%m%d-%H%M%S')}-{command}", 1
    while True:
        folder = runs / (stem if runs_begun == 1 else f"{stem}-{runs_begun}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            if not runs.is_dir():
                raise
            runs_begun += 1


def _attempt(make: Callable[[], Made], what: str) -> Made | None:
    """Return what is made, or None with a warning: the run goes on without its record."""
    try:
        return make()
    except Exception as error:
        logger.warning("the run goes on, but %s of its record cannot be made: %s", what, describe(error))
        return None


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    with replacing(path) as temporary:
        write(temporary)


def _known(value: object) -> object:
    """Return a value, or None for a number that is none, which JSON does not know."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _copy(source: Path, place: Path) -> None:
    _attempt(lambda: _replace(place, lambda path: path.write_bytes(source.read_bytes())), place.name)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, default=str) + "\n")


def _now() -> str:
    # To the millisecond: runs are put in the order in which they began.
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
