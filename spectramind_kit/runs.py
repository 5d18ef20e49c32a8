"""The commands of the kit, one function each: what the command line and the notebooks call.

    simulate -> calibrate -> train -> predict -> submit -> (diagnostics.report)

Every command stores its products under the work folder and reuses what lies there already; how it went lies in
``WORK/runs/`` (``work_folder/run_record.py``).
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial as with_arguments
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import Config
from spectramind_kit.environment import available_cores
from spectramind_kit.errors import REFUSALS, CompetitionDataError, SpectraMindError, attempted
from spectramind_kit.execution.processes import Progress
from spectramind_kit.execution.time_budget import TimeBudget
from spectramind_kit.prediction.held_out_coverage import coverage_record, held_out_errors
from spectramind_kit.prediction.inference import Inference
from spectramind_kit.prediction.measure import PlanetTask, measured_with
from spectramind_kit.prediction.planets import as_trained, asked_for, for_each_planet, spectra_of
from spectramind_kit.prediction.predict import predict_planets
from spectramind_kit.prediction.score_files import score_files as score_files
from spectramind_kit.prediction.score_files import score_one_depth as score_one_depth
from spectramind_kit.prediction.stand_ins import labels_model, population_spectra, usable_model
from spectramind_kit.prediction.submission_summary import SubmissionSummary
from spectramind_kit.prediction.trained_model import TrainedModel, holds_model, load_model, save_model
from spectramind_kit.prediction.training_readout import keep_readout, readout_losses
from spectramind_kit.prediction.training_set import StoredTrainingSet, store_training_set
from spectramind_kit.products import LightCurves, Planet, Spectrum, TransitFit
from spectramind_kit.settings.model import corrects_the_fit
from spectramind_kit.training.automatic_model import with_chosen_model
from spectramind_kit.training.damaged_planets import DamageTask, planets_to_damage
from spectramind_kit.training.feasibility import refuse_impossible
from spectramind_kit.training.folds import training_folds
from spectramind_kit.training.held_out import learn_model
from spectramind_kit.training.measured_planets import infer_planets, labelled_planets, measure_training_planets
from spectramind_kit.training.model_of_work_folder import model_code, reason_to_train
from spectramind_kit.training.start_training import learn_start
from spectramind_kit.training.start_weights import generation_of_start
from spectramind_kit.work_folder.growing_submission import GrowingSubmission, require_writable
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.learning_curves import read_learning_curves
from spectramind_kit.work_folder.lock import only_one
from spectramind_kit.work_folder.model_record import is_model
from spectramind_kit.work_folder.planet_scores import keep_scores
from spectramind_kit.work_folder.run_record import CURVES, RunRecord, recorded
from spectramind_kit.work_folder.submission import submission_table, wanted_rows

logger = logging.getLogger(__name__)


def simulate(
    out: Path, n_train: int, n_test: int, config: Config, *, edition: str = "2025", seed: int | None = None
) -> None:
    """Write a simulated competition folder, and how it was made into its ``runs/``.

    Args:
        out: the folder; a previous simulation there is replaced.
        n_train: training planets.
        n_test: test planets; their truth goes to ``truth/test.csv``.
        config: the configuration.
        edition: "2025" or "2024".
        seed: rules every random draw; the configuration's if not given.

    Raises:
        SpectraMindError: if ``out`` holds something that is not a simulation, or cannot be written to.
    """
    from spectramind_kit.simulation.competition_writer import refuse_foreign

    if config.simulation.physics == "random_world":
        from spectramind_kit.random_world.world_folder import simulate_world as simulated
    else:
        from spectramind_kit.simulation.simulated_folder import simulate_folder as simulated

    out = Path(out)
    refuse_foreign(out)
    require_writable(out, option="--out")
    facts = {"train": n_train, "test": n_test, "edition": edition, "seed": seed}
    with recorded(out, "simulate", config, **facts) as run, Progress("simulate", n_train + n_test) as progress:
        simulated(
            out,
            n_train,
            n_test,
            config.simulation,
            seed=config.seed if seed is None else seed,
            edition=edition,
            workers=config.workers or available_cores(),
            progress=lambda planet: progress.step(),
        )
        run.outputs(*(path for path in sorted(out.iterdir()) if path != WorkFolder(out).runs))
        run.facts(planets=n_train + n_test)


def calibrate(data: Path, work: Path, split: str, config: Config) -> dict[int, str]:
    """Store the light curves of every planet of a split; return the planets with problems, and which."""
    data, work = Path(data), Path(work)
    folder = _opened(data, work)
    planets = _planets(folder, split)
    with recorded(work, "calibrate", config, data=data, split=split) as run:
        run.inputs(*_tables(folder), data / split)
        task = PlanetTask(data, work, split, config)
        results = for_each_planet(task.calibrate, planets, config, task.lost, f"calibrate {split}")
        problems = {planet: "; ".join(m.problems) for planet, m in results.items() if m.problems}
        run.outputs(WorkFolder(work).root / "light_curves" / split)
        run.facts(split=split, planets=len(planets), problems=problems)
    return problems


def train(data: Path, work: Path, config: Config) -> TrainedModel:
    """Learn from the training planets; store ``WORK/model`` and the held-out ``WORK/predictions/train.csv``.

    Every training planet is predicted with what the labels of the other folds teach, sigmas and blending included.

    Args:
        data: competition folder.
        work: where everything is written.
        config: the configuration.

    Raises:
        CompetitionDataError: without training labels.
        SpectraMindError: if another process trains in this work folder, or it cannot be written to.
    """
    data, work = Path(data), Path(work)
    folder = _opened(data, work)
    labels = folder.labels()
    refuse_impossible(config)
    training_folds(labels[0].tolist(), config.training, config.seed)  # says what is wrong with a file of folds
    with only_one(WorkFolder(work).training_lock, "training"), recorded(work, "train", config, data=data) as run:
        run.inputs(*_tables(folder), data / "train", *map(Path, filter(None, [config.training.folds_file])))
        return _train(folder, labels, work, config, run)


def _train(
    folder: CompetitionFolder, labels: tuple[np.ndarray, np.ndarray], work: Path, config: Config, run: RunRecord
) -> TrainedModel:
    planet_ids = labels[0].tolist()
    config = with_chosen_model(config, len(labelled_planets(folder, planet_ids, config)))
    task, here = PlanetTask(folder.root, work, "train", config), WorkFolder(work)
    start = generation_of_start(config, folder, run)
    measured = measure_training_planets(folder, labels, task, here.training, run)
    with run.stage("planets without labels"):
        unlabelled = _unlabelled(folder, work, measured.known, config)
    keep_readout(folder, here.model)
    facts = {"edition": folder.edition, "settings": measured_with(config), "code": model_code()}
    keep = with_arguments(save_model, folder=here.model, start_from=start, **facts)
    with run.stage("damaged planets"):
        damaging = DamageTask(task, measured.known, planets_to_damage(measured.fitted))
        damaged = for_each_planet(damaging, damaging.planets, config, lambda *_: (), "damage train")
        taught = [one for planet in damaged.values() for one in planet]
    with run.stage("networks and calibrations"):
        found = learn_model(measured.training_set, measured.held_out, task, folder.edition, unlabelled, keep, taught)
    model, predicted = found
    errors = held_out_errors(predicted, labels)
    keep(model, held_out=coverage_record(errors) if len(errors) else None)
    run.outputs(here.model)
    if corrects_the_fit(model.kind):
        run.keep(CURVES, lambda path: read_learning_curves(here.logs).write_csv(path))
    if predicted:
        run.outputs(_write_predictions(predicted, work, "train"))
    known = measured.training_set
    keep_scores(run, predicted, labels, known.labels().naive, folder.edition, known.folds())
    run.facts(planets=len(measured.fits), kind=model.kind, score=model.score, fit_score=model.fit_score)
    run.facts(problems=measured.problems)
    run.metrics(held_out_score=model.score, held_out_score_of_the_fit=model.fit_score, planets=model.n_measured)
    return model


def pretrain(
    data: Sequence[Path], work: Path, config: Config, *, out: Path | None = None
) -> tuple[Path, dict[str, object]]:
    """Train a network on the planets of some folders, such as simulated worlds; trainings can start from its weights.

    Every folder is measured as a competition of its own: with its own population, and each planet with what the other
    folds teach. The network learns from all of them together.

    Args:
        data: competition folders with training planets.
        work: where everything is written.
        config: the configuration.
        out: folder for the weights; ``WORK/start`` if not given.

    Returns:
        The folder, which ``training.start_from`` takes, and its record.

    Raises:
        CompetitionDataError: if a folder has no labels, or two differ in edition or wavelengths.
        ConfigurationError: if there is no network to train.
    """
    work, folders = Path(work), [_opened(Path(each), Path(work)) for each in data]
    labels = [folder.labels() for folder in folders]
    refuse_impossible(config)
    out = out or WorkFolder(work).start
    require_writable(out, option="--out")
    with only_one(WorkFolder(work).training_lock, "training"), recorded(work, "pretrain", config, out=out) as run:
        for folder in folders:
            run.inputs(*_tables(folder), folder.root / "train")
        record = learn_start(folders, labels, work, out, config, run)
        run.outputs(out)
        run.facts(**record)
    return out, record


def fit(
    planet: int,
    data: Path,
    work: Path,
    split: str,
    config: Config,
    *,
    look: Callable[[LightCurves, Planet], object] | None = None,
    draw: Callable[[TransitFit, int], Path] | None = None,
) -> list[TransitFit]:
    """Fit every visit of one planet; return the fits.

    Args:
        planet: to fit.
        data: competition folder.
        work: where products are stored.
        split: of the planet, "train" or "test".
        config: the configuration.
        look: is given light curves and planet of each visit after its fit, such as to sample them.
        draw: writes a picture of a fit, the first one's being 0, and returns its path.

    Raises:
        CompetitionDataError: if the split has no such planet.
    """
    data, work = Path(data), Path(work)
    observations = _opened(data, work).observations(split, planet)
    with recorded(work, "fit", config, data=data, split=split, planet=planet) as run:
        run.inputs(data / split / str(planet))
        task, fits = PlanetTask(data, work, split, config), []
        for place, observation in enumerate(observations):
            visit = task.visit(observation)
            fits.append(visit.fit)
            if look is not None:
                look(visit.light_curves, observation.planet)
            run.outputs(WorkFolder(work).fit(split, planet, observation.visit))
            if draw is not None:
                run.outputs(draw(fits[-1], place))
        run.facts(split=split, planet=planet)
    return fits


def predict(data: Path, work: Path, split: str, config: Config, *, model: Path | None = None) -> Path:
    """Predict a split into ``WORK/predictions/<split>.csv``; training planets from the labels of the other folds."""
    data, work = Path(data), Path(work)
    place = model or WorkFolder(work).model
    trained = asked_for(load_model(place), config)
    folder = _opened(data, work)
    planets = _planets(folder, split)
    with recorded(work, "predict", config, data=data, split=split, model=place) as run:
        run.inputs(*_tables(folder), data / split, place)
        known = store_training_set(trained.training_set, WorkFolder(work).training)
        with run.stage("posteriors"):
            task = PlanetTask(data, work, split, as_trained(config, trained), place)
            inferred = infer_planets(task, planets, known)
        spectra = predict_planets(trained, place, inferred, config)
        path = _write_predictions(spectra, work, split)
        run.outputs(path)
        run.facts(split=split, planets=len(planets))
        truth = folder.labels() if split == "train" else folder.test_truth()
        keep_scores(run, spectra, truth, trained.training_set.labels().naive, folder.edition)
    return path


def submit(data: Path, work: Path, config: Config, *, model: Path | None = None) -> SubmissionSummary:
    """Write and validate ``WORK/submission.csv`` and its ``manifest.json``.

    The file is complete and valid from the first minute on, with the population's spectrum for every planet, and is
    written anew as planets finish. A model that was not trained yet is trained first; one that cannot be used is stood
    in for by the labels. A planet that fails anywhere falls a rung, and says why.

    Args:
        data: competition folder.
        work: where everything is written.
        config: the configuration.
        model: folder of a trained model; ``WORK/model`` if not given.

    Raises:
        CompetitionDataError: if the data are no competition folder, or a model is named that is not there.
        SpectraMindError: if the work folder cannot be written to.
    """
    data, work, time_budget = Path(data), Path(work), TimeBudget(config.budget_hours)
    folder = _opened(data, work)
    place = model or WorkFolder(work).model
    if model is not None and not holds_model(model):
        load_model(model)  # says what is missing
    with recorded(work, "submit", config, data=data, model=place) as run:
        run.publish(WorkFolder(work).manifest)
        return _submit(folder, place, work, config, time_budget, run, train_first=model is None)


def _submit(
    folder: CompetitionFolder,
    place: Path,
    work: Path,
    config: Config,
    time_budget: TimeBudget,
    run: RunRecord,
    *,
    train_first: bool,
) -> SubmissionSummary:
    sample, problems = wanted_rows(folder)
    planets, first = sample["planet_id"].to_list(), labels_model(folder, config.uncertainty).model
    nothing_yet = population_spectra(planets, first, config.uncertainty, "not measured yet")
    last: list[Spectrum] = []
    growing = GrowingSubmission(nothing_yet, sample, WorkFolder(work).submission)
    try:
        if train_first and (reason := reason_to_train(folder, place, config)):
            logger.info("%s: training one first", reason)
            # Where a model was there, the labels stand in for it, whatever training refuses.
            raised = () if is_model(place) else REFUSALS
            problems += attempted(lambda: train(folder.root, work, config), "no model was trained", raised)
        started = time.monotonic()
        run.inputs(*_tables(folder), folder.root / "test", place)
        usable = usable_model(place, folder, config.uncertainty, measured_with(config))
        losses = (*problems, *usable.losses, *readout_losses(folder, place))
        with run.stage("planets"):
            measure = with_arguments(spectra_of, planets, usable, place, folder.root, work, config, growing)
            losses += attempted(
                lambda: last.extend(measure(time_budget)), "planets have what they had when the run failed"
            )
        path, spectra = growing.finish(last), growing.spectra
    finally:
        growing.close()
    seconds = round(time.monotonic() - started, 3)
    per_planet = round(seconds / max(1, len(planets)), 3)
    summary = SubmissionSummary(path, spectra, per_planet, losses)
    run.outputs(path)
    run.facts(
        planets=len(spectra),
        losses=summary.losses,
        rungs=summary.rungs,
        fallbacks=summary.fallbacks,
        remarks=summary.remarks,
    )
    run.metrics(planets=len(spectra), fallbacks=len(summary.fallbacks))
    naive = usable.model.training_set.labels().naive if usable.model else None
    keep_scores(run, spectra, folder.test_truth(), naive, folder.edition)
    return summary


def _opened(data: Path, work: Path) -> CompetitionFolder:
    """Open the competition, and refuse a work folder that nothing should or can be written to."""
    folder = open_competition(data)
    if data.resolve() == work.resolve():
        remedy = "give a folder of your own with --work"
        raise SpectraMindError(f"work folder {work}", wanted="another than --data", got="the same", remedy=remedy)
    require_writable(work)
    return folder


def _tables(folder: CompetitionFolder) -> list[Path]:
    """Return the paths of the competition's tables, there or not."""
    return [folder.root / name for name in folder.tables()]


def _unlabelled(folder: CompetitionFolder, work: Path, known: StoredTrainingSet, config: Config) -> list[Inference]:
    """Infer the test planets, if their light curves are to be learned from."""
    wanted = corrects_the_fit(config.model.kind) and config.training.pretraining_epochs
    if not wanted or not (folder.root / "test").is_dir():
        return []
    return infer_planets(PlanetTask(folder.root, work, "test", config), folder.planet_ids("test"), known)


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
