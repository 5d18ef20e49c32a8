"""``standing.json``: our submissions and what is left of the day's, as the competition knew them when last asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spectramind_kit.files import replacing


@dataclass(frozen=True)
class Standing:
    """What the competition knew.

    Attributes:
        asked: when; None where it was never asked.
        left: submissions that could still be made on that day (UTC).
        submissions: as they were, by Kaggle's number.
    """

    asked: datetime | None = None
    left: int = 0
    submissions: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return how many submissions are left today, as far as that is known; Kaggle's day is UTC's."""
        if self.asked is None:
            return "submissions left today: not known; `spectramind competition status --work WORK` asks"
        when = f"{self.asked:%Y-%m-%d %H:%M} UTC"
        if self.asked.date() == datetime.now(UTC).date():
            return f"submissions left today: {self.left}, as of {when}"
        return f"submissions left today: those of a new day; {self.left} were left on {when}"


def keep_standing(path: Path, facts: Mapping[str, Any]) -> None:
    """Write what the competition answered.

    Args:
        path: of the file.
        facts: from ``kaggle.remote.competition_status.status_facts``.
    """
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n")


def read_standing(path: Path) -> Standing:
    """Return what the competition answered last; nothing known where there is no readable file.

    Args:
        path: of the file.
    """
    try:
        facts = json.loads(path.read_text())
        return Standing(
            asked=datetime.fromisoformat(facts["asked"]).astimezone(UTC),
            left=int(facts["budget"]["left"]),
            submissions={int(each["ref"]): each for each in facts["submissions"]},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Standing()
