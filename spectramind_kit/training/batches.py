"""Batches of planets, and what changes a training planet without changing its truth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch.utils.data import Dataset

from spectramind_kit.features.planet import Features
from spectramind_kit.networks.batch import Batch, collate
from spectramind_kit.training.examples import Examples


class PlanetDataset(Dataset[tuple[Features, np.ndarray]]):
    """Training planets, one an item, changed anew each time they are asked for.

    Args:
        examples: the planets.
        time_flip: probability that time is reversed.
        visit_dropout: probability that one of several visits is left out.
        seed: of these changes.
    """

    def __init__(self, examples: Examples, time_flip: float = 0.0, visit_dropout: float = 0.0, seed: int = 0):
        self.examples, self.time_flip, self.visit_dropout = examples, time_flip, visit_dropout
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, place: int) -> tuple[Features, np.ndarray]:
        features = augmented(self.examples.features[place], self.time_flip, self.visit_dropout, self.rng)
        return features, self.examples.truth[place]


def augmented(features: Features, time_flip: float, visit_dropout: float, rng: np.random.Generator) -> Features:
    """Return a planet with time reversed, and with one visit fewer, each at random.

    Args:
        features: of the planet.
        time_flip: probability that time is reversed.
        visit_dropout: probability that one of several visits is left out.
        rng: random numbers.
    """
    if rng.random() < time_flip:
        features = features.flipped()
    if len(features.visits) > 1 and rng.random() < visit_dropout:
        left_out = int(rng.integers(len(features.visits)))
        others = tuple(visit for i, visit in enumerate(features.visits) if i != left_out)
        features = replace(features, visits=others)
    return features


def collate_items(items: Sequence[tuple[Features, np.ndarray]]) -> Batch:
    """Collate items of a ``PlanetDataset``."""
    return collate([features for features, _ in items], np.stack([truth for _, truth in items]))
