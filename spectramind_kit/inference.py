"""From one planet's files to its spectrum: light curves, fit, prior, scaled sigma; and what to do when that fails.

One bad planet costs one planet's accuracy, never the file: every failure becomes words in the result.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.competition.store import load_or_make, observation_key
from spectramind_kit.config import Config, UncertaintyConfig
from spectramind_kit.darkening import DARKENING_NAMES
from spectramind_kit.environment import source_hash
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.features.planet import Features, planet_features
from spectramind_kit.features.visit import VisitFeatures, visit_features
from spectramind_kit.fitting.darkening_prior import with_darkening_prior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.systematics import is_fgs1
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.networks.public_baselines.front_end import baseline_features
from spectramind_kit.photometry.light_curves import extract_light_curves
from spectramind_kit.products import DepthEstimate, LightCurves, Planet, PlanetObservation, Spectrum, TransitFit
from spectramind_kit.training.population import Population
from spectramind_kit.uncertainty.blend import blended
from spectramind_kit.uncertainty.recalibration import Recalibration

logger = logging.getLogger(__name__)

_CURVE_CODE = ("instruments", "products", "competition", "calibration", "photometry")
_FIT_CODE = (*_CURVE_CODE, "transit", "fitting")
_FEATURE_CODE = (*_FIT_CODE, "features")
"""Parts of the package whose change makes stored light curves, fits, and features anew."""


@dataclass(frozen=True)
class Measurement:
    """What the light curves of one planet gave.

    Attributes:
        planet_id: of the planet; estimate: its depths, None if nothing could be measured.
        problems: what went wrong on the way, in words.
        planet: what the star table says; visits: what a network sees of each visit, if one is to look.
        public: (n_feature,) what the public baselines' front end says of the first visit, if one of them is to look.
    """

    planet_id: int
    estimate: DepthEstimate | None
    problems: tuple[str, ...] = ()
    planet: Planet | None = None
    visits: tuple[VisitFeatures, ...] = ()
    public: np.ndarray | None = None


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


@dataclass(frozen=True)
class PlanetTask:
    """Work on the planets of one split; picklable, so that processes can share it.

    Attributes:
        data: competition folder; work: where products are stored; split: "train" or "test".
    """

    data: Path
    work: Path
    split: str
    config: Config

    def light_curves(self, observation: PlanetObservation) -> LightCurves:
        """Return the light curves of a visit, stored or made."""
        config = self.config
        key = observation_key(observation, *self.curve_settings(), observation.planet.notes, source_hash(*_CURVE_CODE))
        path = self._path("light_curves", observation)
        return load_or_make(
            path, key, LightCurves, lambda: extract_light_curves(observation, config.calibration, config.photometry)
        )

    def fit(self, observation: PlanetObservation) -> TransitFit:
        """Return the fit of a visit, stored or made."""
        config = self.config
        parts = (*self.curve_settings(), config.fit, observation.planet, source_hash(*_FIT_CODE))
        path = self._path("fits", observation)
        return load_or_make(
            path,
            observation_key(observation, *parts),
            TransitFit,
            lambda: fit_transit(self.light_curves(observation), observation.planet, config.fit),
        )

    def features(self, observation: PlanetObservation) -> VisitFeatures:
        """Return what a network sees of a visit, stored or made."""
        parts = (*self.curve_settings(), self.config.fit, observation.planet, source_hash(*_FEATURE_CODE))
        return load_or_make(
            self._path("features", observation),
            observation_key(observation, *parts),
            VisitFeatures,
            lambda: visit_features(self.light_curves(observation), self.fit(observation), observation.planet),
        )

    def _fit_and_see(
        self, observation: PlanetObservation
    ) -> tuple[TransitFit, Planet, VisitFeatures | None, np.ndarray | None]:
        """Return the fit of a visit, and what network or baseline see of it; without that the fit still counts."""
        fit, seen, public, kind = self.fit(observation), None, None, self.config.model.kind
        try:
            if kind == "v50":
                seen = self.features(observation)
            elif kind != "none" and observation.visit == 0:
                public = baseline_features(observation)
        except Exception:
            logger.warning("%s has no features", observation.name, exc_info=True)
        return fit, observation.planet, seen, public

    def calibrate(self, planet_id: int) -> Measurement:
        """Store the light curves of every visit of a planet; the measurement carries the problems only."""
        problems = self._for_each_visit(planet_id, self.light_curves)[1]
        return Measurement(planet_id, None, tuple(problems))

    def measure(self, planet_id: int) -> Measurement:
        """Fit every visit of a planet and join them; a visit that fails is left out."""
        made, problems = self._for_each_visit(planet_id, self._fit_and_see)
        if not made:
            return Measurement(planet_id, None, tuple(problems))
        fits, planets, seen, public = zip(*made)
        visits = tuple(visit for visit in seen if visit is not None)
        try:
            return Measurement(planet_id, join_visits(fits), tuple(problems), planets[0], visits, public[0])
        except Exception as error:
            logger.debug("joining the visits of planet %d failed", planet_id, exc_info=True)
            return Measurement(planet_id, None, (*problems, describe(error)))

    def lost(self, planet_id: int, reason: str) -> Measurement:
        """Return the measurement of a planet nothing came back of."""
        return Measurement(planet_id, None, (reason,))

    def _for_each_visit(self, planet_id: int, make) -> tuple[list, list[str]]:
        """Return what could be made of the visits, and the problems with the others."""
        made, problems = [], []
        try:
            observations = _open(self.data).observations(self.split, planet_id)
        except Exception as error:
            logger.debug("planet %d cannot be opened", planet_id, exc_info=True)
            return made, [describe(error)]
        for observation in observations:
            try:
                made.append(make(observation))
            except Exception as error:
                logger.debug("%s failed", observation.name, exc_info=True)
                problems.append(describe(error))
        return made, problems

    def curve_settings(self) -> tuple:
        """Return the configuration that light curves depend on; the path taken to them is not part of it."""
        return self.config.calibration, replace(self.config.photometry, path="auto")

    def _path(self, kind: str, observation: PlanetObservation) -> Path:
        return self.work / kind / self.split / f"{observation.planet.planet_id}_{observation.visit}.npz"


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
                return Spectrum(planet_id, wavelength, mean, sigma, source, "; ".join(problems), flags)
            except Exception as error:
                logger.debug("the %s of planet %d has no valid spectrum", source, planet_id, exc_info=True)
                problems = (*problems, describe(error))
    reason = "; ".join(problems) or "not measured"
    return Spectrum(planet_id, wavelength, population.mean, population_sigma, "population", reason)


def limb_darkening(planet_ids: np.ndarray, measured: Mapping[int, Measurement]) -> tuple[np.ndarray, np.ndarray]:
    """Gather the fitted limb darkening of planets, (n_planet, n, 2) and its covariances; NaN where there is none."""
    n = len(DARKENING_NAMES)
    offsets, covariances = np.full((len(planet_ids), n, 2), np.nan), np.full((len(planet_ids), n, n), np.nan)
    for place, planet in enumerate(planet_ids.tolist()):
        estimate = measured[planet].estimate if planet in measured else None
        if estimate is not None and len(estimate.darkening):
            offsets[place], covariances[place] = estimate.darkening, estimate.darkening_covariance
    return offsets, covariances


def describe(error: Exception) -> str:
    """Return an error in one line; the kind is named only where the message is not ours."""
    text = " ".join(str(error).split())
    return text if isinstance(error, SpectraMindError) else f"{type(error).__name__}: {text}"


def _open(data: Path) -> CompetitionFolder:
    """Open a competition folder, once as long as its tables stay as they are."""
    tables = sorted(path for path in data.iterdir() if path.is_file()) if data.is_dir() else []
    return _opened(data, tuple((path.name, path.stat().st_mtime_ns) for path in tables))


@lru_cache(maxsize=2)
def _opened(data: Path, tables: tuple[tuple[str, int], ...]) -> CompetitionFolder:
    return open_competition(data)
