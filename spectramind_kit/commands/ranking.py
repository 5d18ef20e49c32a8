"""``spectramind leaderboard`` and ``spectramind folds``: which run is best, how sure that is, and frozen folds."""

from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectramind_kit.commands.options import AsJson, Overrides, Works, answer, columns, composed

if TYPE_CHECKING:
    from spectramind_kit.ledger.leaderboard import Leaderboard, Place


class Ranked(StrEnum):
    """Commands whose runs have scores of the same planets."""

    train = "train"
    predict = "predict"
    submit = "submit"


def leaderboard(
    works: Works,
    of: Annotated[
        Ranked, typer.Option(help="train: held-out planets, blends too; predict, submit: planets whose truth is known.")
    ] = Ranked.train,
    top: Annotated[int, typer.Option(min=1, help="So many runs, the best ones.")] = 20,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Rank runs: settings that differ, score with its interval, chance of the best one, scores on Kaggle, shake-up.

    Runs of sweeps count as well. `spectramind runs note RUN` adds remarks and Kaggle's scores,
    `spectramind competition status --work WORK` what is left of the day's submissions.
    """
    from spectramind_kit.ledger.leaderboard import rank_runs
    from spectramind_kit.ledger.recorded_runs import find_runs
    from spectramind_kit.work_folder.layout import WorkFolder
    from spectramind_kit.work_folder.standing import Standing, read_standing

    # A blend is judged on held-out planets, as a training is.
    commands = ("train", "blend") if of is Ranked.train else (of.value,)
    runs = [run for run in find_runs(works) if run.command in commands and run.score is not None]
    best = sorted(runs, key=lambda run: -(run.score or 0.0))[:top]
    asked = [standing for work in works if (standing := read_standing(WorkFolder(work).standing)).asked]
    standing = max(asked, key=lambda each: each.asked or 0, default=Standing())
    board = rank_runs(best, composed(overrides).kaggle.rerun_planets, standing.submissions)
    facts = {"runs": [_facts(place) for place in board.places], "warnings": board.warnings()}
    facts |= {"shake_up": board.shake_up and asdict(board.shake_up), "submissions_left": standing.sentence()}
    answer(as_json, facts, [*_lines(board), standing.sentence()])


def folds(
    data: Annotated[Path, typer.Option("--data", help="Competition folder, whose labels say which planets there are.")],
    out: Annotated[Path, typer.Option(help="Table to write: planet_id, fold.")],
    overrides: Overrides = None,
) -> None:
    """Freeze the folds of cross-validation in a file, which training.folds_file=FILE takes for any model."""
    from spectramind_kit.competition.folder import open_competition
    from spectramind_kit.training.folds import training_folds
    from spectramind_kit.work_folder.planet_scores import write_planet_scores

    config = composed(overrides)
    planets = open_competition(data).labels()[0].tolist()
    found = training_folds(planets, config.training, config.seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_planet_scores(out, {}, dict(zip(planets, found.tolist())))
    answer(False, {}, [f"{out}: {len(planets)} planets in {len(set(found.tolist()))} folds"])


def _lines(board: "Leaderboard") -> Iterator[str]:
    """Yield the leaderboard for people."""
    if not board.places:
        yield "no run has a score yet"
        return
    head = ("", "run", "code", "score", "68 %", "best is better", "public", "private", "settings that differ, remark")
    yield from columns([_row(number, place) for number, place in enumerate(board.places, 1)], head)
    yield from board.warnings()
    yield from board.shake_up.sentences() if board.shake_up else ()


def _row(number: int, place: "Place") -> tuple[object, ...]:
    interval = "-" if place.interval is None else f"{place.interval[0]:.4f}-{place.interval[1]:.4f}"
    sure = "-" if place.behind is None else f"{place.behind.chance:.0%}"
    settings = [f"{key}={value}" for key, value in place.settings.items()]
    words = " ".join([*settings, place.run.notes.get("remark", "")]).strip()
    scores = known(place.score), interval, sure, known(place.public), known(place.private)
    return number, place.run.name, place.run.code, *scores, words


def _facts(place: "Place") -> dict[str, Any]:
    facts: dict[str, Any] = {"run": place.run.name, "work": str(place.run.work), "code": place.run.code}
    facts |= {"score": place.score, "interval": place.interval, "settings": place.settings}
    facts |= {"best_minus_this": place.behind and asdict(place.behind), "remark": place.run.notes.get("remark", "")}
    return facts | {"public_score": place.public, "private_score": place.private}


def known(score: float | None) -> str:
    """Return a score as a table shows it, known or not."""
    return "-" if score is None else f"{score:.4f}"
