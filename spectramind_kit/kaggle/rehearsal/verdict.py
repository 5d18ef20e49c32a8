"""What a dry run found: a table of checks, times, and where its products lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "FAILED", "note"]


@dataclass(frozen=True)
class Check:
    """One row of the verdict.

    Attributes:
        name: what was checked.
        state: whether it passed; "note" is worth knowing and not judged.
        detail: a sentence.
    """

    name: str
    state: State
    detail: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of a dry run.

    Attributes:
        rows: the checks, in the order they were made.
        seconds: wall-clock time of the stages "venv", "install", "run" and "total" [s].
        submission: the validated file, None if there is none.
        notebook: the executed notebook, None if it did not start.
        offline: how the network was shut off.
        memory: highest memory of all the session's processes together [bytes].
    """

    rows: tuple[Check, ...]
    seconds: Mapping[str, float]
    submission: Path | None
    notebook: Path | None
    offline: str
    memory: int

    @property
    def passed(self) -> bool:
        """True if no check failed."""
        return all(row.state != "FAILED" for row in self.rows)

    def table(self) -> str:
        """Return the checks as aligned lines of text, with the verdict last."""
        width = max(len(row.name) for row in self.rows)
        lines = [f"{row.state:<6}  {row.name:<{width}}  {row.detail}" for row in self.rows]
        times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())
        return "\n".join([*lines, f"rehearsal {'passed' if self.passed else 'FAILED'} ({times})"])
