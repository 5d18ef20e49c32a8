"""The trained model as files: ``model.npz`` (arrays) and ``model.json`` (what it is, for people and for finding it).

A model is the training labels, their folds and the sigma scales; populations and priors are learned from them in
milliseconds when asked for. Networks lie beside it, in ``networks/``.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.competition.store import UNREADABLE, load_product, save_product
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.products import require_shape
from spectramind_kit.training.population import Population, learn_population

MARKER = "model.json"


@dataclass(frozen=True, eq=False)
class Model:
    """What was learned from the training planets.

    Attributes:
        planet_ids: (n_planet,) int64; spectra: (n_planet, n_wavelength) labels; fold: (n_planet,) their folds.
        wavelength: (n_wavelength,) [um].
        sigma_scale: (n_wavelength,) [1], factor on the sigmas of fit and prior.
        n_measured: planets whose light curves the scale rests on.
        score: out-of-fold score on those planets; NaN without any. fit_score: that of fit and prior alone.
        kind: what else answers: "none", "v50", or a public baseline.
        network_scale: (n_wavelength,) [1], factor on its sigmas; share: (n_wavelength,) how much it may say.
    """

    planet_ids: np.ndarray
    spectra: np.ndarray
    fold: np.ndarray
    wavelength: np.ndarray
    sigma_scale: np.ndarray
    n_measured: int
    score: float = float("nan")
    fit_score: float = float("nan")
    kind: str = "none"
    network_scale: np.ndarray | None = None
    share: np.ndarray | None = None

    def __post_init__(self):
        require_shape("Model", "spectra", self.spectra, (len(self.planet_ids), len(self.wavelength)))
        require_shape("Model", "fold", self.fold, (len(self.planet_ids),))
        for name, silent in (("network_scale", 1.0), ("share", 0.0)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(len(self.wavelength), silent))
            require_shape("Model", name, getattr(self, name), (len(self.wavelength),))

    @lru_cache(maxsize=16)  # noqa: B019 - models are few and live as long as the run
    def population(self, held_out: int | None = None) -> Population:
        """Learn the population from all planets, or from all but one fold's."""
        kept = self.fold != held_out if held_out is not None and len(set(self.fold)) > 1 else slice(None)
        return learn_population(self.spectra[kept], self.wavelength)

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
    fgs1_scale, airs_scale = (round(float(scale), 4) for scale in model.sigma_scale[:2])
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
