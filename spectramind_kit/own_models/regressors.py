"""Regressors over tables: trained fold by fold, stored, and asked about planets that they have not seen.

A regressor is any class with ``fit(features, targets)`` and ``predict(features)``, such as scikit-learn's:

- features (n_planet, len(TABLE)), standardised over the planets it learns from; ``features.table.TABLE`` names them;
- targets (n_planet, n_wavelength), how far the truth lies from fit and prior, in their sigmas;
- ``predict`` returns the expected targets; or a pair, with the logarithm of the factor on sigma.

``fit`` that takes ``folds`` gets the (n_planet,) folds too. A guess that does not help loses its weight on held-out
planets, as a network's does.
"""

import inspect
import json
import logging
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.features.planet import LARGEST_INPUT, LARGEST_LN_FACTOR, LARGEST_SHIFT, Features
from spectramind_kit.features.table import TABLE, table
from spectramind_kit.files import replacing
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.own_models.import_model import SOURCE, carry_source, model_class
from spectramind_kit.settings.model import ModelConfig
from spectramind_kit.shapes import require_shape

logger = logging.getLogger(__name__)

_RECORD = "regressors.json"
_CONSTANT = 1e-9
"""Spread below which a feature is the same for every planet."""


class Regressor(Protocol):
    """What a model from outside has to offer."""

    def fit(self, features: np.ndarray, targets: np.ndarray) -> object:
        """Learn from planets."""
        ...

    def predict(self, features: np.ndarray) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the expected targets, or these and the logarithm of the factor on sigma."""
        ...


class Trained(NamedTuple):
    """A regressor and the scales of its features."""

    regressor: Regressor
    mean: np.ndarray
    scale: np.ndarray

    def correction(self, row: np.ndarray, n_wavelength: int) -> np.ndarray:
        """Return shift [sigma] and ln of the factor on sigma of a planet, (2, n_wavelength).

        Args:
            row: (len(TABLE),) features.
            n_wavelength: points of a spectrum.
        """
        scaled = ((row - self.mean) / self.scale).clip(-LARGEST_INPUT, LARGEST_INPUT)
        answer = self.regressor.predict(scaled[None])
        parts = answer if isinstance(answer, tuple) else (answer, np.zeros(1))
        # One number a planet holds for all its wavelengths.
        shift, ln_factor = (np.asarray(part, dtype=np.float64).reshape(-1) for part in parts)
        if not {len(shift), len(ln_factor)} <= {1, n_wavelength}:
            got = f"{len(shift)} and {len(ln_factor)}"
            raise ProductError("prediction of a regressor", wanted=f"{n_wavelength} numbers a planet", got=got)
        limited = (
            np.broadcast_to(part.clip(-limit, limit), n_wavelength)
            for part, limit in ((shift, LARGEST_SHIFT), (ln_factor, LARGEST_LN_FACTOR))
        )
        return np.array(list(limited))


def train_regressors(
    model: ModelConfig, planets: Sequence[Features], truth: np.ndarray, fold: np.ndarray, fgs1: np.ndarray, folder: Path
) -> None:
    """Train one regressor for every fold, on the planets of the others, and leave them in a folder with their source.

    Args:
        model: which class, and its arguments.
        planets: their features.
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2].
        fold: (n_planet,) of each planet.
        fgs1: (n_wavelength,) bool, which wavelengths are FGS1's.
        folder: emptied, then written.
    """
    require_shape("train_regressors", "truth", truth, (len(planets), len(fgs1)))
    require_shape("train_regressors", "fold", fold, (len(planets),))
    features = table(planets, fgs1)
    targets = np.array([(true - each.mean) / each.sigma for true, each in zip(truth, planets)])
    regressor_class, folds = model_class(model.kind), sorted({int(each) for each in fold})
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for held_out in folds:
        learned = fold != held_out if len(folds) > 1 else np.ones(len(fold), dtype=bool)
        trained = _trained(regressor_class(**(model.options or {})), features[learned], targets[learned], fold[learned])
        with replacing(_path(folder, held_out)) as temporary:
            temporary.write_bytes(pickle.dumps(trained))
    carry_source(model.kind, folder)
    record = {"kind": model.kind, "options": model.options, "folds": folds, "features": list(TABLE)}
    with replacing(folder / _RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1, default=str) + "\n")


def are_regressors(folder: Path) -> bool:
    """Return whether a folder holds what ``train_regressors`` wrote."""
    return (folder / _RECORD).is_file()


def corrected_by_regressors(
    folder: Path, planets: Sequence[Features], folds: Sequence[int | None], wavelength: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """Ask the regressors about planets, each those that have not seen it.

    The files are pickles, and are read by whoever has made sure that they are the model's own.

    Args:
        folder: that ``train_regressors`` wrote.
        planets: their features.
        folds: of each planet; None for one that no regressor has seen, which all predict together.
        wavelength: (n_wavelength,) [um].

    Returns:
        Mean and sigma (n_wavelength,) of each planet; None where a regressor failed on it, which the log explains.

    Raises:
        ProductError: if the regressors learned from other features than this version has.
        SpectraMindError: if their code cannot be imported.
    """
    record = json.loads((folder / _RECORD).read_text())
    if tuple(record["features"]) != TABLE:
        wanted, remedy = "those of this version's features", "run `spectramind train` again"
        raise ProductError(f"regressors in {folder}", wanted=wanted, got="others", remedy=remedy)
    model_class(record["kind"], folder / SOURCE)  # pickles need its module
    trained = {held_out: pickle.loads(_path(folder, held_out).read_bytes()) for held_out in record["folds"]}
    features, answers = table(planets, is_fgs1(wavelength)), []
    # One planet at a time: its last bits must not depend on its neighbours.
    for row, planet, fold in zip(features, planets, folds):
        try:
            asked = trained.values() if fold is None else [trained[fold]]
            shift, ln_factor = np.mean([each.correction(row, len(wavelength)) for each in asked], axis=0)
            answers.append((planet.mean + planet.sigma * shift, planet.sigma * np.exp(ln_factor)))
        except Exception:
            logger.warning("the regressor failed on planet %d", planet.planet_id, exc_info=True)
            answers.append(None)
    return answers


def _trained(regressor: Regressor, features: np.ndarray, targets: np.ndarray, fold: np.ndarray) -> Trained:
    """Train a regressor on standardised features."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > _CONSTANT, scale, 1.0)
    with_folds = {"folds": fold} if "folds" in inspect.signature(regressor.fit).parameters else {}
    regressor.fit(((features - mean) / scale).clip(-LARGEST_INPUT, LARGEST_INPUT), targets, **with_folds)
    return Trained(regressor, mean, scale)


def _path(folder: Path, fold: int) -> Path:
    return folder / f"fold{fold}.pkl"
