"""Batches of planets, and what changes a training planet without changing its truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import Dataset

from spectramind_kit.features.planet import Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.networks.spectramind import Batch
from spectramind_kit.training.examples import Examples


def collate(features: Sequence[Features], truth: np.ndarray | None = None) -> Batch:
    """Lay planets side by side; shorter visits and missing second ones are padded and marked as not valid.

    Args:
        features: of the planets; truth: (n_planet, n_wavelength) where it is known.
    """
    n_visit = max(len(each.visits) for each in features)
    n_time = max(len(visit) for each in features for visit in each.visits)
    sequence = np.zeros((len(features), n_visit, n_time, len(SEQUENCE)), dtype=np.float32)
    valid = np.zeros(sequence.shape[:3], dtype=bool)
    for planet, each in enumerate(features):
        for place, visit in enumerate(each.visits):
            sequence[planet, place, : len(visit)] = visit
            valid[planet, place, : len(visit)] = True
    mean, sigma = (np.stack([getattr(each, name) for each in features]) for name in ("mean", "sigma"))
    pull = None if truth is None else torch.from_numpy((truth - mean) / sigma).float()
    return Batch(
        torch.from_numpy(sequence),
        torch.from_numpy(valid),
        torch.from_numpy(np.stack([each.node for each in features])),
        torch.from_numpy(np.stack([each.context for each in features])),
        torch.from_numpy(mean).float(),
        torch.from_numpy(sigma).float(),
        pull,
    )


class PlanetDataset(Dataset):
    """Training planets, one an item, changed anew each time they are asked for.

    Args:
        examples: the planets.
        time_flip: probability that time is reversed; visit_dropout: that one of several visits is left out.
        seed: of these changes.
    """

    def __init__(self, examples: Examples, time_flip: float = 0.0, visit_dropout: float = 0.0, seed: int = 0):
        self.examples, self.time_flip, self.visit_dropout = examples, time_flip, visit_dropout
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> tuple[Features, np.ndarray]:
        features = varied(self.examples.features[place], self.time_flip, self.visit_dropout, self.rng)
        return features, self.examples.truth[place]


def varied(features: Features, time_flip: float, visit_dropout: float, rng: np.random.Generator) -> Features:
    """Return a planet with time reversed, and with one visit fewer, as often as asked for."""
    if rng.random() < time_flip:
        features = features.flipped()
    if len(features.visits) > 1 and rng.random() < visit_dropout:
        left_out = int(rng.integers(len(features.visits)))
        kept = tuple(visit for i, visit in enumerate(features.visits) if i != left_out)
        features = replace(features, visits=kept)
    return features


def collate_items(items: Sequence[tuple[Features, np.ndarray]]) -> Batch:
    """Join items of a ``PlanetDataset``."""
    return collate([features for features, _ in items], np.stack([truth for _, truth in items]))
