"""What predicts where the trained model cannot: the labels alone, or numbers that are known beforehand.

    trained model -> model of the labels (fit, a population, assumed sigmas) -> the competition's mean and spread

The last one needs no file but the list of planets, and cannot fail.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.errors import CompetitionDataError, describe
from spectramind_kit.instruments import N_WAVELENGTH
from spectramind_kit.prediction.population import COMPETITION_SPREAD
from spectramind_kit.prediction.trained_model import TrainedModel, load_model
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.products import Spectrum
from spectramind_kit.settings.uncertainty import UncertaintyConfig
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import learn_recalibration

logger = logging.getLogger(__name__)

COMPETITION_MEAN = 0.0147
"""Mean depth of the 2025 labels (reference: public prints of train.csv)."""


@dataclass(frozen=True, eq=False)
class UsableModel:
    """The best model that could be had.

    Attributes:
        model: None where not even labels can be read.
        losses: why it is no better, in words; empty for the trained model itself.
    """

    model: TrainedModel | None
    losses: tuple[str, ...] = ()


def usable_model(place: Path, folder: CompetitionFolder, config: UncertaintyConfig, settings: str) -> UsableModel:
    """Return the trained model, or what stands in for it.

    Args:
        place: folder of the trained model.
        folder: of the competition.
        config: assumed factor on sigmas.
        settings: hash of the settings that planets are measured with.
    """
    try:
        return UsableModel(suitable_model(place, folder, settings))
    except Exception as error:
        return _with_loss(labels_model(folder, config), describe(error))


def suitable_model(place: Path, folder: CompetitionFolder, settings: str) -> TrainedModel:
    """Return the trained model; one of another edition, other settings or wavelengths would answer wrongly.

    Args:
        place: folder of the trained model.
        folder: of the competition.
        settings: hash of the settings that planets are measured with.

    Raises:
        SpectraMindError: if it is not there, damaged, or does not belong to the folder and the settings.
    """
    model = load_model(place, edition=folder.edition, settings=settings)
    _require_same_grid(model, folder, place)
    return model


def labels_model(folder: CompetitionFolder, config: UncertaintyConfig) -> UsableModel:
    """Return the model that the training labels teach without a look at any light curve.

    Args:
        folder: of the competition.
        config: assumed factor on sigmas.
    """
    try:
        planet_ids, spectra = folder.labels()
        n_planet, n = spectra.shape
        fold = np.zeros(n_planet, dtype=np.int64)
        known = TrainingSet(planet_ids, spectra, fold, folder.wavelength)
        nobody = np.zeros((0, n))
        factor = learn_recalibration(nobody, nobody, known.labels().spread, np.zeros(0, dtype=bool), config)
        known.population()  # if a prior cannot be learned, that shows here and not planet by planet
        return UsableModel(TrainedModel(known, fit_calibration(factor, n)))
    except Exception as error:
        return UsableModel(None, (describe(error),))


def population_spectra(
    planets: Sequence[int], model: TrainedModel | None, config: UncertaintyConfig, reason: str
) -> list[Spectrum]:
    """Return the population's spectrum for every planet: what is submitted before anything is measured.

    Args:
        planets: their numbers.
        model: whose labels are the population; None takes the competition's mean and spread.
        config: inflation of a fallback.
        reason: why a planet has no better one.
    """
    mean, spread = np.full(N_WAVELENGTH, COMPETITION_MEAN), np.full(N_WAVELENGTH, COMPETITION_SPREAD)
    wavelength = np.full(N_WAVELENGTH, np.nan)
    if model is not None:
        labels, wavelength = model.training_set.labels(), model.wavelength
        mean, spread = labels.mean, labels.spread
    sigma = np.maximum(spread * config.fallback_inflation, config.sigma_floor)
    return [Spectrum(planet, wavelength, mean, sigma, "population", (reason,)) for planet in planets]


def _require_same_grid(model: TrainedModel, folder: CompetitionFolder, place: Path) -> None:
    """Refuse a model of other wavelengths than the folder's; where the folder cannot tell, the model's stand.

    Raises:
        CompetitionDataError: if they differ by more than the folder's own digits.
    """
    try:
        here, there = folder.wavelength, model.wavelength
    except CompetitionDataError as error:
        logger.warning("the wavelengths of the trained model are used: %s", describe(error))
        return
    if here.shape != there.shape or not np.allclose(here, there, rtol=1e-4):
        raise CompetitionDataError(
            f"model in {place}",
            wanted=f"wavelengths {here[0]:g} .. {here[-1]:g} um of {folder.root / 'wavelengths.csv'}",
            got=f"{len(there)} from {there[0]:g} to {there[-1]:g} um",
            remedy="train on this folder",
        )


def _with_loss(found: UsableModel, reason: str) -> UsableModel:
    logger.warning("the trained model is not used: %s", reason)
    return UsableModel(found.model, (f"without the trained model: {reason}", *found.losses))
