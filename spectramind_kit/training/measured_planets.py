"""Training planets as labels teach of them: fitted, and inferred with a population that has not seen their label."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.prediction.inference import Inference
from spectramind_kit.prediction.measure import PlanetTask
from spectramind_kit.prediction.planets import for_each_planet
from spectramind_kit.prediction.training_set import StoredTrainingSet, TrainingSet, store_training_set
from spectramind_kit.prediction.worker import FitSummary, FitTask, PosteriorTask
from spectramind_kit.training.folds import training_folds
from spectramind_kit.training.held_out import HeldOut, held_out_planets
from spectramind_kit.training.nuisance_priors import learn_nuisance_priors, teaching_planets
from spectramind_kit.work_folder.run_record import RunRecord


@dataclass(frozen=True, eq=False)
class MeasuredPlanets:
    """What the files of training planets and their labels give.

    Attributes:
        fits: by planet; some have failed.
        training_set: labels, folds, priors of star and instrument.
        known: the same as a file, for workers.
        held_out: planets with a posterior.
    """

    fits: dict[int, FitSummary]
    training_set: TrainingSet
    known: StoredTrainingSet
    held_out: HeldOut

    @property
    def fitted(self) -> list[int]:
        """Planets that could be fitted."""
        return [planet for planet, fit in self.fits.items() if fit.measured]

    @property
    def problems(self) -> dict[int, str]:
        """What failed, in words, by planet."""
        return {planet: "; ".join(fit.problems) for planet, fit in self.fits.items() if fit.problems}


def labelled_planets(folder: CompetitionFolder, labelled: Sequence[int], config: Config) -> list[int]:
    """Return the training planets to fit: those with files and a label, as many as the configuration allows.

    Args:
        folder: of the competition.
        labelled: planets with a label.
        config: how many at most.
    """
    with_label = set(labelled)
    there = [p for p in folder.planet_ids("train") if p in with_label] if (folder.root / "train").is_dir() else []
    return there[: config.training.max_planets or None]


def measure_training_planets(
    folder: CompetitionFolder, labels: tuple[np.ndarray, np.ndarray], task: PlanetTask, store: Path, run: RunRecord
) -> MeasuredPlanets:
    """Fit the training planets, learn the priors of star and instrument, and infer each planet with the other folds'.

    Args:
        folder: of the competition.
        labels: planets (n_planet,) and their spectra (n_planet, n_wavelength) [(Rp/Rs)^2].
        task: where the products lie, and the configuration.
        store: folder for the training set.
        run: whose stages are recorded.
    """
    (planet_ids, spectra), config = labels, task.config
    fold = training_folds(planet_ids.tolist(), config.training, config.seed)
    planets = labelled_planets(folder, planet_ids.tolist(), config)
    # Fits come first and posteriors second, because the prior is learned from what the fits show.
    fitting = FitTask(task, teaching_planets(planets))
    with run.stage("fits"):
        fits = for_each_planet(fitting, planets, config, fitting.lost, "fit train", stored=task.is_stored)
    visits = {planet: fit.visits for planet, fit in fits.items() if fit.visits}
    with run.stage("priors of star and instrument"):
        nuisance = learn_nuisance_priors(visits, dict(zip(planet_ids.tolist(), fold.tolist())), config.workers)
    training_set = TrainingSet(planet_ids, spectra, fold, folder.wavelength, nuisance)
    known = store_training_set(training_set, store)
    with run.stage("posteriors"):
        inferred = infer_planets(task, [planet for planet in planets if fits[planet].measured], known)
    return MeasuredPlanets(fits, training_set, known, held_out_planets(training_set, inferred))


def infer_planets(task: PlanetTask, planets: Sequence[int], known: StoredTrainingSet) -> list[Inference]:
    """Measure planets and combine each with the prior, in the workers.

    Args:
        task: where the planets and their products lie.
        planets: of the task's split.
        known: the training set that the prior is learned from.
    """
    inferring, label = PosteriorTask(task, known), f"predict {task.split}"
    found = for_each_planet(inferring, planets, task.config, inferring.lost, label, stored=task.is_stored)
    return list(found.values())
