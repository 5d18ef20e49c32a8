"""The population: what the training labels alone say about a planet nobody has looked at."""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.fitting.darkening_prior import DarkeningPrior, learn_darkening_prior
from spectramind_kit.prediction.spectrum_prior import SpectrumPrior, learn_spectrum_prior

FEWEST_FOR_SPREAD = 8
"""Below this many planets the spread of the sample says little; the competition's own is used if it is larger."""
COMPETITION_SPREAD = 0.0107
"""Spread of planet mean depths in the 2025 labels (reference: public prints of train.csv)."""


@dataclass(frozen=True)
class Population:
    """Statistics of the training spectra.

    Attributes:
        mean, spread: per wavelength (n_wavelength,) [(Rp/Rs)^2].
        naive: mean and standard deviation over all labels, the metric's zero point.
        prior: the prior of a spectrum given its level.
        darkening: the prior of limb darkening; None where no star was fitted.
    """

    mean: np.ndarray
    spread: np.ndarray
    naive: tuple[float, float]
    prior: SpectrumPrior
    darkening: DarkeningPrior | None = None


def learn_population(
    spectra: np.ndarray, wavelength: np.ndarray, darkening: tuple[np.ndarray, np.ndarray] | None = None
) -> Population:
    """Learn from the labels (n_planet, n_wavelength), and from the fitted limb darkening where there is any.

    Args:
        darkening: what ``learn_darkening_prior`` takes.

    Raises:
        CompetitionDataError: without a single label.
    """
    if len(spectra) == 0:
        raise CompetitionDataError("training labels", wanted="at least one planet", got="none")
    spread = spectra.std(axis=0)
    if len(spectra) < FEWEST_FOR_SPREAD:
        spread = np.maximum(spread, COMPETITION_SPREAD)
    return Population(
        mean=spectra.mean(axis=0),
        spread=spread,
        naive=(float(spectra.mean()), float(spectra.std())),
        prior=learn_spectrum_prior(spectra, wavelength),
        darkening=learn_darkening_prior(*darkening) if darkening is not None else None,
    )
