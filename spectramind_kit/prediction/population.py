"""The population: what the training labels alone say about a planet nobody has looked at."""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.prediction.spectrum_prior import SpectrumPrior, learn_spectrum_prior

FEWEST_FOR_SPREAD = 8
"""Below this many planets the spread of the sample says little; the competition's own is used if it is larger."""
COMPETITION_SPREAD = 0.0107
"""Spread of planet mean depths in the 2025 labels (reference: public prints of train.csv)."""


@dataclass(frozen=True, eq=False)
class LabelStatistics:
    """Statistics of the training labels.

    Attributes:
        mean: (n_wavelength,) [(Rp/Rs)^2].
        spread: (n_wavelength,) standard deviation over planets [(Rp/Rs)^2].
        naive: mean and standard deviation over all labels and wavelengths, the metric's zero point [(Rp/Rs)^2].
    """

    mean: np.ndarray
    spread: np.ndarray
    naive: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Population:
    """What training planets say about the next one.

    Attributes:
        labels: statistics of their spectra.
        prior: of a spectrum given its level.
        nuisance: prior of star and instrument; None where no visit was fitted.
    """

    labels: LabelStatistics
    prior: SpectrumPrior
    nuisance: NuisancePrior | None = None


def label_statistics(spectra: np.ndarray) -> LabelStatistics:
    """Return the statistics of labels.

    Args:
        spectra: (n_planet, n_wavelength) [(Rp/Rs)^2].

    Raises:
        CompetitionDataError: without a single label.
    """
    if len(spectra) == 0:
        raise CompetitionDataError("training labels", wanted="at least one planet", got="none")
    spread = spectra.std(axis=0)
    if len(spectra) < FEWEST_FOR_SPREAD:
        spread = np.maximum(spread, COMPETITION_SPREAD)
    return LabelStatistics(spectra.mean(axis=0), spread, (float(spectra.mean()), float(spectra.std())))


def learn_population(spectra: np.ndarray, wavelength: np.ndarray, nuisance: NuisancePrior | None = None) -> Population:
    """Learn from the labels.

    Args:
        spectra: (n_planet, n_wavelength) labels [(Rp/Rs)^2].
        wavelength: (n_wavelength,) [um].
        nuisance: prior of star and instrument, if one has been learned.

    Raises:
        CompetitionDataError: without a single label.
    """
    return Population(
        labels=label_statistics(spectra),
        prior=learn_spectrum_prior(spectra, wavelength),
        nuisance=nuisance,
    )
