"""The trained model as files: ``model.npz`` (arrays) and ``model.json`` (what it is, for people and for finding it).

A model is the training set and what held-out planets taught about predictions; populations and priors are learned from
it when asked for. Networks lie beside it, in ``networks/``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.prediction.input_ranges import STATISTICS
from spectramind_kit.prediction.plausibility import Safeguards
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.shapes import require_shape
from spectramind_kit.uncertainty.posthoc import PosthocCalibration
from spectramind_kit.work_folder.layout import NETWORKS
from spectramind_kit.work_folder.model_record import MARKER, foreign_files, read_model_record, write_model_record
from spectramind_kit.work_folder.store import UNREADABLE, load_product, save_product

_ARRAYS = "model.npz"


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
        safeguards: what training planets teach about damaged ones.
    """

    training_set: TrainingSet
    calibration: PosthocCalibration
    fold_calibrations: tuple[PosthocCalibration, ...] = ()
    n_measured: int = 0
    score: float = float("nan")
    fit_score: float = float("nan")
    kind: str = "none"
    safeguards: Safeguards = field(default_factory=Safeguards)

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


def save_model(
    model: TrainedModel,
    folder: Path,
    *,
    edition: str = "",
    settings: str = "",
    code: str = "",
    start_from: str = "",
    held_out: Mapping[str, object] | None = None,
) -> Path:
    """Write a model into a folder of its own, beside its networks if it has any.

    Args:
        model: to be written.
        folder: of the model.
        edition: of the competition that it was trained for; "" where that does not matter.
        settings: hash of the settings that its planets were measured with, likewise.
        code: hash of the code that trained it, likewise.
        start_from: generation of the weights that its networks started from; "" for none.
        held_out: how often the truth of held-out planets lay within what was promised (``held_out_coverage``).
    """
    save_product(folder / _ARRAYS, model)
    fgs1_scale, airs_scale = (round(float(part.mean()), 4) for part in np.split(model.sigma_scale, [1]))
    weight = model.calibration.blending_weight
    facts = {
        "edition": edition,
        "settings": settings,
        "code": code,
        "wavelengths": [len(model.wavelength), float(model.wavelength[0]), float(model.wavelength[-1])],
        "n_planets": len(model.training_set.planet_ids),
        "n_measured": model.n_measured,
        "out_of_fold_score": None if np.isnan(model.score) else round(model.score, 6),
        "out_of_fold_score_of_the_fit": None if np.isnan(model.fit_score) else round(model.fit_score, 6),
        "sigma_scale": {"FGS1": fgs1_scale, "AIRS-CH0": airs_scale},
        "kind": model.kind,
        "start_from": start_from,
        "network_share": {"FGS1": float(weight[0]), "AIRS-CH0": float(weight[1])},
        "safeguards": _in_words(model.safeguards),
        **({"held_out": held_out} if held_out else {}),
    }
    write_model_record(folder, facts)
    return folder


def _in_words(learned: Safeguards) -> dict[str, object]:
    """Return safeguards for people: low, high and allowance by the name of what they are of, factors by flag."""
    found: dict[str, object] = {
        "significance": round(learned.significance, 3),
        "wrong": round(learned.wrong, 4),
        "factors": {flag.name: round(factor, 3) for flag, factor in learned.factors.items()},
    }
    if (ranges := learned.ranges) is not None:
        table = np.round([ranges.low, ranges.high, ranges.allowance], 6).T.tolist()
        found["ranges"] = {name: row for name, row in zip(STATISTICS, table) if np.isfinite(row).all()}
    return found


def holds_model(folder: Path) -> bool:
    """Whether a folder holds parts of a model, whatever can be made of them; True where one may not look.

    Args:
        folder: that may be a model's.
    """
    try:
        return any((folder / name).exists() for name in (MARKER, _ARRAYS))
    except OSError:
        return True


def load_model(folder: Path, *, edition: str = "", settings: str = "") -> TrainedModel:
    """Read a model back.

    Args:
        folder: that ``save_model`` wrote.
        edition: that it must be of; "" for any.
        settings: hash of the settings that it must be of; "" for any.

    Raises:
        CompetitionDataError: if the folder holds none, a damaged one, one of another version of the kit, one whose
            parts do not belong together, or one of another edition or other settings.
    """
    path = Path(folder) / _ARRAYS
    if not path.is_file():
        raise CompetitionDataError(
            f"model folder {folder}", wanted=_ARRAYS, got="no such file", remedy="run `spectramind train` first"
        )
    try:
        model = load_product(path, TrainedModel)
    except UNREADABLE as error:
        raise CompetitionDataError(
            f"{path}",
            wanted="a trained model of this version",
            got=f"a damaged file, or one that an older version wrote ({error})",
            remedy="run `spectramind train` again",
        ) from error
    record = read_model_record(Path(folder)) or {}
    if foreign_files(Path(folder), record, _ARRAYS):
        raise CompetitionDataError(
            f"{path}",
            wanted=f"the file that {MARKER} beside it was written for",
            got="another one: a training was interrupted, or two shared the folder",
            remedy="run `spectramind train` again",
        )
    for what, wanted in (("edition", edition), ("settings", settings)):
        if wanted and record.get(what) not in ("", wanted):
            raise CompetitionDataError(
                f"model in {folder}",
                wanted=f"{what} {wanted}",
                got=f"one trained with {what} {record.get(what)}",
                remedy="train with the same data and settings, or submit with those of the model",
            )
    return model


def require_own_networks(folder: Path) -> None:
    """Refuse networks that are not those a model was written with.

    Args:
        folder: of the model; where it has no record, nothing can be told.

    Raises:
        CompetitionDataError: naming the files.
    """
    record = read_model_record(folder)
    if record is not None and (foreign := foreign_files(folder, record, NETWORKS)):
        raise CompetitionDataError(
            f"networks in {folder / NETWORKS}",
            wanted=f"those of generation {record.get('generation')} in {MARKER}",
            got=f"{', '.join(foreign[:3])} missing, damaged, or of another training",
            remedy="run `spectramind train` again",
        )
