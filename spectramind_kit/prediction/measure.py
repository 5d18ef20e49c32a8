"""One planet measured: its files become light curves, a fit, what a model sees; each is stored, and found again.

    visit -> light curves -> fit -> features
                              |
                    depths of all visits, joined

One bad planet costs one planet's accuracy, never the file: every failure becomes words in the result.
What makes a product is imported where it is made: whoever finds all products stored starts a second earlier.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import Config
from spectramind_kit.errors import describe
from spectramind_kit.features.visit import VisitFeatures, visit_features
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.flags import Flag
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.prediction.training_readout import training_readout
from spectramind_kit.products import DepthEstimate, LightCurves, Planet, PlanetObservation, TransitFit
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.settings.model import corrects_the_fit
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.provenance import code_hash, config_hash, observation_hash
from spectramind_kit.work_folder.store import load_or_make, stored_key

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

LIGHT_CURVES_MADE_BY = "spectramind_kit.photometry.light_curves"
FIT_MADE_BY = "spectramind_kit.fitting.posterior"
FEATURES_MADE_BY = "spectramind_kit.features.visit"
BASELINE_INPUT_MADE_BY = "spectramind_kit.public_baselines.front_end"
"""Modules whose import closure is the code of a product."""
_ROBUST_DRIFT_ORDER, _ROBUST_ITERATIONS = 2, 12


@dataclass(frozen=True)
class Measurement:
    """What the light curves of one planet gave.

    Attributes:
        planet_id: of the planet.
        estimate: its depths, None if nothing could be measured.
        problems: what went wrong on the way, in words.
        planet: what the star table says.
        visits: what a network sees of each visit, if one is to look.
        public: (n_feature,) what the public baselines' front end says of the first visit, if one of them is to look.
    """

    planet_id: int
    estimate: DepthEstimate | None
    problems: tuple[str, ...] = ()
    planet: Planet | None = None
    visits: tuple[VisitFeatures, ...] = ()
    public: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class BaselineInput:
    """What the public baselines see of a visit: (n_feature,), named by ``front_end.FEATURE_NAMES``."""

    features: np.ndarray


class VisitProducts:
    """The products of one visit: each is loaded, or made and stored, when first asked for, and then at hand.

    What a product is made from is the key that it is stored under. A key is made of the key of the product before it,
    so that new light curves are fitted anew. The visit's files are hashed once.

    Args:
        observation: the visit.
        split: "train" or "test".
        work: where products are stored.
        config: the configuration.
    """

    def __init__(self, observation: PlanetObservation, split: str, work: WorkFolder, config: Config):
        self.observation, self._split, self._work, self._config = observation, split, work, config

    @cached_property
    def light_curves(self) -> LightCurves:
        """Light curves of the visit."""
        from spectramind_kit.photometry.light_curves import extract_light_curves

        config = self._config
        return load_or_make(
            self._work.light_curves(self._split, *self._name),
            self._light_curves_key,
            LightCurves,
            lambda: extract_light_curves(self.observation, config.calibration, config.photometry),
        )

    @cached_property
    def fit(self) -> TransitFit:
        """Fit of the light curves, which are looked at only if it must be made."""

        def fitted() -> TransitFit:
            from spectramind_kit.fitting.posterior import fit_transit

            return fit_transit(self.light_curves, self.observation.planet, self._config.fit)

        return load_or_make(self._work.fit(self._split, *self._name), self._fit_key, TransitFit, fitted)

    @cached_property
    def features(self) -> VisitFeatures:
        """What a network sees of light curves and fit."""
        return load_or_make(
            self._work.features(self._split, *self._name),
            self._features_key,
            VisitFeatures,
            lambda: visit_features(self.light_curves, self.fit, self.observation.planet),
        )

    @cached_property
    def baseline_input(self) -> np.ndarray:
        """(n_feature,) what the public baselines see of the visit's files."""
        from spectramind_kit.public_baselines.front_end import baseline_features  # here: it loads scipy.signal

        return load_or_make(
            self._work.baseline_input(self._split, *self._name),
            self._baseline_input_key,
            BaselineInput,
            lambda: BaselineInput(baseline_features(self.observation)),
        ).features

    def is_stored(self, kind: str) -> bool:
        """Whether all that a kind of model looks at is stored under its key; no product is loaded.

        Args:
            kind: of model, as in the configuration.
        """
        wanted = {self._work.fit: self._fit_key}
        if corrects_the_fit(kind):
            wanted[self._work.features] = self._features_key
        elif kind != "none" and self.observation.visit == 0:
            wanted[self._work.baseline_input] = self._baseline_input_key
        return all(stored_key(place(self._split, *self._name)) == key for place, key in wanted.items())

    @property
    def _name(self) -> tuple[int, int]:
        return self.observation.planet.planet_id, self.observation.visit

    @cached_property
    def _observation_hash(self) -> str:
        return observation_hash(self.observation)

    @cached_property
    def _light_curves_key(self) -> str:
        # Of the star table only what is missing there shows in light curves: it becomes flags.
        flags = self.observation.planet.flags
        parts = (*light_curve_settings(self._config), flags, code_hash(LIGHT_CURVES_MADE_BY))
        return config_hash(self._observation_hash, *parts)

    @cached_property
    def _fit_key(self) -> str:
        return config_hash(self._light_curves_key, self._config.fit, self.observation.planet, code_hash(FIT_MADE_BY))

    @cached_property
    def _features_key(self) -> str:
        return config_hash(self._fit_key, code_hash(FEATURES_MADE_BY))

    @cached_property
    def _baseline_input_key(self) -> str:
        return config_hash(self._observation_hash, self.observation.planet, code_hash(BASELINE_INPUT_MADE_BY))


