"""Planets laid side by side, as a network takes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.errors import ProductError
from spectramind_kit.features.planet import Features
from spectramind_kit.features.visit import SEQUENCE


@dataclass(frozen=True)
class Batch:
    """Planets side by side.

    Attributes:
        sequence: (batch, n_visit, n_time, len(SEQUENCE)).
        valid: (batch, n_visit, n_time) bool, False where padded.
        node: (batch, n_wavelength, len(NODE)).
        context: (batch, len(CONTEXT)).
        mean: (batch, n_wavelength) of the prediction to correct [(Rp/Rs)^2].
        sigma: (batch, n_wavelength) of the prediction to correct [(Rp/Rs)^2].
        standardised_residual: (batch, n_wavelength) (truth - mean) / sigma; None where the truth is not known.
    """

    sequence: Tensor
    valid: Tensor
    node: Tensor
    context: Tensor
    mean: Tensor
    sigma: Tensor
    standardised_residual: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        here = vars(self).items()
        return replace(self, **{name: part.to(device) for name, part in here if part is not None})

    def truth(self) -> Tensor:
        """Return the true spectra (batch, n_wavelength) [(Rp/Rs)^2].

        Raises:
            ProductError: if the truth is not known.
        """
        if self.standardised_residual is None:
            raise ProductError("Batch.standardised_residual", wanted="planets of known truth", got="none")
        return self.mean + self.sigma * self.standardised_residual


def collate(features: Sequence[Features], truth: np.ndarray | None = None) -> Batch:
    """Lay planets side by side; shorter visits and missing second ones are padded and marked as not valid.

    Args:
        features: of the planets.
        truth: (n_planet, n_wavelength) where it is known [(Rp/Rs)^2].
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
    residual = None if truth is None else torch.from_numpy((truth - mean) / sigma).float()
    return Batch(
        torch.from_numpy(sequence),
        torch.from_numpy(valid),
        torch.from_numpy(np.stack([each.node for each in features])),
        torch.from_numpy(np.stack([each.context for each in features])),
        torch.from_numpy(mean).float(),
        torch.from_numpy(sigma).float(),
        residual,
    )
