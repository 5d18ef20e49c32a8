"""The score of a submission file against a file of true spectra."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.errors import CompetitionDataError, SubmissionError
from spectramind_kit.metric import score
from spectramind_kit.prediction.population import label_statistics
from spectramind_kit.products import LightCurves
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.store import load_product
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
        CompetitionDataError: if a planet of the submission has no truth, or one has several.
        SubmissionError: if a planet is missing from the submission, or has several rows.
    """
    ids, mean, sigma = submission_arrays(read_submission(submission))
    spectra, known = _truth_of(truth, ids.tolist())
    _refuse_unwhole(submission, ids.tolist(), () if partial else known)
    return score(spectra, mean, sigma, _zero_point(truth, naive), edition)


def score_one_depth(
    truth: Path, submission: Path, work: Path, edition: str = "2025", naive: Path | None = None
) -> float:
    """Score the public method of one depth for all wavelengths, on the planets of a submission file.

    Args:
        truth: true spectra.
        submission: whose planets to answer.
        work: work folder that holds their light curves.
        edition: "2025" or "2024".
        naive: as ``score_files`` takes it.

    Raises:
        CompetitionDataError: if a planet has no truth.
        SubmissionError: if a planet has no light curves.
    """
    # scipy's optimisers and filters: who only scores need not wait for them
    from spectramind_kit.public_baselines.one_depth import one_depth_answer, one_depth_of_visits

    planets = submission_arrays(read_submission(submission))[0].tolist()
    spectra, _ = _truth_of(truth, planets)
    depths = np.array([one_depth_of_visits(_stored_light_curves(work, planet)) for planet in planets])
    mean, sigma = one_depth_answer(depths, spectra.shape[1])
    return score(spectra, mean, sigma, _zero_point(truth, naive), edition)


def _stored_light_curves(work: Path, planet: int) -> list[LightCurves]:
    """Return the light curves of a planet's visits, of whichever split."""
    paths = [path for split in ("test", "train") for path in WorkFolder(work).stored_light_curves(split, planet)]
    if not paths:
        remedy = f"spectramind calibrate --data DATA --work {work} --split test"
        raise SubmissionError(f"planet {planet} in {work}", wanted="stored light curves", got="none", remedy=remedy)
    return [load_product(path, LightCurves) for path in paths]


def _truth_of(truth: Path, planets: Sequence[int]) -> tuple[np.ndarray, list[int]]:
    """Return the true spectra of planets, (n_planet, n_wavelength), and all planets that have one."""
    true_ids, spectra = read_spectra(truth)
    row = {planet: i for i, planet in enumerate(true_ids.tolist())}
    if doubled := _doubled(true_ids.tolist()):
        raise CompetitionDataError(f"{truth}", wanted="one row a planet", got=f"several of {doubled[:5]}")
    if missing := [planet for planet in planets if planet not in row]:
        raise CompetitionDataError(f"{truth}", wanted="the truth of every planet", got=f"none of {missing[:5]}")
    return spectra[[row[planet] for planet in planets]], list(row)


def _zero_point(truth: Path, naive: Path | None) -> tuple[float, float] | None:
    """Return mean and spread of what is given, else of the training labels beside the truth; None without either."""
    labels = naive or training_labels_beside(Path(truth))
    return label_statistics(read_spectra(labels)[1]).naive if labels else None


def _refuse_unwhole(submission: Path, ids: Sequence[int], wanted: Iterable[int]) -> None:
    """Refuse to score a submission that has a planet twice, or lacks one: Kaggle would not take it."""
    if doubled := _doubled(ids):
        raise SubmissionError(f"{submission}", wanted="one row a planet", got=f"several of {doubled[:5]}")
    missing = sorted(set(wanted) - set(ids))
    if missing:
        got = f"none of {len(missing)}, among them {missing[:5]}"
        remedy = "to score a part only, say --partial"
        raise SubmissionError(f"{submission}", wanted="a row for every planet", got=got, remedy=remedy)


def _doubled(ids: Sequence[int]) -> list[int]:
    return sorted(planet for planet, count in Counter(ids).items() if count > 1)


def training_labels_beside(truth: Path) -> Path | None:
    """Return the training labels of the competition folder whose ``truth/`` holds a file; None if it is no such file.

    Args:
        truth: table of true spectra, such as ``DATA/truth/test.csv``.
    """
    folder = truth.resolve().parent
    if folder.name != "truth":
        return None
    return next((path for name in LABELS if (path := folder.parent / name).is_file()), None)
