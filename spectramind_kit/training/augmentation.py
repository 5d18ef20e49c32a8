"""Training planets that the competition did not give: simulated ones, and other spectra in the real ones' noise.

Both are light curves with a known spectrum. They are fitted, and their features are made, like any other planet's; they
are stored under the work folder, because a fit takes a second.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.config import Config
from spectramind_kit.execution.processes import map_planets
from spectramind_kit.features.visit import visit_features
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.prediction.answer import features_of, infer
from spectramind_kit.prediction.measure import Measurement, PlanetTask, describe, light_curve_settings
from spectramind_kit.prediction.trained_model import Model
from spectramind_kit.products import LightCurves, Planet
from spectramind_kit.simulation.light_curves import simulate_training_planets
from spectramind_kit.training.examples import Examples, load_examples, save_examples
from spectramind_kit.training.injection import injected_curves, sampled_spectrum
from spectramind_kit.uncertainty.recalibration import Recalibration
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.provenance import code_hash, config_hash
from spectramind_kit.work_folder.store import UNREADABLE

logger = logging.getLogger(__name__)

NO_FOLD = -1
_SEED_OF_SIMULATED, _SEED_OF_INJECTED = 1, 2
"""Apart, so that the two draw different random numbers."""

LabelledMeasurement = tuple[Measurement, np.ndarray | None]
"""A measurement, and its true spectrum (n_wavelength,); None where nothing could be made."""


@dataclass(frozen=True)
class SimulatedPlanets:
    """Planets of the simulator, by number.

    Attributes:
        config: of simulation, photometry and fit.
    """

    config: Config

    def __call__(self, number: int) -> LabelledMeasurement:
        """Simulate a planet and measure it."""
        seed = self.config.seed + _SEED_OF_SIMULATED
        planet, visits, spectrum = next(simulate_training_planets(1, self.config, seed, number))
        return _measured(planet, visits, self.config), spectrum


@dataclass(frozen=True, eq=False)
class InjectedPlanets:
    """Other spectra in the light curves of training planets; number ``n k + j`` is the j-th of the k-th planet.

    Attributes:
        task: where the training planets' light curves and fits are stored.
        planet_ids: the training planets.
        spectra: (n_planet, n_wavelength) theirs [(Rp/Rs)^2].
        population: (n, n_wavelength) all training spectra [(Rp/Rs)^2].
    """

    task: PlanetTask
    planet_ids: tuple[int, ...]
    spectra: np.ndarray
    population: np.ndarray

    def __call__(self, number: int) -> LabelledMeasurement:
        """Put another spectrum into every visit of a planet and measure it."""
        config = self.task.config
        place = number // config.training.injections
        rng = np.random.default_rng([config.seed + _SEED_OF_INJECTED, number])
        spectrum = sampled_spectrum(self.spectra[place], self.population, rng)
        visits, planet = [], Planet(self.planet_ids[place])
        for observation in open_competition(self.task.data).observations(self.task.split, self.planet_ids[place]):
            planet = observation.planet
            visit = self.task.visit(observation)
            visits.append(injected_curves(visit.light_curves, visit.fit, planet, spectrum, config.fit))
        return _measured(planet, visits, config), spectrum


def simulated_examples(labels: Model, work: Path, config: Config) -> Examples:
    """Return ``training.simulated_planets`` simulated planets, which belong to no fold.

    Args:
        labels: whose population is the prior, as it is for the planets to be predicted.
        work: folder that they are stored under.
        config: of simulation, photometry and fit.
    """
    numbers = range(config.training.simulated_planets)
    parts = (config.simulation, config.photometry, config.fit, config.seed, len(numbers), *_prior_facts(labels))
    return _cached(
        WorkFolder(work).training / f"simulated-{config_hash(*parts, examples_code())}.npz",
        lambda: _examples(SimulatedPlanets(config), numbers, config, labels, "simulate", lambda number: None),
    )


def injected_examples(labels: Model, task: PlanetTask, planet_ids: Sequence[int], truth: np.ndarray) -> Examples:
    """Return ``training.injections`` planets for each training planet, in the fold of the one whose noise they have.

    Args:
        labels: whose populations are the priors.
        task: the training planets' products.
        planet_ids: planets that were fitted.
        truth: (n_planet, n_wavelength) their spectra [(Rp/Rs)^2].
    """
    config, ids = task.config, tuple(int(planet) for planet in planet_ids)
    n = config.training.injections
    parts = (
        *light_curve_settings(config),
        config.fit,
        config.seed,
        n,
        ids,
        *_prior_facts(labels),
        labels.fold.tolist(),
    )
    return _cached(
        WorkFolder(task.work).training / f"injected-{config_hash(*parts, examples_code())}.npz",
        lambda: _examples(
            InjectedPlanets(task, ids, truth, labels.spectra),
            range(n * len(ids)),
            config,
            labels,
            "inject",
            lambda number: labels.fold_of(ids[number // n]),
        ),
    )


def examples_code() -> str:
    """Return the hash of the source that makes examples: after an edit they are made again."""
    return code_hash("spectramind_kit.training.augmentation")


def _prior_facts(labels: Model) -> tuple[list, list, list]:
    """Return what of a model the predictions to be corrected depend on: prior of spectra and stars, recalibration."""
    return labels.spectra.tolist(), labels.recalibration.tolist(), labels.darkening.tolist()


def _measured(planet: Planet, visits: Sequence[LightCurves], config: Config) -> Measurement:
    """Fit light curves and make their features; a failure becomes words."""
    try:
        fits = [fit_transit(curves, planet, config.fit) for curves in visits]
        features = tuple(visit_features(curves, fit, planet) for curves, fit in zip(visits, fits))
        return Measurement(planet.planet_id, join_visits(fits), (), planet, features)
    except Exception as error:
        logger.debug("planet %d cannot be measured", planet.planet_id, exc_info=True)
        return Measurement(planet.planet_id, None, (describe(error),))


def _examples(
    make: Callable[[int], LabelledMeasurement],
    numbers: Sequence[int],
    config: Config,
    labels: Model,
    label: str,
    fold_of: Callable[[int], int | None],
) -> Examples:
    """Make planets in parallel and predict each with the prior of the folds that may hold it.

    Args:
        make: measures the planet of a number, and returns its true spectrum.
        numbers: of the planets.
        config: of the workers and of the uncertainties.
        labels: whose populations are the priors.
        label: of the progress.
        fold_of: fold of the planet of a number; None for none.
    """
    made = map_planets(
        make,
        numbers,
        workers=config.workers,
        lost=lambda number, reason: (Measurement(number, None, (reason,)), None),
        label=label,
        executor=config.executor,
        scheduler=config.scheduler,
    )
    recalibration = Recalibration.from_table(labels.recalibration)
    features, truth, fold = [], [], []
    for number, (measurement, spectrum) in made.items():
        own = fold_of(number)
        inference = infer(measurement, labels.population(own))
        known = features_of(inference, recalibration, labels.wavelength, config.uncertainty)
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
