"""What measurement and prior say together about one planet, before held-out planets correct it.

A worker infers and hands the result back without a covariance: 20 kB a planet instead of 600.
"""

import logging
from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.features.visit import VisitFeatures
from spectramind_kit.fitting.visits import with_population
from spectramind_kit.flags import SAME_IN_EVERY_FOLDER, Flag, Flags
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.input_ranges import STATISTICS, statistics_of
from spectramind_kit.prediction.measure import Measurement, describe
from spectramind_kit.prediction.plausibility import without_outlying_wavelengths
from spectramind_kit.prediction.population import LabelStatistics, Population
from spectramind_kit.products import DepthEstimate, Planet

logger = logging.getLogger(__name__)

_MODELLED = {Flag.FGS1_RED_NOISE, Flag.AIRS_RED_NOISE, *SAME_IN_EVERY_FOLDER}
"""Flags of what the fit allows for, or what changes nothing."""


@dataclass(frozen=True, eq=False)
class SpectrumPosterior:
    """A spectrum given light curves and prior, and the depths before the prior; (n_wavelength,) each [(Rp/Rs)^2].

    Attributes:
        mean: of the posterior.
        sigma: of the posterior, before it is recalibrated.
        mean_jacobian: (n_wavelength, 2), change of the mean by an error of all depths of FGS1, of AIRS-CH0 [1].
        depth: of the fit, before the prior.
        depth_sigma: standard errors of the fit's depths.
    """

    mean: np.ndarray
    sigma: np.ndarray
    mean_jacobian: np.ndarray
    depth: np.ndarray
    depth_sigma: np.ndarray


@dataclass(frozen=True, eq=False)
class Inference:
    """What is known of a planet once it is measured.

    Attributes:
        planet_id: of the planet.
        labels: statistics of the training labels that it was inferred with, its own never among them.
        posterior: None where there is no fit, or where the prior failed on it.
        flags: quality flags of the fit.
        problems: what failed on the way, in words.
        planet: what the star table says.
        visits: what a network sees of each visit, if one is to look.
        public: (n_feature,) the public baselines' features of the first visit, if one of them is to look.
        statistics: (n_visit, 2, n_statistic) of what its visits look like to the fit, and their errors.
    """

    planet_id: int
    labels: LabelStatistics
    posterior: SpectrumPosterior | None = None
    flags: Flags = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    planet: Planet | None = None
    visits: tuple[VisitFeatures, ...] = ()
    public: np.ndarray | None = None
    statistics: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, len(STATISTICS))))

    @property
    def flagged(self) -> bool:
        """Whether a flag says what the fit does not allow for: such planets have a recalibration of their own."""
        return not set(self.flags) <= _MODELLED


def infer(measurement: Measurement, population: Population) -> Inference:
    """Combine a measurement with the prior of spectra; a failure leaves the population and the reason.

    Args:
        measurement: of one planet.
        population: that does not know the planet's label.
    """
    posterior, problems, estimate, observed = None, measurement.problems, measurement.estimate, []
    if estimate is not None:
        try:
            estimate = without_outlying_wavelengths(with_population(estimate, population.nuisance))
            observed = [statistics_of(fit, measurement.planet) for fit in estimate.fits]
            posterior = _posterior(estimate, population)
        except Exception as error:
            logger.debug("the posterior of planet %d failed", measurement.planet_id, exc_info=True)
            problems = (*problems, describe(error))
    return Inference(
        planet_id=measurement.planet_id,
        labels=population.labels,
        posterior=posterior,
        flags={} if estimate is None else estimate.flags,
        problems=problems,
        planet=measurement.planet,
        visits=measurement.visits,
        public=measurement.public,
        statistics=np.array(observed).reshape(-1, 2, len(STATISTICS)),
    )


def _posterior(estimate: DepthEstimate, population: Population) -> SpectrumPosterior:
    fgs1 = is_fgs1(population.prior.wavelength)
    channels = np.column_stack([fgs1, ~fgs1]).astype(np.float64)
    mean, variance, jacobian = population.prior.marginals(estimate.depth, estimate.covariance, channels)
    return SpectrumPosterior(
        mean=mean,
        sigma=np.sqrt(variance),
        mean_jacobian=jacobian,
        depth=estimate.depth,
        depth_sigma=np.sqrt(np.diag(estimate.covariance)),
    )
