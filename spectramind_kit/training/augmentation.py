"""Training planets that the competition did not give: simulated ones, and other spectra in the real ones' noise.

Both are light curves with a known spectrum. They are fitted, and their features are made, like any other planet's; they
are stored under the work folder, because a fit takes a second.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.config import Config
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.features.visit import visit_features
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.prediction.inference import Inference, infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask, VisitProducts, describe, light_curve_settings
from spectramind_kit.prediction.population import Population
from spectramind_kit.prediction.spectrum import network_features
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import StoredTrainingSet, store_training_set
from spectramind_kit.prediction.worker import one_thread
from spectramind_kit.products import LightCurves, Planet
from spectramind_kit.simulation.light_curves import simulate_training_planets
from spectramind_kit.training.examples import Examples, load_examples, save_examples
from spectramind_kit.training.injection import injected_curves, sampled_spectrum
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.provenance import code_hash, config_hash
from spectramind_kit.work_folder.store import UNREADABLE

logger = logging.getLogger(__name__)

NO_FOLD = -1
_SEED_OF_SIMULATED, _SEED_OF_INJECTED = 1, 2
"""Apart, so that the two draw different random numbers."""

LabelledInference = tuple[Inference, np.ndarray]
"""An inference, and its true spectrum (n_wavelength,)."""


@dataclass(frozen=True)
class SimulatedPlanets:
    """Planets of the simulator, by number.

    Attributes:
        config: of simulation, photometry and fit.
        known: the training set whose population is the prior.
    """

    config: Config
    known: StoredTrainingSet

    def __call__(self, number: int) -> list[LabelledInference]:
        """Simulate a planet and infer it."""
        seed = self.config.seed + _SEED_OF_SIMULATED
        planet, visits, spectrum = next(simulate_training_planets(1, self.config, seed, number))
        return [(_inferred(planet, visits, self.config, self.known.population()), spectrum)]


@dataclass(frozen=True, eq=False)
class InjectedPlanets:
    """Other spectra in the light curves of training planets, by place; all of one planet's, which is read once.

    Attributes:
        task: where the training planets' light curves and fits are stored.
        planet_ids: the training planets.
        spectra: (n_planet, n_wavelength) theirs [(Rp/Rs)^2].
        population: (n, n_wavelength) all training spectra [(Rp/Rs)^2].
        known: the training set whose populations are the priors.
    """

    task: PlanetTask
    planet_ids: tuple[int, ...]
    spectra: np.ndarray
    population: np.ndarray
    known: StoredTrainingSet

    def __call__(self, place: int) -> list[LabelledInference]:
        """Put other spectra into every visit of a planet and infer each without what the planet's fold knows."""
        planet_id = self.planet_ids[place]
        visits = self.task.fitted_visits(planet_id)
        prior = self.known.population_without(planet_id)
        return [self._injected(visits, spectrum, prior) for spectrum in self._sampled(place)] if visits else []

    def _sampled(self, place: int) -> Iterator[np.ndarray]:
        """Sample the spectra of a planet, (n_wavelength,) each."""
        config = self.task.config
        for number in range(place * config.training.injections, (place + 1) * config.training.injections):
            rng = np.random.default_rng([config.seed + _SEED_OF_INJECTED, number])
            yield sampled_spectrum(self.spectra[place], self.population, rng)

    def _injected(
        self, visits: Sequence[VisitProducts], spectrum: np.ndarray, population: Population
    ) -> LabelledInference:
        config, planet = self.task.config.fit, visits[0].observation.planet
        curves = [injected_curves(each.light_curves, each.fit, planet, spectrum, config) for each in visits]
        return _inferred(planet, curves, self.task.config, population), spectrum


def simulated_examples(labels: TrainedModel, work: Path, config: Config) -> Examples:
    """Return ``training.simulated_planets`` simulated planets, which belong to no fold.

    Args:
        labels: whose population is the prior, as it is for the planets to be predicted.
        work: folder that they are stored under.
        config: of simulation, photometry and fit.
    """
    numbers, folder = range(config.training.simulated_planets), WorkFolder(work).training
    known = store_training_set(labels.training_set, folder)
    parts = (config.simulation, config.photometry, config.fit, config.seed, len(numbers), *_prior_facts(labels))
    return _cached(
        folder / f"simulated-{config_hash(*parts, examples_code())}.npz",
        lambda: _examples(SimulatedPlanets(config, known), numbers, config, labels, "simulate", lambda number: None),
    )


