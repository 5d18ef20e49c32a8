"""What a competition knows of us: the submissions with their scores, and how many more it takes today."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.client import asking, http_status

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

log = logging.getLogger(__name__)

PAGE_SIZE = 50
MOST_PAGES = 40
"""A server that names a next page for ever is not believed."""


@dataclass(frozen=True)
class Submission:
    """One submission, as Kaggle shows it.

    Attributes:
        ref: its number.
        date: when it was made.
        status: Kaggle's word: pending, complete, error.
        public_score: on the public part; None until it is scored.
        private_score: on the private part; None until Kaggle shows it, mostly at the competition's end.
        description: what was written to it.
        problem: why it failed; "" if it did not.
    """

    ref: int
    date: datetime | None
    status: str
    public_score: float | None
    private_score: float | None
    description: str
    problem: str

    def row(self) -> str:
        """Return it as a line of a table."""
        date = f"{self.date:%Y-%m-%d %H:%M}" if self.date else "-"
        scores = f"{_text(self.public_score):>9} {_text(self.private_score):>9}"
        return f"{self.ref:<10} {date:<16} {self.status:<9} {scores}  {self.problem or self.description}".rstrip()


@dataclass(frozen=True)
class SubmissionBudget:
    """How many submissions were made and may be made; Kaggle's day is UTC's.

    Attributes:
        today: made today.
        total: ever made.
        left: that may still be made today.
        limited_by_total: True if the competition's whole number is the limit.
    """

    today: int
    total: int
    left: int
    limited_by_total: bool

    @property
    def is_used_up(self) -> bool:
        """True if no more is taken; zeros throughout say only that there is no team yet."""
        return self.left <= 0 and self.total > 0

    def __str__(self) -> str:
        suffix = ", the competition's whole number is the limit" if self.limited_by_total else ""
        return f"{self.today} submitted today (UTC), {self.left} left{suffix}; {self.total} in all"


TABLE_HEAD = f"{'submission':<10} {'date':<16} {'status':<9} {'public':>9} {'private':>9}"


def list_submissions(api: "KaggleApi", competition: str) -> list[Submission]:
    """Return this account's submissions to a competition, the latest first."""
    return [found for page in _pages(api, competition) for found in page]


def submission_budget(api: "KaggleApi", competition: str) -> SubmissionBudget:
    """Return how many submissions the competition still takes today."""
    with asking(f"submission limits of {competition}"):
        limits = api.competition_get_submission_limits(competition)
    return SubmissionBudget(limits.num_today, limits.num_total, limits.num_allowed_now, limits.limited_by_total)


def status_facts(competition: str, submissions: Sequence[Submission], budget: SubmissionBudget) -> dict[str, Any]:
    """Return what a competition knows of us as JSON can hold it.

    Args:
        competition: its slug.
        submissions: the latest first.
        budget: of submissions.
    """
    rows = [asdict(each) | {"date": each.date and each.date.isoformat()} for each in submissions]
    asked = datetime.now(UTC).isoformat(timespec="seconds")
    return {"competition": competition, "asked": asked, "budget": asdict(budget), "submissions": rows}


def refuse_used_up(api: "KaggleApi", competition: str) -> None:
    """Refuse to go on where today's submissions are used up; a server that cannot tell does not keep anybody from it.

    Raises:
        PackagingError: with the numbers.
    """
    try:
        budget = submission_budget(api, competition)
    except PackagingError as error:
        if (http_status(error) or 0) < 500:
            raise
        log.warning("going on without knowing how many submissions are left: %s", error)
        return
    if budget.is_used_up:
        remedy = "wait for the next day (UTC)" if not budget.limited_by_total else "it takes no more"
        raise PackagingError(f"submissions to {competition}", wanted="one left", got=str(budget), remedy=remedy)


def _pages(api: "KaggleApi", competition: str) -> Iterator[list[Submission]]:
    from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest

    request = ApiListSubmissionsRequest()
    request.competition_name, request.page_size = competition, PAGE_SIZE
    with api.build_kaggle_client() as kaggle:
        for _ in range(MOST_PAGES):
            with asking(f"submissions to {competition}"):
                response = kaggle.competitions.competition_api_client.list_submissions(request)
            yield [
                Submission(
                    ref=each.ref,
                    date=each.date,
                    status=each.status.name.lower(),
                    public_score=_number(each.public_score),
                    private_score=_number(each.private_score),
                    description=each.description or "",
                    problem=each.error_description or "",
                )
                for each in response.submissions or ()
                if each
            ]
            if not response.next_page_token:
                return
            request.page_token = response.next_page_token


def _number(text: str | None) -> float | None:
    """Return a score; Kaggle sends it as text, and none as an empty one."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _text(score: float | None) -> str:
    return "-" if score is None else f"{score:.5f}"
