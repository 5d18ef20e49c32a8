"""Planets whose truth is known, as a network learns from them: their features and labels, stored as one file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectramind_kit.features.planet import Features
from spectramind_kit.files import replacing
from spectramind_kit.shapes import require_shape

_STACKED = ("node", "context", "mean", "sigma")


@dataclass(frozen=True, eq=False)
class Examples:
    """Features of planets and the truth.

    Attributes:
        features: one a planet.
        truth: (n_planet, n_wavelength) [(Rp/Rs)^2].
        fold: (n_planet,) cross-validation fold; -1 where a planet is trained on in every fold.
        wavelength: (n_wavelength,) [um].
    """

    features: tuple[Features, ...]
    truth: np.ndarray
    fold: np.ndarray
    wavelength: np.ndarray

    def __post_init__(self):
        require_shape("Examples", "truth", self.truth, (len(self.features), len(self.wavelength)))
        require_shape("Examples", "fold", self.fold, (len(self.features),))

    def __len__(self) -> int:
        return len(self.features)

    def where(self, chosen: np.ndarray) -> "Examples":
        """Return some of the planets, by mask or place."""
        places = np.arange(len(self))[chosen]
        return Examples(tuple(self.features[i] for i in places), self.truth[places], self.fold[places], self.wavelength)

    def without(self, fold: int) -> "Examples":
        """Return what may be learned from when a fold is held out: the other folds, and what belongs to none."""
        return self.where(self.fold != fold)

    def content_hash(self) -> str:
        """Return a hash of everything that a network could learn from."""
        labels = self.truth.tobytes() + self.fold.tobytes() + self.wavelength.tobytes()
        return hashlib.sha256(labels + content_hash(self.features).encode()).hexdigest()[:16]


def content_hash(planets: Sequence[Features]) -> str:
    """Return a hash of all features of planets."""
    digest = hashlib.sha256()
    for each in planets:
        for array in (*each.visits, *(getattr(each, name) for name in _STACKED)):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def concatenated(parts: Sequence[Examples]) -> Examples:
    """Return the planets of several sets of the same wavelengths."""
    return Examples(
        tuple(features for part in parts for features in part.features),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.fold for part in parts]),
        parts[0].wavelength,
    )


def save_examples(path: Path, examples: Examples) -> None:
    """Write examples as one ``.npz``; visits of all planets lie one after the other."""
    visits = [visit for each in examples.features for visit in each.visits]
    arrays = {name: np.stack([getattr(each, name) for each in examples.features]) for name in _STACKED}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            planet_id=np.array([each.planet_id for each in examples.features]),
            n_visit=np.array([len(each.visits) for each in examples.features]),
            n_time=np.array([len(visit) for visit in visits]),
            sequence=np.concatenate(visits),
            truth=examples.truth,
            fold=examples.fold,
            wavelength=examples.wavelength,
            **arrays,  # pyright: ignore[reportArgumentType]  # none is called allow_pickle
        )


def load_examples(path: Path) -> Examples:
    """Read examples back."""
    with np.load(path, allow_pickle=False) as archive:
        stored = {name: archive[name] for name in archive.files}
    visits = iter(np.split(stored["sequence"], np.cumsum(stored["n_time"])[:-1]))
    return Examples(tuple(_planets(stored, visits)), *(stored[name] for name in ("truth", "fold", "wavelength")))


def _planets(stored: dict[str, np.ndarray], visits: Iterator[np.ndarray]) -> Iterator[Features]:
    for i, planet_id in enumerate(stored["planet_id"].tolist()):
        own = tuple(next(visits) for _ in range(stored["n_visit"][i]))
        yield Features(planet_id, own, *(stored[name][i] for name in _STACKED))
