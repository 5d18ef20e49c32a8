"""What a work folder remembers of all runs, a JSON line each, and the configuration as everybody may see it."""

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

from spectramind_kit import conf
from spectramind_kit.config import NOT_SHOWN, Config
from spectramind_kit.work_folder.layout import WorkFolder

logger = logging.getLogger(__name__)


def record_event(work: Path, stage: str, **facts: object) -> None:
    """Append one line to ``WORK/events.jsonl``: when, which stage, and what happened."""
    append_line(WorkFolder(work).events, {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "stage": stage, **facts})


def append_line(path: Path, facts: Mapping[str, object]) -> None:
    """Append a mapping as a line of JSON.

    Args:
        path: of the file, made if it is not there.
        facts: what is appended.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab+") as file:
        # A run that was killed may have left half a line, which must not swallow this one.
        torn = file.tell() and _last_byte(file) != b"\n"
        file.write(b"\n" * bool(torn) + json.dumps(facts, default=str).encode() + b"\n")


def read_events(work: Path) -> list[dict]:
    """Return the events of a work folder, oldest first; lines that are none, such as a torn last one, are skipped."""
    return read_lines(WorkFolder(work).events)


def read_lines(path: Path) -> list[dict]:
    """Return the events of a file, oldest first; none where there is no file."""
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    events = [event for line in lines if isinstance(event := _parsed(line), dict)]
    if len(events) < len(lines):
        logger.warning("%s: %d lines are no events and are skipped", path, len(lines) - len(events))
    return events


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def shareable_config(config: Config) -> dict[str, Any]:
    """Return the configuration as everybody may see it: numbers, switches, choices, and free text as it is shipped.

    An owner, an address or what a variable of the environment held is nobody's business, and changes no result.

    Args:
        config: of a run.
    """
    return _shareable(config)


def _shareable(value: Any) -> Any:
    if not is_dataclass(value):
        return value
    hints, shown = get_type_hints(type(value)), {}
    for field in fields(value):
        ours = getattr(value, field.name)
        # The name of a model is free text because anybody's may be given, and says nothing of anybody.
        hidden = hints[field.name] is str and field.name != "kind" and not _is_shipped(field.name, ours)
        shown[field.name] = NOT_SHOWN if hidden else _shareable(ours)
    return shown


def _is_shipped(key: str, text: str) -> bool:
    """Return whether a file of ``conf/`` gives a key this text."""
    line = rf"^\s*{re.escape(key)}: *(['\"]?){re.escape(text)}\1 *(#.*)?$"
    return re.search(line, _shipped_text(), re.MULTILINE) is not None


@lru_cache(maxsize=1)
def _shipped_text() -> str:
    """Return all of ``conf/``: to compose it for the sake of four strings would cost a fifth of a second."""
    files = sorted(Path(conf.__path__[0]).rglob("*.yaml"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
