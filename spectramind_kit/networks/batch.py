"""Planets laid side by side, as a network takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.features.planet import Features
from spectramind_kit.features.visit import SEQUENCE


@dataclass(frozen=True)
class Batch:
    """Planets side by side.

    Attributes:
        sequence: (batch, n_visit, n_time, len(SEQUENCE)); valid: (batch, n_visit, n_time) bool, False where padded.
        node: (batch, n_wavelength, len(NODE)); context: (batch, len(CONTEXT)).
        mean, sigma: (batch, n_wavelength) the answer to correct [(Rp/Rs)^2].
        pull: (batch, n_wavelength) (truth - mean) / sigma; None where the truth is not known.
    """

    sequence: Tensor
    valid: Tensor
    node: Tensor
    context: Tensor
    mean: Tensor
    sigma: Tensor
    pull: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(None if part is None else part.to(device) for part in vars(self).values()))


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
