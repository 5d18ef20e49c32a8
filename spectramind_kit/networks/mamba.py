"""Mamba blocks and a bidirectional encoder of light curves built from them.

Gu and Dao (2023), "Mamba: Linear-time sequence modeling with selective state spaces", arXiv:2312.00752: the block is
its figure 3, the initialisation its section 3.6. The parameters of ``MambaBlock`` have the names and shapes of
``mamba_ssm.Mamba``, so that a checkpoint goes both ways, and are the same for every path of the scan: what a GPU
trained, a CPU predicts with.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.networks.selective_scan import selective_scan

STEP_SIZES = 1e-3, 0.1
"""Range of the steps delta at initialisation: memories of about 10 to 1000 steps for the slowest state."""
NO_STEP = -1e4
"""Softplus of it is exactly zero in single precision: the state is left alone."""


class MambaBlock(nn.Module):
    """A selective state space between a short causal convolution and a gate.

    Args:
        d_model: features of input and output.
        d_state: states for each inner channel.
        d_conv: steps that the convolution spans.
        expand: inner channels for each feature.
        dt_rank: rank of the map from inner channels to their steps; None takes a sixteenth of ``d_model``.
        path: how the scan is computed (see ``selective_scan``); no part of a checkpoint.
    """

    def __init__(
        self,
        d_model: int,
        d_state: int = 16,
        d_conv: int = 4,
        expand: int = 2,
        dt_rank: int | None = None,
        path: str = "auto",
    ):
        super().__init__()
        d_inner = expand * d_model
        self.d_state, self.dt_rank, self.path = d_state, dt_rank or math.ceil(d_model / 16), path
        self.in_proj = nn.Linear(d_model, 2 * d_inner, bias=False)
        self.conv1d = nn.Conv1d(d_inner, d_inner, d_conv, groups=d_inner, padding=d_conv - 1)
        self.x_proj = nn.Linear(d_inner, self.dt_rank + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(self.dt_rank, d_inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, d_state + 1)).repeat(d_inner, 1))
        self.D = nn.Parameter(torch.ones(d_inner))
        self.out_proj = nn.Linear(d_inner, d_model, bias=False)
        self._initialise_steps()

    def _initialise_steps(self) -> None:
        """Spread the steps log-uniformly over their range; softplus takes the bias there."""
        scale = self.dt_rank**-0.5
        nn.init.uniform_(self.dt_proj.weight, -scale, scale)
        low, high = (math.log(step) for step in STEP_SIZES)
        step = torch.exp(low + (high - low) * torch.rand(self.dt_proj.out_features))
        with torch.no_grad():
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))  # inverse of softplus

    def forward(self, sequence: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return what the block makes of a sequence; a step depends on itself and earlier ones.

        Args:
            sequence: (batch, time, d_model).
            valid: (batch, time), bool; other steps leave no trace in later ones, and what is returned there means
                nothing. None: all are.

        Returns:
            Tensor: (batch, time, d_model).
        """
        time = sequence.shape[1]
        x, z = self.in_proj(sequence).transpose(1, 2).chunk(2, dim=1)  # (B, D, L)
        if valid is not None:
            x = x * valid[:, None]
        x = functional.silu(self.conv1d(x)[..., :time])
        dt, B, C = self.x_proj(x.transpose(1, 2)).split([self.dt_rank, self.d_state, self.d_state], dim=-1)
        delta = self.dt_proj.weight @ dt.transpose(1, 2)  # (B, D, L); the scan adds the bias, in single precision
        if valid is not None:
            delta = delta.masked_fill(~valid[:, None], NO_STEP)
        y = selective_scan(
            x,
            delta,
            -torch.exp(self.A_log.float()),
            B.transpose(1, 2),
            C.transpose(1, 2),
            self.D,
            z=z,
            delta_bias=self.dt_proj.bias,
            delta_softplus=True,
            path=self.path,
        )
        return self.out_proj(y.transpose(1, 2))


