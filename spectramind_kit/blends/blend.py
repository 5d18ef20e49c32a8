"""``spectramind blend``: one submission from several, weighed by what each predicts of held-out planets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.blends.members import Member, read_member
from spectramind_kit.blends.verdict import Verdict, judge_equal, judge_learned
from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import Config
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.files import replacing
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import Spectrum
from spectramind_kit.training.folds import training_folds
from spectramind_kit.uncertainty.mixture import mixed
from spectramind_kit.work_folder.growing_submission import require_writable
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.planet_scores import keep_scores
from spectramind_kit.work_folder.run_record import RunRecord, recorded
from spectramind_kit.work_folder.submission import submission_table, wanted_rows, write_submission


@dataclass(frozen=True, eq=False)
class Blend:
    """A blend that was written.

    Attributes:
        path: of its submission.
        members: that it consists of.
        verdict: its weights, and what held-out planets say of them.
    """

    path: Path
    members: tuple[Member, ...]
    verdict: Verdict

    def facts(self) -> dict[str, object]:
        """Return what a reader of the record should know, by name."""
        found, names = self.verdict, [member.name for member in self.members]
        scores = found.scores or (None,) * len(names)
        differences = [(d.mean, d.error) for d in found.differences] or [(None, None)] * len(names)
        rows = [
            {"member": name, "score": score, "blend_minus_it": gain, "error": error, "weight": _by_channel(weight)}
            for name, score, (gain, error), weight in zip(names, scores, differences, found.weight)
        ]
        planets = 0 if found.held_out is None else len(found.held_out.planet_ids)
        blend = None if np.isnan(found.blend_score) else found.blend_score
        return {"members": rows, "blend_score": blend, "held_out_planets": planets, "verdict": found.words}


def blend(places: Sequence[Path], data: Path, work: Path, config: Config, *, equally: bool = False) -> Blend:
    """Write ``WORK/submission.csv`` from several runs, and what it predicts of held-out planets beside it.

    A blend that held-out planets do not show to be better than its best member is that member alone.

    Args:
        places: work folders, folders of runs, or, with equal weights, submission files.
        data: competition folder.
        work: a folder of its own, so that a blend can be a member of another.
        config: folds by which weights are cross-fitted (``training``, ``seed``).
        equally: equal weights, as for networks that differ by their seeds.

    Raises:
        SpectraMindError: if members do not belong together, have no held-out predictions to learn from, or are fewer
            than two, or if ``work`` is one of them.
    """
    data, work = Path(data), Path(work)
    folder = open_competition(data)
    _refuse_lonely(places)
    members = tuple(read_member(Path(place), folder) for place in places)
    _refuse_own(members, work)
    if not equally:
        _refuse_unjudged(members)
    require_writable(work)
    with recorded(work, "blend", config, data=data, equally=equally) as run:
        run.publish(WorkFolder(work).manifest)
        run.inputs(*(path for member in members for path in member.files))
        with run.stage("weights"):
            folds = {} if equally else _folds(folder, config)
            verdict = judge_equal(members) if equally else judge_learned(members, folds)
        blended = Blend(_write(members, verdict, folder, work, run), members, verdict)
        _keep(blended, folder, folds, run)
    return blended


def _write(members: Sequence[Member], verdict: Verdict, folder: CompetitionFolder, work: Path, run: RunRecord) -> Path:
    """Write submission and held-out predictions."""
    here, tests = WorkFolder(work), [member.test for member in members]
    stacked = np.stack([test.mean for test in tests]), np.stack([test.sigma for test in tests])
    mean, sigma = mixed(stacked, verdict.weight)
    spectra = _spectra(tests[0].planet_ids, mean, sigma, folder)
    path = write_submission(spectra, wanted_rows(folder)[0], here.submission)
    run.outputs(path)
    if verdict.held_out is not None:
        with replacing(here.predictions("train")) as temporary:
            known = _spectra_of(verdict.held_out, folder)
            submission_table(known, verdict.held_out.planet_ids.tolist()).write_csv(temporary)
        run.outputs(here.predictions("train"))
    return path


def _keep(blended: Blend, folder: CompetitionFolder, folds: dict[int, int], run: RunRecord) -> None:
    """Keep figures and the planets' own scores with the run."""
    run.facts(**blended.facts())
    held_out = blended.verdict.held_out
    if held_out is not None:
        run.metrics(held_out_score=held_out.score, planets=len(held_out.planet_ids))
        folds = folds or dict.fromkeys(held_out.planet_ids.tolist(), 0)
        keep_scores(run, _spectra_of(held_out, folder), folder.labels(), held_out.naive, folder.edition, folds)


def _spectra_of(predictions: Predictions, folder: CompetitionFolder) -> list[Spectrum]:
    return _spectra(predictions.planet_ids, predictions.mean, predictions.sigma, folder)


def _spectra(planets: np.ndarray, mean: np.ndarray, sigma: np.ndarray, folder: CompetitionFolder) -> list[Spectrum]:
    rows = zip(planets.tolist(), mean, sigma)
    return [Spectrum(planet, folder.wavelength, m, s, source="blend") for planet, m, s in rows]


def _folds(folder: CompetitionFolder, config: Config) -> dict[int, int]:
    planets = folder.labels()[0].tolist()
    return dict(zip(planets, training_folds(planets, config.training, config.seed).tolist()))


def _by_channel(weight: np.ndarray) -> dict[str, float]:
    return {name: round(float(w), 4) for name, w in zip(CHANNELS, weight)}


def _refuse_lonely(places: Sequence[Path]) -> None:
    if len({Path(place).resolve() for place in places}) < max(2, len(places)):
        raise SpectraMindError("members of a blend", wanted="two or more, each once", got=", ".join(map(str, places)))


def _refuse_own(members: Sequence[Member], work: Path) -> None:
    """Refuse to write over a member."""
    here = WorkFolder(work.resolve())
    written = {here.submission, here.predictions("train")}
    for member in members:
        if written & {path.resolve() for path in member.files}:
            wanted, remedy = "another than its members'", "give a new folder with --work"
            raise SpectraMindError("work folder of a blend", wanted=wanted, got=work, remedy=remedy)


def _refuse_unjudged(members: Sequence[Member]) -> None:
    for member in members:
        if member.held_out is None:
            raise SpectraMindError(
                f"weight of {member.name}",
                wanted="held-out predictions to learn it from, predictions/train.csv beside the submission",
                got="none",
                remedy="train it in a work folder, or blend with --weights equal",
            )
