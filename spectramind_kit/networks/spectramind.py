"""SpectraMind V50: what the light-curve fit leaves, read from its residuals over time and wavelength.

    light curves, residuals, jitter -> Mamba over time  \\
                                                          cross-attention -> heads: mean shift, ln sigma factor
    depths, sigmas, residual statistics -> graph over wavelength /

    mean = m + s delta,   sigma = s exp(lambda)      (m, s: the prediction of fit and prior)

The heads start at zero, so an untrained network predicts what the fit predicts; the correction that physics predicts
is added to the heads' by a skip connection (``linear_correction``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spectramind_kit.features.planet import (
    CONTEXT,
    LARGEST_INPUT,
    LARGEST_LN_FACTOR,
    LARGEST_SHIFT,
    NODE,
    Features,
)
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.networks.batch import Batch
from spectramind_kit.networks.fusion import Fusion
from spectramind_kit.networks.linear_correction import LinearCorrection
from spectramind_kit.networks.mamba import LightCurveEncoder
from spectramind_kit.networks.spectral_graph import AirsSpectralGNN, spectral_graph
from spectramind_kit.settings.model import ModelConfig
from spectramind_kit.symbolic.bands import BANDS, MOLECULES


@dataclass(frozen=True)
class Correction:
    """What the network predicts.

    Attributes:
        delta: (batch, n_wavelength) shift of the mean [sigma of the fit].
        ln_factor: (batch, n_wavelength) ln of the factor on sigma [1].
    """

    delta: Tensor
    ln_factor: Tensor


class Standardisation(nn.Module):
    """Mean and scale of every channel over the training planets, stored with the weights.

    Args:
        n_channel: channels, the last axis of what is standardised.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_channel: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_channel))
        self.register_buffer("scale", torch.ones(n_channel))

    def learn(self, values: np.ndarray) -> None:
        """Take mean and scale from values (..., n_channel)."""
        flat = torch.as_tensor(values, dtype=torch.float32).reshape(-1, values.shape[-1])
        self.mean.copy_(flat.mean(dim=0))
        spread = flat.std(dim=0, correction=0)
        self.scale.copy_(torch.where(spread > 1e-6, spread, 1.0))

    def forward(self, values: Tensor) -> Tensor:
        """Return standardised values, cut where no training planet was."""
        return ((values - self.mean) / self.scale).clamp(-LARGEST_INPUT, LARGEST_INPUT)


