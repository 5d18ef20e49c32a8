"""What a worker process does with one planet, and what comes back: never a covariance of depths.

    FitTask         files -> light curves, fit             -> what star and instrument show   (training, first pass)
    PosteriorTask   files -> light curves, fit, posterior  -> mean, sigma, what networks see  (second pass; submit)

Training needs two passes, because the prior of the second is learned from the stars of the first. Products of a pass
are stored, so that the second one reads the fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from spectramind_kit.execution.time_budget import Pace
from spectramind_kit.fitting.nuisance_learning import VisitStatistics, visit_statistics
from spectramind_kit.prediction.inference import Inference, infer
from spectramind_kit.prediction.measure import PlanetTask, training_labels
from spectramind_kit.prediction.training_set import StoredTrainingSet
from spectramind_kit.products import TransitFit
from spectramind_kit.settings.model import corrects_the_fit


def one_thread() -> threadpool_limits:
    """Return a context in which linear algebra runs on one thread, whether in a worker or in the parent itself.

    Planets are the unit of parallelism, and on matrices of 283 rows threads cost ten times what they save on a busy
    machine. The last bits of a sum depend on the threads, so this also makes one process give what several give.
    """
    return threadpool_limits(1)


@dataclass(frozen=True, eq=False)
class FitSummary:
    """What training needs to know of a fitted planet before there is a prior.

    Attributes:
        planet_id: of the planet.
        measured: whether there is a fit.
        problems: what failed on the way, in words.
        visits: what each says of star and instrument, given the planet's label; none where nothing is to be learned.
    """

    planet_id: int
    measured: bool
    problems: tuple[str, ...]
    visits: tuple[VisitStatistics, ...] = ()


@dataclass(frozen=True)
class FitTask:
    """Fit a planet and store its products; what only a public baseline looks at is left to the second pass.

    Attributes:
        task: where the planets and their products lie.
        teaching: planets whose visits teach what stars and instrument are like.
    """

    task: PlanetTask
    teaching: frozenset[int] = frozenset()

    def __call__(self, planet_id: int) -> FitSummary:
        """Fit every visit of a planet."""
        config = self.task.config
        if not corrects_the_fit(config.model.kind):
            # A baseline's features are not stored, so they are made where they are used.
            config = replace(config, model=replace(config.model, kind="none"))
        with one_thread():
            measured = replace(self.task, config=config).measure(planet_id)
            if measured.estimate is None:
                return self.lost(planet_id, *measured.problems)
            visits = ()
            if planet_id in self.teaching:
                visits = taught(measured.estimate.fits, training_labels(self.task.data).get(planet_id))
        return FitSummary(planet_id, True, measured.problems, visits)

    def lost(self, planet_id: int, *problems: str) -> FitSummary:
        """Return the summary of a planet without a fit."""
        return FitSummary(planet_id, False, problems)


def taught(fits: Sequence[TransitFit], spectrum: np.ndarray | None) -> tuple[VisitStatistics, ...]:
    """Return what visits say of star and instrument, those left out that are not what they look like.

    Args:
        fits: of a planet.
        spectrum: (n_wavelength,) its label, if it has one [(Rp/Rs)^2].
    """
    likelihoods = [fit.likelihood for fit in fits]
    return tuple(visit_statistics(one, spectrum) for one in likelihoods if one is not None and not one.inflated)


@dataclass(frozen=True)
class PosteriorTask:
    """Measure a planet and combine it with the population of the folds that do not hold it.

    Attributes:
        task: where the planets and their products lie.
        known: the training set that populations are learned from.
        pace: at which planets must be worked on; None: as fast as it goes.
        frugal: begin with the robust fit.
    """

    task: PlanetTask
    known: StoredTrainingSet
    pace: Pace | None = None
    frugal: bool = False

    def __call__(self, planet_id: int) -> Inference:
        """Infer a planet from its files, or from its stored fit; frugally where the time does not suffice for more."""
        frugal = self.frugal or (self.pace is not None and self.pace.too_slow(planet_id))
        with one_thread():
            return infer(self.task.measure(planet_id, frugal=frugal), self.known.population_without(planet_id))

    def lost(self, planet_id: int, *problems: str) -> Inference:
        """Return the inference of a planet without a fit."""
        known = self.known.training_set()
        return Inference(planet_id, known.labels(known.fold_of(planet_id)), problems=problems)
