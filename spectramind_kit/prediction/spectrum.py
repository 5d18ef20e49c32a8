"""From the inference of a planet to its spectrum: sigmas recalibrated, the network blended in, a fallback if all fail.

network -> fit and prior -> population: each is tried where the one before it gives no valid spectrum.
"""

import logging
from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import describe
from spectramind_kit.features.planet import Features, planet_features
from spectramind_kit.flags import Flag
from spectramind_kit.prediction.inference import Inference, SpectrumPosterior
from spectramind_kit.prediction.plausibility import PlausibleRange, plausible
from spectramind_kit.products import Spectrum
from spectramind_kit.settings.uncertainty import UncertaintyConfig
from spectramind_kit.uncertainty.blending import Predictions, blended
from spectramind_kit.uncertainty.recalibration import Recalibration

logger = logging.getLogger(__name__)

RUNGS = ("network", "fit", "robust fit", "one channel", "population")
"""What an answer may rest on, from the best to the last."""


@dataclass(frozen=True, eq=False)
class NetworkPrediction:
    """What the networks predict of a planet, and how much it counts.

    Attributes:
        mean: (n_wavelength,) [(Rp/Rs)^2].
        sigma: (n_wavelength,) recalibrated [(Rp/Rs)^2].
        blending_weight: (n_wavelength,) beside fit and prior, in [0, 1].
    """

    mean: np.ndarray
    sigma: np.ndarray
    blending_weight: np.ndarray


def fit_prediction(inference: Inference, recalibration: Recalibration, config: UncertaintyConfig) -> Predictions | None:
    """Return mean and recalibrated sigma (n_wavelength,) of fit and prior; None without a posterior.

    Args:
        inference: of one planet.
        recalibration: of sigmas.
        config: floor of sigma, which is the floor of the mean too: noise may have put a shallow planet below zero.
    """
    return None if inference.posterior is None else _fit(inference, inference.posterior, recalibration, config)


def network_features(
    inference: Inference, recalibration: Recalibration, wavelength: np.ndarray, config: UncertaintyConfig
) -> Features | None:
    """Return what the network sees of a planet; None if it was not measured, or its features cannot be made.

    Args:
        inference: of one planet.
        recalibration: of the sigmas that the network is to correct.
        wavelength: (n_wavelength,) [um].
        config: floor of sigma.
    """
    posterior, labels = inference.posterior, inference.labels
    if posterior is None or inference.planet is None or not inference.visits:
        return None
    try:
        return planet_features(
            inference.planet,
            inference.visits,
            (posterior.depth, posterior.depth_sigma),
            _fit(inference, posterior, recalibration, config),
            posterior.mean_jacobian,
            (labels.mean, labels.spread),
            wavelength,
        )
    except Exception:
        logger.warning("planet %d has no features", inference.planet_id, exc_info=True)
        return None


def predict_spectrum(
    inference: Inference,
    recalibration: Recalibration,
    wavelength: np.ndarray,
    config: UncertaintyConfig,
    predicted: NetworkPrediction | None = None,
    conformal: np.ndarray | float = 1.0,
    known: PlausibleRange | None = None,
) -> Spectrum:
    """Recalibrate the sigmas, blend the networks in, and fall back: to the fit, to the population.

    Args:
        inference: of one planet.
        recalibration: of the sigmas of fit and prior.
        wavelength: (n_wavelength,) [um].
        config: floor of sigma, inflation of a fallback.
        predicted: by the networks; None where they predict nothing.
        conformal: (n_wavelength,) last factor on sigma.
        known: range of the training planets, which no answer leaves; None where they are not known.
    """
    planet_id, labels, problems = inference.planet_id, inference.labels, inference.problems
    population_sigma = np.maximum(labels.spread * config.fallback_inflation, config.sigma_floor)
    fit = fit_prediction(inference, recalibration, config)
    if fit is not None:
        candidates = [("fit", fit)]
        if predicted is not None and predicted.blending_weight.any():
            both = blended(fit, (predicted.mean, predicted.sigma), predicted.blending_weight)
            candidates.insert(0, ("network", both))
        for source, (mean, sigma) in candidates:
            mean, sigma, flags = np.maximum(mean, config.sigma_floor), sigma * conformal, inference.flags
            if known is not None and inference.posterior is not None:
                measured = inference.posterior.depth, inference.posterior.depth_sigma
                mean, sigma, more = plausible(mean, sigma, measured, flags, known, inference.statistics)
                flags = {**flags, **more}
            # No prediction knows less than the population.
            sigma = np.clip(sigma, config.sigma_floor, population_sigma)
            try:
                return Spectrum(planet_id, wavelength, mean, sigma, source, problems, flags)
            except Exception as error:
                logger.debug("the %s of planet %d has no valid spectrum", source, planet_id, exc_info=True)
                problems = (*problems, describe(error))
    problems = problems or ("not measured",)
    return Spectrum(planet_id, wavelength, labels.mean, population_sigma, "population", problems)


def rung_of(spectrum: Spectrum) -> str:
    """Return what a planet's answer rests on, one of ``RUNGS``."""
    if spectrum.source == "population":
        return spectrum.source
    if spectrum.flags.keys() & {Flag.FGS1_MISSING, Flag.AIRS_MISSING}:
        return "one channel"
    return "robust fit" if Flag.ROBUST_FIT in spectrum.flags else spectrum.source


def _fit(
    inference: Inference, posterior: SpectrumPosterior, recalibration: Recalibration, config: UncertaintyConfig
) -> Predictions:
    factor = recalibration.factor(posterior.sigma, inference.labels.spread, inference.flagged)
    return np.maximum(posterior.mean, config.sigma_floor), np.maximum(posterior.sigma * factor, config.sigma_floor)
