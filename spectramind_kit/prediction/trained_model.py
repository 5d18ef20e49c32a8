"""The trained model as files: ``model.npz`` (arrays) and ``model.json`` (what it is, for people and for finding it).

A model is the training set and what held-out planets taught about predictions; populations and priors are learned from
it when asked for. Networks lie beside it, in ``networks/``.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.shapes import require_shape
from spectramind_kit.uncertainty.posthoc import PosthocCalibration
from spectramind_kit.work_folder.store import UNREADABLE, load_product, save_product

MARKER = "model.json"


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What was learned from the training planets.

    Attributes:
        training_set: labels, folds, and the limb darkening of the fitted stars.
        calibration: of the predictions of new planets, learned from all held-out planets.
        fold_calibrations: of the planets of each fold, learned from the held-out planets of the other folds.
        n_measured: held-out planets that calibrations rest on.
        score: of the held-out planets, predicted and calibrated without their labels; NaN without any.
        fit_score: as ``score``, of fit and prior alone.
        kind: what predicts beside them: "none", "v50", or a public baseline.
    """

    training_set: TrainingSet
    calibration: PosthocCalibration
    fold_calibrations: tuple[PosthocCalibration, ...] = ()
    n_measured: int = 0
    score: float = float("nan")
    fit_score: float = float("nan")
    kind: str = "none"

    def __post_init__(self):
        n = len(self.training_set.wavelength)
        for calibration in (self.calibration, *self.fold_calibrations):
            require_shape("TrainedModel", "blending_weight", calibration.blending_weight, (n,))

    @property
    def wavelength(self) -> np.ndarray:
        """(n_wavelength,) [um]."""
        return self.training_set.wavelength

    @property
    def sigma_scale(self) -> np.ndarray:
        """Factor on the sigmas of a planet without flags and with usual sigmas, (n_wavelength,) [1]."""
        recalibration, ones = self.calibration.recalibration, np.ones(len(self.wavelength))
        usual = np.exp(np.repeat(recalibration.centre, [1, len(ones) - 1]))
        return recalibration.factor(usual, ones, flagged=False)

    def calibration_of(self, planet_id: int) -> PosthocCalibration:
        """Return the calibration that has not seen a planet's label.

        Args:
            planet_id: a training planet, which its fold's calibration suits, or any other.
        """
        fold = self.training_set.fold_of(planet_id)
        return self.fold_calibrations[fold] if fold is not None and self.fold_calibrations else self.calibration


def save_model(model: TrainedModel, folder: Path) -> Path:
    """Write a model into a folder of its own."""
    save_product(folder / "model.npz", model)
    fgs1_scale, airs_scale = (round(float(part.mean()), 4) for part in np.split(model.sigma_scale, [1]))
    weight = model.calibration.blending_weight
    facts = {
        "kit_version": __version__,
        "n_planets": len(model.training_set.planet_ids),
        "n_measured": model.n_measured,
        "out_of_fold_score": None if np.isnan(model.score) else round(model.score, 6),
        "out_of_fold_score_of_the_fit": None if np.isnan(model.fit_score) else round(model.fit_score, 6),
        "sigma_scale": {"FGS1": fgs1_scale, "AIRS-CH0": airs_scale},
        "kind": model.kind,
        "network_share": {"FGS1": float(weight[0]), "AIRS-CH0": float(weight[1])},
    }
    (folder / MARKER).write_text(json.dumps(facts, indent=2) + "\n")
    return folder


def load_model(folder: Path) -> TrainedModel:
    """Read a model back.

    Args:
        folder: that ``save_model`` wrote.

    Raises:
        CompetitionDataError: if the folder holds none, a damaged one, or one of another version of the kit.
    """
    path = Path(folder) / "model.npz"
    if not path.is_file():
        raise CompetitionDataError(
            f"model folder {folder}", wanted="model.npz", got="no such file", remedy="run `spectramind train` first"
        )
    try:
        return load_product(path, TrainedModel)
    except UNREADABLE as error:
        raise CompetitionDataError(
            f"{path}",
            wanted="a trained model of this version",
            got=f"a damaged file, or one that an older version wrote ({error})",
            remedy="run `spectramind train` again",
        ) from error
