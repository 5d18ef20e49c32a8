"""An example of a torch module: a small perceptron that reads each wavelength's node beside the planet's context."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from spectramind_kit.features.planet import CONTEXT, NODE, Features
from spectramind_kit.networks.batch import Batch
from spectramind_kit.networks.spectramind import Correction, Standardisation


class Perceptron(nn.Module):
    """One hidden layer over node and context of every wavelength; before training it changes nothing.

    Args:
        wavelength: (n_wavelength,) [um], which this one makes no use of.
        width: of the hidden layer.
    """

    def __init__(self, wavelength: np.ndarray, width: int = 32):
        super().__init__()
        self.node_scale, self.context_scale = Standardisation(len(NODE)), Standardisation(len(CONTEXT))
        self.hidden, self.head = nn.Linear(len(NODE) + len(CONTEXT), width), nn.Linear(width, 2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def learn(self, planets: Sequence[Features], truth: np.ndarray) -> None:
        """Take the scales of all inputs from training planets."""
        self.node_scale.learn(np.stack([each.node for each in planets]))
        self.context_scale.learn(np.stack([each.context for each in planets]))

    def forward(self, batch: Batch) -> Correction:
        """Return the correction of every planet and wavelength."""
        node, context = self.node_scale(batch.node), self.context_scale(batch.context)[:, None]
        both = torch.cat((node, context.expand(-1, node.shape[1], -1)), dim=2)
        delta, ln_factor = self.head(torch.relu(self.hidden(both))).unbind(dim=2)
        return Correction(delta, ln_factor)
