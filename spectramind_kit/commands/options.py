"""What commands share: options of more than one of them, the configuration, and the form of an answer."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from spectramind_kit.config import Config


class Split(StrEnum):
    """Halves of the competition."""

    train = "train"
    test = "test"


OVERRIDE = re.compile(r"^[~+]?\w[\w./@]*=")
"""How an override of the configuration begins."""


def complete_override(incomplete: str) -> list[str]:
    """Return the overrides that a shell may go on with: keys, and the names of a group.

    Args:
        incomplete: what is typed so far.
    """
    from spectramind_kit.config import choices, known_keys

    group, equals, _ = incomplete.partition("=")
    if equals:
        return [f"{group}={name}" for name in choices().get(group, ()) if f"{group}={name}".startswith(incomplete)]
    return [f"{key}=" for key in known_keys() if key.startswith(incomplete)]


Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Configuration overrides: group.key=value ...", autocompletion=complete_override),
]
Data = Annotated[Path, typer.Option("--data", help="Competition folder (2024 or 2025 layout).")]
Work = Annotated[Path, typer.Option("--work", help="Folder for everything that is made; reused when it exists.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for other programs.")]
Works = Annotated[list[Path], typer.Option("--work", help="Work folder; may be given several times.")]


def by_default(meant: str) -> type[TyperGroup]:
    """Return the class of a group of commands of which one is meant where none is named.

    Args:
        meant: name of the command.
    """

    class ByDefault(TyperGroup):
        """Commands of which one is meant where none is named."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Put the command in front that is meant."""
            return super().parse_args(ctx, args if args and args[0] in (*self.commands, "--help") else [meant, *args])

    return ByDefault


def composed(overrides: Sequence[str] | None) -> "Config":
    """Return the configuration that overrides ask for."""
    from spectramind_kit.config import load_config  # here: Hydra and pydantic take as long as all the rest

    return load_config(overrides or [])


def answer(as_json: bool, facts: Mapping[str, Any] | Sequence[Any], lines: Iterable[str]) -> None:
    """Print what a command found out.

    Args:
        as_json: in JSON, or in lines for people.
        facts: what other programs want to know.
        lines: what people want to read.
    """
    if as_json:
        typer.echo(json.dumps(_plain(facts), indent=2, default=_value))
        return
    for line in lines:
        typer.echo(line)


def columns(rows: Sequence[Sequence[object]], head: Sequence[str] = ()) -> list[str]:
    """Return rows as lines whose columns stand below each other.

    Args:
        rows: of a table, each as long as the others.
        head: names of the columns; none if not given.
    """
    table = [[str(cell) for cell in row] for row in ([head, *rows] if head else rows)]
    width = [max(map(len, column)) for column in zip(*table)]
    return ["  ".join(cell.ljust(n) for cell, n in zip(row, width)).rstrip() for row in table]


def _plain(facts: Any) -> Any:
    """Return facts with numbers that JSON does not know as null."""
    if isinstance(facts, Mapping):
        return {str(key): _plain(value) for key, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [_plain(value) for value in facts]
    finite = not isinstance(facts, float) or abs(facts) < float("inf")
    return facts if finite else None


def _value(value: Any) -> Any:
    """Return what JSON can hold of a value that it does not know."""
    return value.item() if hasattr(value, "item") else str(value)