@dataclass(frozen=True)
class PlanetTask:
    """Work on the planets of one split; picklable, so that processes can share it.

    Attributes:
        data: competition folder.
        work: where products are stored.
        split: "train" or "test".
        config: the configuration.
        model: folder of the model, whose training folder stands in for tables that are lost; None where none does.
    """

    data: Path
    work: Path
    split: str
    config: Config
    model: Path | None = None

    def visit(self, observation: PlanetObservation) -> VisitProducts:
        """Return the products of a visit; none is looked at before it is asked for."""
        return VisitProducts(observation, self.split, WorkFolder(self.work), self.config)

    def calibrate(self, planet_id: int) -> Measurement:
        """Store the light curves of every visit of a planet; the measurement carries the problems only."""
        problems = self._for_each_visit(planet_id, lambda visit: visit.light_curves)[1]
        return Measurement(planet_id, None, tuple(problems))

    def measure(self, planet_id: int, *, frugal: bool = False) -> Measurement:
        """Fit every visit of a planet and join them; a visit that fails is left out.

        Where nothing can be fitted like that, rungs below are tried, and a flag says which one holds: a fit with
        fewer parameters of one visit, then one channel where the files of the other are no use.

        Args:
            planet_id: of the planet.
            frugal: begin with the second rung: time is short, or the first one took too much.
        """
        made, problems = ([], []) if frugal else self._for_each_visit(planet_id, self._fit_and_see)
        rungs = (self._fit_robustly, self._fit_one_channel)
        for place, make in enumerate(rungs):
            if made:
                break
            # Problems of a lower rung are those of the first one in other words, unless nothing came before it.
            made, more = self._for_each_visit(planet_id, make, most=1)
            problems = problems or (more if place + 1 == len(rungs) and not made else [])
        if not made:
            return Measurement(planet_id, None, tuple(problems))
        fits, planets, inputs, public = zip(*made)
        visits = tuple(visit for visit in inputs if visit is not None)
        try:
            return Measurement(planet_id, join_visits(fits), tuple(problems), planets[0], visits, public[0])
        except Exception as error:
            logger.debug("joining the visits of planet %d failed", planet_id, exc_info=True)
            return Measurement(planet_id, None, (*problems, describe(error)))

    def is_stored(self, planet_id: int) -> bool:
        """Whether ``measure`` would find all products of a planet; a planet that cannot be opened has none."""
        stored, problems = self._for_each_visit(planet_id, lambda visit: visit.is_stored(self.config.model.kind))
        return not problems and all(stored)

    def fitted_visits(self, planet_id: int) -> list[VisitProducts]:
        """Return the visits of a planet that have light curves and a fit; one that fails is left out."""

        def fitted(visit: VisitProducts) -> VisitProducts:
            assert visit.light_curves is not None and visit.fit is not None  # both are in hand from here on
            return visit

        return self._for_each_visit(planet_id, fitted)[0]

    def lost(self, planet_id: int, reason: str) -> Measurement:
        """Return the measurement of a planet nothing came back of."""
        return Measurement(planet_id, None, (reason,))

    def _fit_robustly(self, visit: VisitProducts) -> tuple[TransitFit, Planet, None, None]:
        """Return the fit of a visit with fewer parameters; networks, who never saw such fits, see nothing of it."""
        from spectramind_kit.fitting.posterior import fit_transit

        planet = visit.observation.planet
        fit = fit_transit(visit.light_curves, planet, robust_fit(self.config.fit))
        return replace(fit, flags={**fit.flags, Flag.ROBUST_FIT: ""}), planet, None, None

    def _fit_one_channel(self, visit: VisitProducts) -> tuple[TransitFit, Planet, None, None]:
        """Return the fit of the channel whose files can be read; networks see nothing of it."""
        from spectramind_kit.fitting.posterior import fit_transit
        from spectramind_kit.photometry.light_curves import extract_one_channel

        observation, config = visit.observation, self.config
        try:
            curves = extract_one_channel(observation, AIRS.name, config.calibration, config.photometry)
        except Exception:
            curves = extract_one_channel(observation, FGS1.name, config.calibration, config.photometry)
        return fit_transit(curves, observation.planet, config.fit), observation.planet, None, None

    def _fit_and_see(self, visit: VisitProducts) -> tuple[TransitFit, Planet, VisitFeatures | None, np.ndarray | None]:
        """Return the fit of a visit, and what network or baseline see of it; without that the fit still counts."""
        fit, inputs, public, kind = visit.fit, None, None, self.config.model.kind
        try:
            if corrects_the_fit(kind):
                inputs = visit.features
            elif kind != "none" and visit.observation.visit == 0:
                public = visit.baseline_input
        except Exception:
            logger.warning("%s has no features", visit.observation.name, exc_info=True)
        return fit, visit.observation.planet, inputs, public

    def _for_each_visit(
        self, planet_id: int, make: Callable[[VisitProducts], Made], most: int | None = None
    ) -> tuple[list[Made], list[str]]:
        """Return what could be made of the visits, or of so many of them at most, and the problems with the others.

        A panic of polars is no ``Exception``; it is a damaged file like any other.
        """
        made, problems = [], []
        try:
            observations = _open(self.data, self.model).observations(self.split, planet_id)
        except Exception as error:
            logger.debug("planet %d cannot be opened", planet_id, exc_info=True)
            return made, [describe(error)]
        for observation in observations:
            if len(made) == most:
                break
            try:
                made.append(make(self.visit(observation)))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                logger.debug("%s failed", observation.name, exc_info=True)
                problems.append(describe(error))
        return made, problems