class BidirectionalLayer(nn.Module):
    """A residual layer: normalise, pass forward and backward in time, add.

    Args:
        d_model: features.
        dropout: of what is added.
        tied: one block for both directions, so that a layer of the reversed sequence is the reversed layer.
        **block: further arguments of ``MambaBlock``.
    """

    def __init__(self, d_model: int, dropout: float = 0.0, tied: bool = False, **block):
        super().__init__()
        self.norm = nn.RMSNorm(d_model, eps=1e-5)
        self.forward_block = MambaBlock(d_model, **block)
        self.backward_block = self.forward_block if tied else MambaBlock(d_model, **block)
        self.dropout = nn.Dropout(dropout)

    def forward(self, sequence: Tensor, valid: Tensor) -> Tensor:
        """Return the sequence (batch, time, d_model) with what both directions add; see the encoder."""
        normal = self.norm(sequence)
        ahead = self.forward_block(normal, valid)
        back = self.backward_block(normal.flip(1), valid.flip(1)).flip(1)
        return sequence + self.dropout(ahead + back)


class LightCurveEncoder(nn.Module):
    """Features of every step of a light curve from all that comes before and after it.

    A bidirectional Mamba, for FGS1 and AIRS-CH0 in one sequence. Time runs in both directions because a transit is
    analysed when it is over: what the baseline was after egress matters at ingress. The cost is linear in time.

    Args:
        n_channel: channels of the sequence (flux, time, jitter, fit residual, ...), standardised.
        d_model: features that are returned.
        n_layer: residual layers.
        d_state: states for each inner channel of a block.
        d_conv: steps that a block's convolution spans.
        expand: inner channels of a block for each feature.
        dropout: of what a layer adds.
        tied: one block for both directions of a layer.
        path: how the scan is computed.
    """

    def __init__(
        self,
        n_channel: int,
        d_model: int = 64,
        n_layer: int = 2,
        d_state: int = 16,
        d_conv: int = 4,
        expand: int = 2,
        dropout: float = 0.0,
        tied: bool = False,
        path: str = "auto",
    ):
        super().__init__()
        self.n_channel = n_channel
        self.project = nn.Linear(n_channel, d_model)
        block = {"d_state": d_state, "d_conv": d_conv, "expand": expand, "path": path}
        self.layers = nn.ModuleList(BidirectionalLayer(d_model, dropout, tied, **block) for _ in range(n_layer))
        self.norm = nn.RMSNorm(d_model, eps=1e-5)
        self._scale_residuals()

    def _scale_residuals(self) -> None:
        """Shrink what layers add, so that the sum over layers and directions starts with the variance of one."""
        with torch.no_grad():
            for block in self.modules():  # a block of both directions comes once
                if isinstance(block, MambaBlock):
                    block.out_proj.weight /= math.sqrt(2 * len(self.layers))

    def forward(self, sequence: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return features of every step.

        Args:
            sequence: (batch, time, channel); what stands at steps that are not valid, NaN too, has no effect.
            valid: (batch, time), bool: steps that were measured. None: all.

        Returns:
            Tensor: (batch, time, d_model), zero at steps that are not valid.

        Raises:
            SpectraMindError: if the shapes do not fit.
        """
        valid = self._checked(sequence, valid)
        x = self.project(sequence.where(valid[:, :, None], 0.0))
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # layers add up in single precision under autocast, too
        for layer in self.layers:
            x = layer(x, valid)
        return self.norm(x) * valid[:, :, None]

    def _checked(self, sequence: Tensor, valid: Tensor | None) -> Tensor:
        if sequence.ndim != 3 or sequence.shape[2] != self.n_channel:
            wanted, got = f"(batch, time, {self.n_channel})", tuple(sequence.shape)
            raise SpectraMindError("sequence to encode", wanted=wanted, got=got, remedy="channels are the last axis")
        if valid is None:
            return torch.ones(sequence.shape[:2], dtype=torch.bool, device=sequence.device)
        if valid.shape != sequence.shape[:2] or valid.dtype != torch.bool:
            wanted, got = f"bool {tuple(sequence.shape[:2])}", f"{valid.dtype} {tuple(valid.shape)}"
            raise SpectraMindError("mask of valid steps of a sequence to encode", wanted=wanted, got=got)
        return valid
