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
from spectramind_kit.errors import CompetitionDataError, SpectraMindError, describe
from spectramind_kit.execution.processes import Progress
from spectramind_kit.execution.time_budget import TimeBudget
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
from spectramind_kit.prediction.training_set import StoredTrainingSet, TrainingSet, store_training_set
from spectramind_kit.prediction.worker import FitTask, PosteriorTask
from spectramind_kit.products import LightCurves, Planet, Spectrum, TransitFit
from spectramind_kit.settings.model import corrects_the_fit
from spectramind_kit.training.automatic_model import with_chosen_model
from spectramind_kit.training.damaged_planets import DamageTask, planets_to_damage
from spectramind_kit.training.feasibility import refuse_impossible
from spectramind_kit.training.folds import training_folds
from spectramind_kit.training.held_out import held_out_planets, learn_model
from spectramind_kit.training.nuisance_priors import learn_nuisance_priors, teaching_planets
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
    planet_ids, spectra = labels
    fold = training_folds(planet_ids.tolist(), config.training, config.seed)
    planets = _training_planets(folder, planet_ids.tolist(), config)
    config = with_chosen_model(config, len(planets))
    task, here = PlanetTask(folder.root, work, "train", config), WorkFolder(work)
    # Fits come first and posteriors second, because the prior is learned from what the fits show.
    fitting = FitTask(task, teaching_planets(planets))
    with run.stage("fits"):
        fits = for_each_planet(fitting, planets, config, fitting.lost, "fit train", stored=task.is_stored)
    visits = {planet: fit.visits for planet, fit in fits.items() if fit.visits}
    with run.stage("priors of star and instrument"):
        nuisance = learn_nuisance_priors(visits, dict(zip(planet_ids.tolist(), fold.tolist())), config.workers)
    training_set = TrainingSet(planet_ids, spectra, fold, folder.wavelength, nuisance)
    known = store_training_set(training_set, here.training)
    fitted = [planet for planet in planets if fits[planet].measured]
    with run.stage("posteriors"):
        held_out = held_out_planets(training_set, _infer(folder.root, work, "train", fitted, known, config))
        unlabelled = _unlabelled(folder.root, work, folder, known, config)
    keep_readout(folder, here.model)
    keep = with_arguments(save_model, folder=here.model, edition=folder.edition, settings=measured_with(config))
    with run.stage("damaged planets"):
        damaging = DamageTask(task, known, planets_to_damage(fitted))
        damaged = for_each_planet(damaging, damaging.planets, config, lambda *_: (), "damage train")
        taught = [one for planet in damaged.values() for one in planet]
    with run.stage("networks and calibrations"):
        model, predicted = learn_model(training_set, held_out, task, folder.edition, unlabelled, keep, taught)
    keep(model)
    run.outputs(here.model)
    if corrects_the_fit(model.kind):
        run.keep(CURVES, lambda path: read_learning_curves(here.logs).write_csv(path))
    if predicted:
        run.outputs(_write_predictions(predicted, work, "train"))
    keep_scores(run, predicted, labels, training_set.labels().naive, folder.edition, training_set.folds())
    problems = {planet: "; ".join(fit.problems) for planet, fit in fits.items() if fit.problems}
    run.facts(planets=len(fits), kind=model.kind, score=model.score, fit_score=model.fit_score, problems=problems)
    run.metrics(held_out_score=model.score, held_out_score_of_the_fit=model.fit_score, planets=model.n_measured)
    return model


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
            inferred = _infer(data, work, split, planets, known, as_trained(config, trained), place)
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
        if train_first and not is_model(place):
            logger.info("no model in %s: training one first", place)
            problems += _attempted(lambda: train(folder.root, work, config), "no model was trained")
        started = time.monotonic()
        run.inputs(*_tables(folder), folder.root / "test", place)
        usable = usable_model(place, folder, config.uncertainty, measured_with(config))
        losses = (*problems, *usable.losses, *readout_losses(folder, place))
        with run.stage("planets"):
            measure = with_arguments(spectra_of, planets, usable, place, folder.root, work, config, growing)
            losses += _attempted(
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


def _attempted(work: Callable[[], object], otherwise: str) -> tuple[str, ...]:
    """Do what the submission can do without, and return in words how it failed; nothing if it did not.

    An error would end a notebook, and with it a submission whose file is there. What is refused in words, and
    a package that is missing, remain errors.

    Args:
        work: to do.
        otherwise: what a failure means.
    """
    try:
        work()
    except (SpectraMindError, ImportError):
        raise
    except Exception as error:
        logger.exception(otherwise)
        return (f"{otherwise}: {describe(error)}",)
    return ()


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


def _infer(
    data: Path,
    work: Path,
    split: str,
    planets: Sequence[int],
    known: StoredTrainingSet,
    config: Config,
    model: Path | None = None,
) -> list[Inference]:
    """Measure planets and combine each with the prior, in the workers."""
    task = PlanetTask(data, work, split, config, model)
    inferring, label = PosteriorTask(task, known), f"predict {split}"
    return list(for_each_planet(inferring, planets, config, inferring.lost, label, stored=task.is_stored).values())


def _unlabelled(
    data: Path, work: Path, folder: CompetitionFolder, known: StoredTrainingSet, config: Config
) -> list[Inference]:
    """Infer the test planets, if their light curves are to be learned from."""
    if not (corrects_the_fit(config.model.kind) and config.training.pretraining_epochs):
        return []
    is_there = (folder.root / "test").is_dir()
    return _infer(data, work, "test", folder.planet_ids("test"), known, config) if is_there else []


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
    with_label = set(labelled)
    there = [p for p in folder.planet_ids("train") if p in with_label] if (folder.root / "train").is_dir() else []
    return there[: config.training.max_planets or None]
