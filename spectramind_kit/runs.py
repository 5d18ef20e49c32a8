"""The verbs of the kit, one function each: what the command line and the notebooks call.

    calibrate -> train -> predict -> submit -> (diagnostics.report)

Every verb stores its products under the work folder and takes up what lies there already.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.folder import CompetitionFolder, open_competition, read_spectra
from spectramind_kit.config import Config
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.flags import flag_sentences
from spectramind_kit.metric import score
from spectramind_kit.prediction.measure import Measurement, PlanetTask
from spectramind_kit.prediction.predict import infer_planets, predict_planets
from spectramind_kit.prediction.trained_model import MARKER, Model, load_model, save_model
from spectramind_kit.products import Spectrum
from spectramind_kit.training.automatic_model import with_chosen_model
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.held_out import infer_held_out, learn_model, limb_darkening
from spectramind_kit.uncertainty.recalibration import no_recalibration
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.manifest import record_event, write_manifest
from spectramind_kit.work_folder.submission import (
    read_submission,
    submission_arrays,
    submission_table,
    write_submission,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubmissionSummary:
    """What ``submit`` wrote: the file, the spectra, and the time each planet took [s]."""

    path: Path
    spectra: tuple[Spectrum, ...]
    seconds_per_planet: float

    @property
    def fallbacks(self) -> dict[int, str]:
        """Planets that got the population's spectrum, and why."""
        return {s.planet_id: "; ".join(s.problems) for s in self.spectra if s.source == "population"}

    @property
    def remarks(self) -> dict[int, str]:
        """Planets that were fitted, but not without a remark: a lost visit, a quality flag."""
        remarks = {s.planet_id: remark_on(s) for s in self.spectra if s.source != "population"}
        return {planet: remark for planet, remark in remarks.items() if remark}

    def table(self) -> pl.DataFrame:
        """Return one row per planet: source, mean depth, median sigma, remark."""
        rows = [(s.planet_id, s.source, s.mean.mean(), np.median(s.sigma), remark_on(s)) for s in self.spectra]
        return pl.DataFrame(rows, schema=["planet_id", "source", "mean_depth", "median_sigma", "remark"], orient="row")


def remark_on(spectrum: Spectrum) -> str:
    """Return what a user should know of a spectrum, in one line: problems and flags; empty when all is well."""
    return "; ".join((*spectrum.problems, *flag_sentences(spectrum.flags)))


def calibrate(data: Path, work: Path, split: str, config: Config) -> dict[int, str]:
    """Store the light curves of every planet of a split; return the planets with problems, and which."""
    planets = _planets(open_competition(data), split)
    task = PlanetTask(Path(data), Path(work), split, config)
    started = time.monotonic()
    results = _for_each_planet(task.calibrate, planets, task, f"calibrate {split}")
    problems = {planet: "; ".join(m.problems) for planet, m in results.items() if m.problems}
    record_event(Path(work), "calibrate", split=split, planets=len(planets), problems=problems, seconds=_since(started))
    return problems


def train(data: Path, work: Path, config: Config) -> Model:
    """Learn from the training planets; store ``WORK/model`` and the held-out ``WORK/predictions/train.csv``.

    Everything is learned on planets that were predicted from the labels of the other folds.

    Raises:
        CompetitionDataError: without training labels.
    """
    data, work, started = Path(data), Path(work), time.monotonic()
    folder = open_competition(data)
    planet_ids, spectra = folder.labels()
    fold = assign_folds(planet_ids, min(config.training.folds, len(planet_ids)), config.seed)
    planets = _training_planets(folder, planet_ids, config)
    config = with_chosen_model(config, len(planets))
    measured = _measure(data, work, "train", planets, config)
    table, stars = no_recalibration().table(), limb_darkening(planet_ids, measured)
    labels = Model(planet_ids, spectra, fold, folder.wavelength, table, 0, float("nan"), *stars)
    held_out = infer_held_out(labels, measured)
    unlabelled = infer_planets(labels, _unlabelled(data, work, folder, config))
    model = learn_model(labels, held_out, PlanetTask(data, work, "train", config), folder.edition, unlabelled)
    save_model(model, WorkFolder(work).model)
    if held_out.inferred:
        _write_predictions(predict_planets(model, WorkFolder(work).model, held_out.inferred, config), work, "train")
    problems = {planet: "; ".join(m.problems) for planet, m in measured.items() if m.problems}
    record_event(
        work,
        "train",
        planets=len(measured),
        score=model.score,
        fit_score=model.fit_score,
        problems=problems,
        seconds=_since(started),
    )
    return model


def predict(data: Path, work: Path, split: str, config: Config, *, model: Path | None = None) -> Path:
    """Predict a split into ``WORK/predictions/<split>.csv``; training planets from the labels of the other folds."""
    data, work, started = Path(data), Path(work), time.monotonic()
    model = model or WorkFolder(work).model
    trained = _asked_for(load_model(model), config)
    planets = _planets(open_competition(data), split)
    inferred = infer_planets(trained, _measure(data, work, split, planets, _as_trained(config, trained)))
    path = _write_predictions(predict_planets(trained, model, inferred, config), work, split)
    record_event(work, "predict", split=split, planets=len(planets), seconds=_since(started))
    return path


