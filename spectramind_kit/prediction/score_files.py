"""The score of a submission file against a file of true spectra."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.errors import CompetitionDataError, SubmissionError
from spectramind_kit.metric import score
from spectramind_kit.prediction.population import label_statistics
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

LABELS = ("train.csv", "train_labels.csv")
"""Names of the training labels in a competition folder, by edition, the latest first."""


def score_files(
    truth: Path, submission: Path, edition: str = "2025", naive: Path | None = None, partial: bool = False
) -> float:
    """Score a submission file against a file of true spectra; rows are matched by planet.

    Args:
        truth: true spectra.
        submission: what to score.
        edition: "2025" or "2024".
        naive: spectra whose mean and spread are the score's zero point. If not given, the training labels where they
            are known: those of the competition folder whose ``truth/`` holds the true spectra. Else the true spectra,
            which say little with a handful of planets and nothing with one.
        partial: True to score the planets that the submission has; else it must have every one of the truth.

    Raises:
        CompetitionDataError: if a planet of the submission has no truth.
        SubmissionError: if a planet is missing from the submission, or has several rows.
    """
    true_ids, spectra = read_spectra(truth)
    ids, mean, sigma = submission_arrays(read_submission(submission))
    row = {planet: i for i, planet in enumerate(true_ids.tolist())}
    missing = [planet for planet in ids.tolist() if planet not in row]
    if missing:
        raise CompetitionDataError(f"{truth}", wanted="the truth of every planet", got=f"none of {missing[:5]}")
    _refuse_unwhole(submission, ids.tolist(), () if partial else row)
    naive = naive or training_labels_beside(Path(truth))
    zero_point = label_statistics(read_spectra(naive)[1]).naive if naive else None
    return score(spectra[[row[planet] for planet in ids.tolist()]], mean, sigma, zero_point, edition)


def _refuse_unwhole(submission: Path, ids: Sequence[int], wanted: Iterable[int]) -> None:
    """Refuse to score a submission that has a planet twice, or lacks one: Kaggle would not take it."""
    doubled = sorted({planet for planet, count in Counter(ids).items() if count > 1})
    if doubled:
        raise SubmissionError(f"{submission}", wanted="one row a planet", got=f"several of {doubled[:5]}")
    missing = sorted(set(wanted) - set(ids))
    if missing:
        got = f"none of {len(missing)}, among them {missing[:5]}"
        remedy = "to score a part only, say --partial"
        raise SubmissionError(f"{submission}", wanted="a row for every planet", got=got, remedy=remedy)


def training_labels_beside(truth: Path) -> Path | None:
    """Return the training labels of the competition folder whose ``truth/`` holds a file; None if it is no such file.

    Args:
        truth: table of true spectra, such as ``DATA/truth/test.csv``.
    """
    folder = truth.resolve().parent
    if folder.name != "truth":
        return None
    return next((path for name in LABELS if (path := folder.parent / name).is_file()), None)
