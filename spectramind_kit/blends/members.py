"""What is blended: the submission of each run beside what it predicts of held-out training planets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.diagnostics.predictions import Predictions, collect_predictions
from spectramind_kit.errors import CompetitionDataError, SpectraMindError, SubmissionError
from spectramind_kit.files import sha256_of
from spectramind_kit.ledger.recorded_runs import find_run, made_by
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.model_record import read_model_record
from spectramind_kit.work_folder.run_record import MANIFEST
from spectramind_kit.work_folder.submission import read_submission, submission_arrays


@dataclass(frozen=True, eq=False)
class Member:
    """One of the predictions that are blended.

    Attributes:
        name: as it was given.
        files: that it was read from.
        test: what it submits.
        held_out: training planets as it predicts them without their labels; None where that is not known.
    """

    name: str
    files: tuple[Path, ...]
    test: Predictions
    held_out: Predictions | None = None


def read_member(place: Path, folder: CompetitionFolder) -> Member:
    """Read a work folder, a run's folder or a submission file.

    Args:
        place: of it; beside a work folder's submission.csv its held-out predictions are found, too.
        folder: of the competition.

    Raises:
        SpectraMindError: if it holds no submission, one of other planets, of another edition or wavelengths, or files
            that are no longer those of the run.
    """
    if (place / MANIFEST).is_file() and place.parent.name == "runs":
        return _of_run(place, folder)
    if place.is_dir():
        return _of_work(place, str(place), folder)
    if place.resolve() == WorkFolder(place.resolve().parent).submission and _held_out_path(place.parent).is_file():
        return _of_work(place.parent, str(place), folder)
    ids, mean, sigma = submission_arrays(read_submission(place))
    test = Predictions("test", ids, mean, sigma, None, folder.edition)
    return Member(str(place), (place,), _in_order(test, str(place), folder))


def shared_planets(members: Sequence[Member]) -> np.ndarray:
    """Return the training planets that all members hold out, ascending (n_planet,).

    Args:
        members: with held-out predictions.

    Raises:
        SpectraMindError: if there are none.
    """
    sets = [set(each.held_out.planet_ids.tolist()) for each in members if each.held_out is not None]
    shared = set.intersection(*sets) if sets else set()
    if not shared:
        sizes = ", ".join(f"{len(planets)} of {each.name}" for planets, each in zip(sets, members))
        remedy = "blend runs that were trained on the same competition folder"
        raise SpectraMindError(
            "held-out planets of a blend", wanted="some that all members share", got=f"none of {sizes}", remedy=remedy
        )
    return np.array(sorted(shared))


def _held_out_path(work: Path) -> Path:
    return WorkFolder(work).predictions("train")


def _of_run(place: Path, folder: CompetitionFolder) -> Member:
    """Read the work folder of a run, whose files must be those that the run left."""
    run = find_run([], str(place))
    here = WorkFolder(run.work)
    left = [path for path in (here.submission, _held_out_path(run.work)) if path.is_file()]
    if not any(run.left(path.resolve(), sha256_of(path)) for path in left):
        raise SpectraMindError(
            f"run {run.name}",
            wanted="a run whose submission or held-out predictions still lie in its work folder",
            got="none, or others that a later run wrote over them",
            remedy="`spectramind runs repeat` makes them again",
        )
    return _of_work(run.work, str(place), folder)


def _of_work(work: Path, name: str, folder: CompetitionFolder) -> Member:
    here = WorkFolder(work)
    if not here.submission.is_file():
        remedy = f"run `spectramind submit --work {work}` first"
        raise SubmissionError(f"{here.submission}", wanted="a submission to blend", got="no such file", remedy=remedy)
    _refuse_another_world(work, name, folder)
    _refuse_another_training(work, name)
    found = {each.split: each for each in collect_predictions(folder, work)}
    held_out, files = found.get("train"), (here.submission, _held_out_path(work))
    if held_out is not None and held_out.truth is None:
        remedy = "take the competition folder that it was trained on"
        raise CompetitionDataError(
            f"held-out planets of {name}", wanted="a label of each", got=f"some without in {folder.root}", remedy=remedy
        )
    return Member(name, tuple(filter(Path.is_file, files)), _in_order(found["test"], name, folder), held_out)


def _in_order(test: Predictions, name: str, folder: CompetitionFolder) -> Predictions:
    """Return a submission with the competition's planets in the sample's order."""
    wanted = folder.sample_submission()["planet_id"].to_list()
    ids = test.planet_ids.tolist()
    if sorted(ids) != sorted(wanted):
        missing, more = sorted(set(wanted) - set(ids)), sorted(set(ids) - set(wanted))
        got = f"{len(ids)}, lacking {missing[:3] or 'none'}, with {more[:3] or 'no'} others"
        remedy = "blend submissions for the same competition folder"
        raise SubmissionError(f"planets of {name}", wanted=f"the sample's {len(wanted)}", got=got, remedy=remedy)
    return test.of_planets(np.array(wanted))


def _refuse_another_world(work: Path, name: str, folder: CompetitionFolder) -> None:
    """Refuse what was trained for another edition or other wavelengths, as far as its model says."""
    record = read_model_record(WorkFolder(work).model) or {}
    if record.get("edition") not in (None, "", folder.edition):
        raise SpectraMindError(f"edition of {name}", wanted=folder.edition, got=record["edition"])
    grid = folder.wavelength
    ours, theirs = [len(grid), float(grid[0]), float(grid[-1])], record.get("wavelengths")
    if theirs is not None and not np.allclose(theirs, ours, rtol=1e-6):
        raise SpectraMindError(f"wavelengths of {name} (number, first, last [um])", wanted=ours, got=theirs)


def _refuse_another_training(work: Path, name: str) -> None:
    """Refuse a submission that was written before the training that left the held-out predictions beside it ended."""
    paths = WorkFolder(work).submission, _held_out_path(work)
    submission, training = (made_by(work, path, sha256_of(path)) if path.is_file() else None for path in paths)
    if submission is None or training is None or training.command != "train":
        return
    submitted, trained = (run.manifest.get("written", "") for run in (submission, training))
    if submitted < trained:
        raise SpectraMindError(
            f"submission of {name}",
            wanted="one by the model whose held-out predictions lie beside it",
            got=f"one of {submitted}, before the training of {trained}",
            remedy=f"run `spectramind submit --work {work}` again",
        )
