"""The training set: labels and folds of the training planets, and what their visits say of star and instrument."""

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.fitting.nuisance_prior import NuisancePrior
from spectramind_kit.prediction.population import LabelStatistics, Population, label_statistics, learn_population
from spectramind_kit.shapes import require_shape
from spectramind_kit.work_folder.encoding import encoded
from spectramind_kit.work_folder.store import load_product, save_product, stored_key

logger = logging.getLogger(__name__)

_FILE = "training_set.npz"


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What is known of the training planets.

    Attributes:
        planet_ids: (n_planet,) int64.
        spectra: (n_planet, n_wavelength) labels [(Rp/Rs)^2].
        fold: (n_planet,) cross-validation fold of each, from 0.
        wavelength: (n_wavelength,) [um].
        nuisance: prior of star and instrument for the planets of each fold, learned from the visits of the others, and
            last that of all visits; empty where none was learned.
    """

    planet_ids: np.ndarray
    spectra: np.ndarray
    fold: np.ndarray
    wavelength: np.ndarray
    nuisance: tuple[NuisancePrior | None, ...] = ()

    def __post_init__(self):
        n_planet = len(self.planet_ids)
        require_shape("TrainingSet", "spectra", self.spectra, (n_planet, len(self.wavelength)))
        require_shape("TrainingSet", "fold", self.fold, (n_planet,))
        if len(self.nuisance) not in (0, self.n_fold + 1):
            raise ProductError("TrainingSet.nuisance", wanted=f"none or {self.n_fold + 1}", got=len(self.nuisance))

    @property
    def n_fold(self) -> int:
        """Number of folds."""
        return int(self.fold.max()) + 1 if len(self.fold) else 0

    def fold_of(self, planet_id: int) -> int | None:
        """Return the fold of a training planet; None for any other."""
        where = np.flatnonzero(self.planet_ids == planet_id)
        return int(self.fold[where[0]]) if len(where) else None

    def folds(self) -> dict[int, int]:
        """Return the fold of every training planet."""
        return dict(zip(self.planet_ids.tolist(), self.fold.tolist()))

    def spectra_without(self, held_out: int | None) -> np.ndarray:
        """Return all labels, or all but one fold's, (n, n_wavelength)."""
        return self.spectra[self._rows_without(held_out)]

    def labels(self, held_out: int | None = None) -> LabelStatistics:
        """Return the statistics of all labels, or of all but one fold's."""
        return label_statistics(self.spectra[self._rows_without(held_out)])

    def population(self, held_out: int | None = None) -> Population:
        """Learn the population from all planets, or from all but one fold's: a second with a thousand planets."""
        rows = self._rows_without(held_out)
        return learn_population(self.spectra[rows], self.wavelength, self._nuisance(held_out))

    def _nuisance(self, held_out: int | None) -> NuisancePrior | None:
        if not self.nuisance:
            return None
        return self.nuisance[-1 if held_out is None or self.n_fold == 1 else held_out]

    def content_hash(self) -> str:
        """Return a hash of everything that a population could learn from."""
        digest, arrays = hashlib.sha256(), {}
        digest.update(json.dumps(encoded(self, "", arrays), sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
        return digest.hexdigest()[:16]

    def _rows_without(self, held_out: int | None) -> np.ndarray | slice:
        # A single fold cannot be held out: nothing would be left to learn from.
        return self.fold != held_out if held_out is not None and len(set(self.fold)) > 1 else slice(None)


@dataclass(frozen=True)
class StoredTrainingSet:
    """A training set in a file, small enough to be sent with every planet.

    Attributes:
        path: of the file.
        key: hash of its content.
        unwritten: the training set itself where it could not be written: it is sent with every planet then.
    """

    path: Path
    key: str
    unwritten: TrainingSet | None = None

    def training_set(self) -> TrainingSet:
        """Return the training set, read once a process."""
        return _read(self)

    def population_without(self, planet_id: int) -> Population:
        """Return the population of the folds that do not hold a planet; of all if it is no training planet."""
        return self.population(self.training_set().fold_of(planet_id))

    def population(self, held_out: int | None = None) -> Population:
        """Return the population of all planets, or of all but one fold's, learned once a process."""
        return _learned(self, held_out)


def store_training_set(training_set: TrainingSet, folder: Path) -> StoredTrainingSet:
    """Write a training set where worker processes can read it, unless it lies there already.

    Args:
        training_set: what is written.
        folder: of the file; made if it is not there.
    """
    path, key = folder / _FILE, training_set.content_hash()
    if stored_key(path) != key:
        try:
            save_product(path, training_set, key)
        except OSError as error:
            logger.warning("%s cannot be written, the training set is sent with every planet: %s", path, error)
            return StoredTrainingSet(path, key, training_set)
    return StoredTrainingSet(path, key)


@lru_cache(maxsize=2)
def _read(stored: StoredTrainingSet) -> TrainingSet:
    return load_product(stored.path, TrainingSet) if stored.unwritten is None else stored.unwritten


@lru_cache(maxsize=16)
def _learned(stored: StoredTrainingSet, held_out: int | None) -> Population:
    return _read(stored).population(held_out)