def submit(data: Path, work: Path, config: Config, *, model: Path | None = None) -> SubmissionSummary:
    """Write and validate ``WORK/submission.csv`` and its ``manifest.json``.

    A model that was not trained yet is trained first. A planet that fails anywhere gets the population's spectrum.

    Args:
        data: competition folder; work: where everything is written.
        config: the configuration.
        model: folder of a trained model; ``WORK/model`` if not given.
    """
    data, work = Path(data), Path(work)
    folder = open_competition(data)
    model = model or WorkFolder(work).model
    if not (model / MARKER).is_file() and model == WorkFolder(work).model:
        logger.info("no model in %s: training one first", model)
        train(data, work, config)
    trained = _asked_for(load_model(model), config)
    sample, started = folder.sample_submission(), time.monotonic()
    planets = sample["planet_id"].to_list()
    inferred = infer_planets(trained, _measure(data, work, "test", planets, _as_trained(config, trained)))
    spectra = tuple(predict_planets(trained, model, inferred, config))
    path = write_submission(spectra, sample, WorkFolder(work).submission)
    seconds = _since(started)
    summary = SubmissionSummary(path, spectra, round(seconds / max(1, len(planets)), 3))
    write_manifest(
        WorkFolder(work).manifest,
        config,
        outputs=[path],
        inputs=[*(data / name for name in folder.tables()), model / "model.npz", *sorted(model.rglob("*.safetensors"))],
        planets=len(planets),
        fallbacks=summary.fallbacks,
        remarks=summary.remarks,
        seconds=seconds,
    )
    record_event(work, "submit", planets=len(planets), fallbacks=summary.fallbacks, seconds=seconds)
    return summary


def score_files(truth: Path, submission: Path, edition: str = "2025", naive: Path | None = None) -> float:
    """Score a submission file against a file of true spectra; rows are matched by planet.

    Args:
        truth: true spectra; submission: what to score.
        edition: "2025" or "2024".
        naive: spectra whose mean and spread are the naive answer, such as the training labels; the true ones if not
            given, which says little with a handful of planets and nothing with one.

    Raises:
        CompetitionDataError: if a planet of the submission has no truth.
    """
    true_ids, spectra = read_spectra(truth)
    ids, mean, sigma = submission_arrays(read_submission(submission))
    row = {planet: i for i, planet in enumerate(true_ids.tolist())}
    missing = [planet for planet in ids.tolist() if planet not in row]
    if missing:
        raise CompetitionDataError(f"{truth}", wanted="the truth of every planet", got=f"none of {missing[:5]}")
    known = read_spectra(naive)[1] if naive else None
    zero_point = None if known is None else (float(known.mean()), float(known.std()))
    return score(spectra[[row[planet] for planet in ids.tolist()]], mean, sigma, zero_point, edition)


def _measure(data: Path, work: Path, split: str, planets: Sequence[int], config: Config) -> dict[int, Measurement]:
    task = PlanetTask(data, work, split, config)
    return _for_each_planet(task.measure, planets, task, f"fit {split}")


def _unlabelled(data: Path, work: Path, folder: CompetitionFolder, config: Config) -> dict[int, Measurement]:
    """Measure the test planets, if their light curves are to be learned from."""
    wanted = config.model.kind == "v50" and config.training.pretraining_epochs and (folder.root / "test").is_dir()
    return _measure(data, work, "test", folder.planet_ids("test"), config) if wanted else {}


def _for_each_planet(
    work: Callable[[int], Measurement], planets: Sequence[int], task: PlanetTask, label: str
) -> dict[int, Measurement]:
    """Run one of a task's methods for every planet, where the configuration says."""
    config = task.config
    return map_planets(
        work,
        planets,
        workers=config.workers,
        lost=task.lost,
        label=label,
        executor=config.executor,
        scheduler=config.scheduler,
    )


def _asked_for(model: Model, config: Config) -> Model:
    """Return the model, without its networks if the fit alone is asked for."""
    return replace(model, kind="none") if config.model.kind == "none" else model


def _as_trained(config: Config, model: Model) -> Config:
    """Return the configuration with the kind of network that the model has, whatever it says itself."""
    return replace(config, model=replace(config.model, kind=model.kind))


def _write_predictions(spectra: Sequence[Spectrum], work: Path, split: str) -> Path:
    path = WorkFolder(work).predictions(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    submission_table(spectra, [s.planet_id for s in spectra]).write_csv(path)
    return path


def _planets(folder: CompetitionFolder, split: str) -> list[int]:
    planets = folder.planet_ids(split)
    if not planets:
        raise CompetitionDataError(f"split {split!r} of {folder.root}", wanted="at least one planet", got="none")
    return planets


def _training_planets(folder: CompetitionFolder, labelled: Sequence[int], config: Config) -> list[int]:
    """Return the training planets to fit: those with files and a label, as many as the configuration allows."""
    with_label = set(int(planet) for planet in labelled)
    there = [p for p in folder.planet_ids("train") if p in with_label] if (folder.root / "train").is_dir() else []
    return there[: config.training.max_planets or None]


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
