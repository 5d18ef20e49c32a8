"""All runs in one table, the best first: what was changed, the score with its interval, and how sure the order is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectramind_kit.ledger.comparison import settings_of
from spectramind_kit.ledger.paired import PairedDifference, bootstrap_interval, paired_difference
from spectramind_kit.ledger.recorded_runs import RecordedRun
from spectramind_kit.ledger.shake_up import ShakeUp, simulate_shake_up

_NO_MATTER = (
    *(
        "profile",
        "kaggle.",
        "diagnostics.",
        "workers",
        "executor",
        "scheduler",
        "planet_seconds",
        "planet_gb",
        "budget",
    ),
)
"""Keys that change no score by themselves."""


@dataclass(frozen=True)
class Place:
    """A run on the leaderboard.

    Attributes:
        run: the run.
        score: held out, or of planets whose truth is known.
        interval: that holds the score of other such planets in two of three cases; None without planets of its own.
        settings: those of its settings that differ from another run's, by key.
        behind: the best run's score minus its own, paired; None of the best itself, or without common planets.
        public: score on Kaggle's public part, if known.
        private: likewise on the private one.
    """

    run: RecordedRun
    score: float
    interval: tuple[float, float] | None
    settings: dict[str, Any]
    behind: PairedDifference | None
    public: float | None
    private: float | None


@dataclass(frozen=True)
class Leaderboard:
    """All runs of one kind.

    Attributes:
        places: the best first.
        shake_up: what a public part would make of the order; None with too few planets.
    """

    places: tuple[Place, ...]
    shake_up: ShakeUp | None

    def warnings(self) -> list[str]:
        """Return what an order of runs does not bear out, in words."""
        close = [place for place in self.places[1:] if place.behind is not None and place.behind.within_noise]
        if not close:
            return []
        first, second = self.places[0].run.name, close[0]
        difference = second.behind
        assert difference is not None
        sentence = (
            f"warning: to choose {first} over {second.run.name} rests on less than its noise: {difference.mean:+.4f} "
            f"+- {difference.error:.4f}"
        )
        return [sentence + (f"; {len(close) - 1} more are as close" if len(close) > 1 else "")]


def rank_runs(
    runs: Sequence[RecordedRun], n_test: int, submissions: Mapping[int, Mapping[str, Any]] | None = None
) -> Leaderboard:
    """Return runs in the order of their scores.

    Args:
        runs: of one kind: scores of training planets held out, or of test planets.
        n_test: planets of the hidden test set.
        submissions: as the competition knows them, by Kaggle's number.
    """
    scored = sorted((run for run in runs if run.score is not None), key=lambda run: -(run.score or 0.0))
    varying = _varying([settings_of(run) for run in scored])
    best = scored[0] if scored else None
    places = tuple(
        Place(
            run=run,
            score=run.score or 0.0,
            interval=bootstrap_interval(run.planets) if run.planets else None,
            settings={key: settings_of(run).get(key) for key in varying},
            behind=_behind(best, run),
            public=_on_kaggle(run, "public_score", submissions or {}),
            private=_on_kaggle(run, "private_score", submissions or {}),
        )
        for run in scored
    )
    return Leaderboard(places, simulate_shake_up([run.planets for run in scored if run.planets], n_test))


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys that runs differ in and that can change a score."""
    keys = dict.fromkeys(key for each in settings for key in each if not key.startswith(_NO_MATTER))
    return [key for key in keys if any(each.get(key) != settings[0].get(key) for each in settings)]


def _behind(best: RecordedRun | None, run: RecordedRun) -> PairedDifference | None:
    if best is None or best is run or not best.planets.keys() & run.planets.keys():
        return None
    return paired_difference(best.planets, run.planets)


def _on_kaggle(run: RecordedRun, name: str, submissions: Mapping[int, Mapping[str, Any]]) -> float | None:
    """Return a score on Kaggle: what was noted, or what the competition says of the submission noted."""
    noted = run.notes.get(name)
    return noted if noted is not None else submissions.get(run.notes.get("submission", -1), {}).get(name)
