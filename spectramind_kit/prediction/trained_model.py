"""The trained model as files: ``model.npz`` (arrays) and ``model.json`` (what it is, for people and for finding it).

A model is the training labels, their folds, the limb darkening of the fitted stars and the recalibrations of sigmas;
populations and priors are learned from them in milliseconds when asked for. Networks lie beside it, in ``networks/``.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.prediction.population import Population, learn_population
from spectramind_kit.products import require_shape
from spectramind_kit.uncertainty.recalibration import Recalibration, no_recalibration
from spectramind_kit.work_folder.store import UNREADABLE, load_product, save_product

MARKER = "model.json"


@dataclass(frozen=True, eq=False)
class Model:
    """What was learned from the training planets.

    Attributes:
        planet_ids: (n_planet,) int64; spectra: (n_planet, n_wavelength) labels; fold: (n_planet,) their folds.
        wavelength: (n_wavelength,) [um].
        recalibration: (n_group, 7) of the predicted sigmas, a table as ``Recalibration`` packs it.
        n_measured: planets whose light curves the recalibration rests on.
        score: out-of-fold score on those planets; NaN without any.
        darkening, darkening_covariance: limb darkening of the fitted planets, (n_planet, n, 2) and (n_planet, n, n) as
            in ``Darkened``; NaN for planets without a fit.
        fit_score: as ``score``, of fit and prior alone.
        kind: what else answers: "none", "v50", or a public baseline.
        network_recalibration: (n_group, 7) of its sigmas; share: (n_wavelength,) how much it may say.
        conformal: (n_wavelength,) last factor on sigma, one where none was asked for.
    """

    planet_ids: np.ndarray
    spectra: np.ndarray
    fold: np.ndarray
    wavelength: np.ndarray
    recalibration: np.ndarray
    n_measured: int
    score: float = float("nan")
    darkening: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 2)))
    darkening_covariance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    fit_score: float = float("nan")
    kind: str = "none"
    network_recalibration: np.ndarray = field(default_factory=lambda: no_recalibration().table())
    share: np.ndarray = field(default_factory=lambda: np.zeros(0))
    conformal: np.ndarray = field(default_factory=lambda: np.ones(0))

    def __post_init__(self):
        require_shape("Model", "spectra", self.spectra, (len(self.planet_ids), len(self.wavelength)))
        require_shape("Model", "fold", self.fold, (len(self.planet_ids),))
        for name, usual in (("share", 0.0), ("conformal", 1.0)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.wavelength), usual))
            require_shape("Model", name, getattr(self, name), (len(self.wavelength),))

    @property
    def sigma_scale(self) -> np.ndarray:
        """Factor on the sigmas of a planet without flags and with usual sigmas, (n_wavelength,) [1]."""
        table, ones = self.recalibration, np.ones(len(self.wavelength))
        usual = np.exp(np.repeat(table[:, 4], [1, len(ones) - 1]))
        return Recalibration.from_table(table).factor(usual, ones, flagged=False)

    @lru_cache(maxsize=16)  # noqa: B019 - models are few and live as long as the run
    def population(self, held_out: int | None = None) -> Population:
        """Learn the population from all planets, or from all but one fold's."""
        kept = self.fold != held_out if held_out is not None and len(set(self.fold)) > 1 else slice(None)
        told = (self.darkening[kept], self.darkening_covariance[kept]) if len(self.darkening) else None
        return learn_population(self.spectra[kept], self.wavelength, told)

    def fold_of(self, planet_id: int) -> int | None:
        """Return the fold of a training planet; None for any other."""
        where = np.flatnonzero(self.planet_ids == planet_id)
        return int(self.fold[where[0]]) if len(where) else None

    def population_without(self, planet_id: int) -> Population:
        """Learn the population from the folds that do not hold this planet; from all if it is no training planet."""
        return self.population(self.fold_of(planet_id))


def save_model(model: Model, folder: Path) -> Path:
    """Write a model into a folder of its own."""
    save_product(folder / "model.npz", model)
    fgs1_scale, airs_scale = (round(float(part.mean()), 4) for part in np.split(model.sigma_scale, [1]))
    facts = {
        "kit_version": __version__,
        "n_planets": len(model.planet_ids),
        "n_measured": model.n_measured,
        "out_of_fold_score": None if np.isnan(model.score) else round(model.score, 6),
        "out_of_fold_score_of_the_fit": None if np.isnan(model.fit_score) else round(model.fit_score, 6),
        "sigma_scale": {"FGS1": fgs1_scale, "AIRS-CH0": airs_scale},
        "kind": model.kind,
        "network_share": {"FGS1": float(model.share[0]), "AIRS-CH0": float(model.share[1])},
    }
    (folder / MARKER).write_text(json.dumps(facts, indent=2) + "\n")
    return folder


def load_model(folder: Path) -> Model:
    """Read a model back.

    Raises:
        CompetitionDataError: if the folder holds none, or a damaged one.
    """
    path = Path(folder) / "model.npz"
    if not path.is_file():
        raise CompetitionDataError(
            f"model folder {folder}", wanted="model.npz", got="no such file", remedy="run `spectramind train` first"
        )
    try:
        return load_product(path, Model)
    except UNREADABLE as error:
        raise CompetitionDataError(
            f"{path}", wanted="a trained model", got=f"a damaged file ({error})", remedy="run `spectramind train` again"
        ) from error