def injected_examples(labels: TrainedModel, task: PlanetTask, planet_ids: Sequence[int], truth: np.ndarray) -> Examples:
    """Return ``training.injections`` planets for each training planet, in the fold of the one whose noise they have.

    Args:
        labels: whose populations are the priors.
        task: the training planets' products.
        planet_ids: planets that were fitted.
        truth: (n_planet, n_wavelength) their spectra [(Rp/Rs)^2].
    """
    config, ids = task.config, tuple(int(planet) for planet in planet_ids)
    n, training_set, folder = config.training.injections, labels.training_set, WorkFolder(task.work).training
    known = store_training_set(training_set, folder)
    parts = (*light_curve_settings(config), config.fit, config.seed, n, ids, *_prior_facts(labels))
    return _cached(
        folder / f"injected-{config_hash(*parts, examples_code())}.npz",
        lambda: _examples(
            InjectedPlanets(task, ids, truth, training_set.spectra, known),
            range(len(ids)),
            config,
            labels,
            "inject",
            lambda place: training_set.fold_of(ids[place]),
        ),
    )


def examples_code() -> str:
    """Return the hash of the source that makes examples: after an edit they are made again."""
    return code_hash("spectramind_kit.training.augmentation")


def _prior_facts(labels: TrainedModel) -> tuple[str, list]:
    """Return what of a model the predictions to be corrected depend on: prior of spectra and stars, recalibration."""
    scales = [each.recalibration for each in (labels.calibration, *labels.fold_calibrations)]
    numbers = [[each.coefficients.tolist(), each.centre.tolist(), each.limits.tolist()] for each in scales]
    return labels.training_set.content_hash(), numbers


def _inferred(planet: Planet, visits: Sequence[LightCurves], config: Config, population: Population) -> Inference:
    """Fit light curves, make their features, and combine them with the prior; a failure becomes words."""
    try:
        fits = [fit_transit(curves, planet, config.fit) for curves in visits]
        features = tuple(visit_features(curves, fit, planet) for curves, fit in zip(visits, fits))
        measurement = Measurement(planet.planet_id, join_visits(fits), (), planet, features)
    except Exception as error:
        logger.debug("planet %d cannot be measured", planet.planet_id, exc_info=True)
        measurement = Measurement(planet.planet_id, None, (describe(error),))
    with one_thread():
        return infer(measurement, population)


def _examples(
    make: Callable[[int], list[LabelledInference]],
    numbers: Sequence[int],
    config: Config,
    labels: TrainedModel,
    label: str,
    fold_of: Callable[[int], int | None],
) -> Examples:
    """Make planets in parallel and predict each with the calibration of the folds that may know it.

    Args:
        make: infers the planets of a number, and returns their true spectra.
        numbers: of the tasks.
        config: of the workers and of the uncertainties.
        labels: whose calibrations are applied.
        label: of the progress.
        fold_of: fold of the planets of a number; None for none.
    """
    made = map_planets(
        make,
        numbers,
        workers=config.workers,
        lost=lambda number, reason: [],
        label=label,
        executor=config.executor,
        scheduler=config.scheduler,
    )
    features, truth, fold = [], [], []
    for number, inferred in made.items():
        own = fold_of(number)
        calibration = labels.calibration if own is None else labels.fold_calibrations[own]
        for inference, spectrum in inferred:
            known = network_features(inference, calibration.recalibration, labels.wavelength, config.uncertainty)
            if known is not None:
                features.append(known)
                truth.append(spectrum)
                fold.append(NO_FOLD if own is None else own)
    shape = (len(features), len(labels.wavelength))
    return Examples(tuple(features), np.array(truth).reshape(shape), np.array(fold, dtype=np.int64), labels.wavelength)


def _cached(path: Path, make: Callable[[], Examples]) -> Examples:
    """Return examples that are stored, or make and store them; those of other settings are removed."""
    if path.is_file():
        try:
            return load_examples(path)
        except UNREADABLE:
            logger.warning("%s is damaged and is made anew", path)
    examples = make()
    for old in path.parent.glob(f"{path.name.split('-')[0]}-*.npz"):
        old.unlink()
    if len(examples):
        save_examples(path, examples)
    return examples