def robust_fit(config: FitConfig) -> FitConfig:
    """Return options of a fit with fewer parameters and fewer steps, for light curves that the usual one fails on."""
    return replace(
        config,
        drift_order=min(config.drift_order, _ROBUST_DRIFT_ORDER),
        drift_wavelength_order=min(config.drift_wavelength_order, 1),
        max_iterations=min(config.max_iterations, _ROBUST_ITERATIONS),
    )


def measured_with(config: Config) -> str:
    """Return a hash of the settings that depths depend on: a model knows planets that were measured with them."""
    return config_hash(*light_curve_settings(config), config.fit)


def light_curve_settings(config: Config) -> tuple[object, ...]:
    """Return the configuration that light curves depend on; the path taken to them is not part of it."""
    return config.calibration, replace(config.photometry, path="auto")


def training_labels(data: Path) -> Mapping[int, np.ndarray]:
    """Return the labels of a competition folder by planet, read once as long as its tables stay as they are."""
    return _labels(data, _tables(data))


def _open(data: Path, model: Path | None) -> CompetitionFolder:
    """Open a competition folder, once as long as its tables stay as they are."""
    return _opened(data, _tables(data), model)


def _tables(data: Path) -> tuple[tuple[str, int], ...]:
    """Return names and times of change of the files beside the planets' folders; none where that cannot be told."""
    try:
        tables = sorted(path for path in data.iterdir() if path.is_file()) if data.is_dir() else []
        return tuple((path.name, path.stat().st_mtime_ns) for path in tables)
    except OSError:
        return ()


@lru_cache(maxsize=2)
def _opened(data: Path, tables: tuple[tuple[str, int], ...], model: Path | None = None) -> CompetitionFolder:
    return open_competition(data, training_readout(model) if model else None)


@lru_cache(maxsize=2)
def _labels(data: Path, tables: tuple[tuple[str, int], ...]) -> Mapping[int, np.ndarray]:
    planet_ids, spectra = _opened(data, tables).labels()
    return dict(zip(planet_ids.tolist(), spectra))
