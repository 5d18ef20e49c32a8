"""From one planet's files to its spectrum: light curves, fit, prior, scaled sigma; and what to do when that fails.

One bad planet costs one planet's accuracy, never the file: every failure becomes words in the result.
"""

import logging
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import Config
from spectramind_kit.environment import source_hash
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.features.visit import VisitFeatures, visit_features
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.photometry.light_curves import extract_light_curves
from spectramind_kit.products import (
    DepthEstimate,
    LightCurves,
    Planet,
    PlanetObservation,
    TransitFit,
)
from spectramind_kit.public_baselines.front_end import baseline_features
from spectramind_kit.work_folder.store import load_or_make, observation_key

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
        key = observation_key(observation, *self.curve_settings(), observation.planet.flags, source_hash(*_CURVE_CODE))
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
