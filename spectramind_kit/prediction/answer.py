"""What measurement, prior and networks say together about one planet, and what to answer when one of them fails."""

import logging
from dataclasses import dataclass

import numpy as np

from spectramind_kit.features.planet import Features, planet_features
from spectramind_kit.fitting.darkening_prior import with_darkening_prior
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.measure import Measurement, describe
from spectramind_kit.prediction.population import Population
from spectramind_kit.products import Spectrum
from spectramind_kit.settings.uncertainty import UncertaintyConfig
from spectramind_kit.uncertainty.blend import blended
from spectramind_kit.uncertainty.recalibration import Recalibration

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Inference:
    """What measurement and prior say together, before sigmas are scaled.

    Attributes:
        measurement: of the planet; population: that it was combined with.
        mean, sigma: (n_wavelength,) [(Rp/Rs)^2]; None where there is no posterior.
        follow: (n_wavelength, 2), how the mean follows an error of all depths of FGS1, of AIRS-CH0.
        problems: what went wrong on the way, in words.
    """

    measurement: Measurement
    population: Population
    mean: np.ndarray | None
    sigma: np.ndarray | None
    problems: tuple[str, ...]
    follow: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Heard:
    """What the networks say of a planet, and how much it counts.

    Attributes:
        mean, sigma: (n_wavelength,) [(Rp/Rs)^2], sigma scaled.
        share: (n_wavelength,) of the answer that is theirs, in [0, 1].
    """

    mean: np.ndarray
    sigma: np.ndarray
    share: np.ndarray


def infer(measurement: Measurement, population: Population) -> Inference:
    """Combine a measurement with the prior of spectra; a failure leaves the population and the reason."""
    problems = measurement.problems
    if measurement.estimate is not None:
        try:
            estimate = with_darkening_prior(measurement.estimate, population.darkening)
            mean, covariance, gain = population.prior.posterior_with_gain(estimate.depth, estimate.covariance)
            fgs1 = is_fgs1(population.prior.wavelength)
            follow = np.column_stack([gain[:, fgs1].sum(axis=1), gain[:, ~fgs1].sum(axis=1)])
            return Inference(measurement, population, mean, np.sqrt(np.diag(covariance)), problems, follow)
        except Exception as error:
            logger.debug("the posterior of planet %d failed", measurement.planet_id, exc_info=True)
            problems = (*problems, describe(error))
    return Inference(measurement, population, None, None, problems)


def features_of(
    inference: Inference, recalibration: Recalibration, wavelength: np.ndarray, config: UncertaintyConfig
) -> Features | None:
    """Return what the network sees of a planet; None if it was not measured, or its features cannot be made."""
    measurement, population = inference.measurement, inference.population
    if inference.mean is None or not measurement.visits:
        return None
    try:
        return planet_features(
            measurement.planet,
            measurement.visits,
            measurement.estimate,
            fit_answer(inference, recalibration, config),
            inference.follow,
            (population.mean, population.spread),
            wavelength,
        )
    except Exception:
        logger.warning("planet %d has no features", measurement.planet_id, exc_info=True)
        return None


def fit_answer(
    inference: Inference, recalibration: Recalibration, config: UncertaintyConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and recalibrated sigma of fit and prior; noise may have put a shallow planet below zero."""
    flagged = bool(inference.measurement.estimate.flags)
    factor = recalibration.factor(inference.sigma, inference.population.spread, flagged)
    return np.maximum(inference.mean, config.sigma_floor), np.maximum(inference.sigma * factor, config.sigma_floor)


def predict_spectrum(
    inference: Inference,
    recalibration: Recalibration,
    wavelength: np.ndarray,
    config: UncertaintyConfig,
    heard: Heard | None = None,
    conformal: np.ndarray | float = 1.0,
) -> Spectrum:
    """Recalibrate the sigmas, let the networks say their share, and fall back: to the fit, to the population.

    Args:
        inference: of one planet.
        recalibration: of the sigmas of fit and prior.
        wavelength: (n_wavelength,) [um].
        config: floor of sigma, inflation of a fallback.
        heard: what the networks say; None where they say nothing.
        conformal: (n_wavelength,) last factor on sigma.
    """
    planet_id, population, problems = inference.measurement.planet_id, inference.population, inference.problems
    population_sigma = np.maximum(population.spread * config.fallback_inflation, config.sigma_floor)
    if inference.mean is not None:
        answers = [("fit", fit_answer(inference, recalibration, config))]
        if heard is not None and heard.share.any():
            answers.insert(0, ("network", blended(answers[0][1], (heard.mean, heard.sigma), heard.share)))
        for source, (mean, sigma) in answers:
            # No answer knows less than the population.
            mean = np.maximum(mean, config.sigma_floor)
            sigma = np.clip(sigma * conformal, config.sigma_floor, population_sigma)
            try:
                flags = inference.measurement.estimate.flags
                return Spectrum(planet_id, wavelength, mean, sigma, source, problems, flags)
            except Exception as error:
                logger.debug("the %s of planet %d has no valid spectrum", source, planet_id, exc_info=True)
                problems = (*problems, describe(error))
    problems = problems or ("not measured",)
    return Spectrum(planet_id, wavelength, population.mean, population_sigma, "population", problems)