class SpectraMindV50(nn.Module):
    """The network.

    Args:
        wavelength: (n_wavelength,) [um], FGS1 first.
        config: sizes.
    """

    fgs1: Tensor

    def __init__(self, wavelength: np.ndarray, config: ModelConfig):
        super().__init__()
        d_model, dropout = config.d_model, config.dropout
        self.d_model, self.patch = d_model, config.patch
        self.sequence_scale = Standardisation(len(SEQUENCE))
        self.node_scale = Standardisation(len(NODE))
        self.context_scale = Standardisation(len(CONTEXT))
        self.time_encoder = LightCurveEncoder(
            config.patch * len(SEQUENCE), d_model, config.time_layers, d_state=config.d_state, dropout=dropout
        )
        self.graph_encoder = AirsSpectralGNN(
            spectral_graph(wavelength, molecular_bands()),
            len(NODE),
            d_model,
            config.graph_layers,
            n_head=config.heads,
            dropout=dropout,
        )
        self.context_encoder = nn.Sequential(
            nn.Linear(len(CONTEXT), d_model), nn.GELU(), nn.Dropout(dropout), nn.Linear(d_model, d_model)
        )
        self.fusion = Fusion(d_model, config.heads, config.fusion_layers, dropout)
        self.wavelength_head = _head(2 * d_model, 2, dropout)
        self.channel_head = _head(3 * d_model, 4, dropout)
        self.linear_correction = LinearCorrection(is_fgs1(wavelength))
        self.register_buffer("fgs1", torch.from_numpy(is_fgs1(wavelength)).float())

    def learn(self, planets: Sequence[Features], truth: np.ndarray) -> None:
        """Take the scales of all inputs, and the gains of the linear correction, from training planets.

        Args:
            planets: their features.
            truth: (n_planet, n_wavelength) [(Rp/Rs)^2].
        """
        node = np.stack([each.node for each in planets])
        self.sequence_scale.learn(np.concatenate([visit for each in planets for visit in each.visits]))
        self.node_scale.learn(node)
        self.context_scale.learn(np.stack([each.context for each in planets]))
        residuals = [(true - each.mean) / each.sigma for each, true in zip(planets, truth)]
        self.linear_correction.learn(node, np.stack(residuals))

    def forward(self, batch: Batch) -> Correction:
        """Return the correction of every planet and wavelength."""
        context = self.context_encoder(self.context_scale(batch.context))[:, None]  # (B, 1, D)
        times, valid = self.encode_times(batch)  # (B, V T', D), (B, V T')
        nodes = self.graph_encoder(self.node_scale(batch.node)) + context  # (B, N, D)
        nodes, times = self.fusion(nodes, times + context, valid)
        steps = valid[:, :, None].float()
        time_mean = (times * steps).sum(dim=1) / steps.sum(dim=1).clamp(min=1.0)  # (B, D)
        planet = torch.cat((time_mean, nodes.mean(dim=1), context[:, 0]), dim=1)  # (B, 3 D)
        common = self.channel_head(planet).reshape(-1, 2, 2)  # (B, channel, what)
        common = common[:, :1] * self.fgs1[:, None] + common[:, 1:] * (1.0 - self.fgs1[:, None])  # (B, N, what)
        each = self.wavelength_head(torch.cat((nodes, context.expand_as(nodes)), dim=2))
        delta, ln_factor = (common + each + self.linear_correction(batch.node)).unbind(dim=2)
        return Correction(
            LARGEST_SHIFT * torch.tanh(delta / LARGEST_SHIFT),
            LARGEST_LN_FACTOR * torch.tanh(ln_factor / LARGEST_LN_FACTOR),
        )

    def encode_times(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the encoded steps of all visits one after the other (batch, n_step, d_model), and which are valid."""
        steps, valid = self.patches(self.sequence_scale(batch.sequence), batch.valid)
        there = valid.any(dim=2)  # (B, V): most planets have one visit, and padding costs as much as light curves
        encoded = steps.new_zeros(*valid.shape, self.d_model)  # (B, V, T', D)
        encoded[there] = self.time_encoder(steps[there], valid[there]).to(encoded.dtype)
        return encoded.flatten(1, 2), valid.flatten(1, 2)

    def patches(self, sequence: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Lay ``patch`` bins side by side as one step; bins that do not fill a step are left out.

        Returns:
            Steps (batch, n_visit, n_step, patch * n_channel), and which hold valid bins only.
        """
        n_step = sequence.shape[2] // self.patch
        masked = sequence[:, :, : n_step * self.patch] * valid[:, :, : n_step * self.patch, None]
        steps = masked.unflatten(2, (n_step, self.patch)).flatten(3)
        return steps, valid[:, :, : n_step * self.patch].unflatten(2, (n_step, self.patch)).all(dim=3)


def molecular_bands() -> dict[str, list[tuple[float, float]]]:
    """Return the bands of every molecule, (lowest, highest) wavelength [um] each."""
    return {name: [band.edges for band in BANDS if band.molecule == name] for name in MOLECULES}


def _head(d_in: int, d_out: int, dropout: float) -> nn.Sequential:
    """Return a head whose output is zero before training."""
    first, last = nn.Linear(d_in, d_in // 2), nn.Linear(d_in // 2, d_out)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(d_in), first, nn.GELU(), nn.Dropout(dropout), last)
