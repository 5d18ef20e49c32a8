"""Time and wavelength exchange what they encode: cross-attention both ways, with residuals that start almost shut.

Each layer lets every wavelength attend to the times and every time to the wavelengths (Vaswani et al. 2017, with norms
before attention), scaled by a small learned gain (LayerScale, Touvron et al. 2021).
"""

import torch
from torch import Tensor, nn

_FIRST_GAIN = 0.1


class CrossAttention(nn.Module):
    """One stream attends to another: x + gain * attention(norm(x), norm(y)), then a feed-forward block.

    Args:
        d_model: width of both streams.
        heads: attention heads.
        dropout: fraction of activations dropped.
    """

    def __init__(self, d_model: int, heads: int, dropout: float):
        super().__init__()
        self.norm, self.other_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        # No dropout on the attention itself: drawing it for every pair costs more than the attention.
        self.attention = nn.MultiheadAttention(d_model, heads, batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(d_model),
            nn.Linear(d_model, 2 * d_model),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * d_model, d_model),
        )
        self.attention_gain = nn.Parameter(torch.full((d_model,), _FIRST_GAIN))
        self.forward_gain = nn.Parameter(torch.full((d_model,), _FIRST_GAIN))

    def forward(self, stream: Tensor, other: Tensor, other_valid: Tensor | None = None) -> Tensor:
        """Return the stream after attending to the other.

        Args:
            stream: (batch, n, d_model).
            other: (batch, m, d_model).
            other_valid: (batch, m) bool, at least one True a row; None if all are.
        """
        source = self.other_norm(other)  # (B, M, D)
        hidden = None if other_valid is None else ~other_valid
        attended, _ = self.attention(self.norm(stream), source, source, key_padding_mask=hidden, need_weights=False)
        stream = stream + self.attention_gain * attended  # (B, N, D)
        return stream + self.forward_gain * self.feed_forward(stream)


class Fusion(nn.Module):
    """Layers in which wavelengths attend to times and times to wavelengths.

    Args:
        d_model: width.
        heads: attention heads.
        n_layer: layers.
        dropout: fraction of activations dropped.
    """

    def __init__(self, d_model: int, heads: int, n_layer: int, dropout: float):
        super().__init__()
        self.to_time = nn.ModuleList(CrossAttention(d_model, heads, dropout) for _ in range(n_layer))
        self.to_wavelength = nn.ModuleList(CrossAttention(d_model, heads, dropout) for _ in range(n_layer))

    def forward(self, wavelengths: Tensor, times: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return both streams after all layers.

        Args:
            wavelengths: (batch, n_wavelength, d_model).
            times: (batch, n_time, d_model).
            valid: (batch, n_time) bool.
        """
        # Both attend to the streams of the layer before, so that neither has the other's news first.
        for to_time, to_wavelength in zip(self.to_time, self.to_wavelength):
            wavelengths, times = to_time(wavelengths, times, valid), to_wavelength(times, wavelengths)
        return wavelengths, times
