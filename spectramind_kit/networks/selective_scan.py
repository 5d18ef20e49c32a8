"""The selective scan of a state space whose step, input and output maps depend on the input: one front door.

    h_t = exp(delta_t A) h_(t-1) + delta_t B_t u_t,        y_t = C_t h_t + D u_t,        out = y * silu(z)

Gu and Dao (2023), "Mamba: Linear-time sequence modeling with selective state spaces", arXiv:2312.00752, eq. 2 with
section 3.3 (delta A by zero-order hold, delta B by Euler's rule). ``scan_paths`` lists the ways to compute it.
"""

import torch
from torch import Tensor

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.networks.scan_in_use import choose_path
from spectramind_kit.networks.scan_paths import SCANS


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    *,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
    path: str = "auto",
) -> Tensor:
    """Return the scan's output; differentiable once in every argument.

    It is computed in single precision (in double if ``u`` is), under autocast too: the products over thousands of steps
    do not survive half precision.

    Args:
        u: input (batch, channel, time).
        delta: step size (batch, channel, time), >= 0 after bias and softplus; a step of zero leaves the state alone.
        A: decay rates (channel, state), real, < 0.
        B: input map (batch, state, time).
        C: output map (batch, state, time).
        D: weight of the skip connection (channel,); no skip connection where None.
        z: gate (batch, channel, time); no gate where None.
        delta_bias: added to delta (channel,).
        delta_softplus: whether softplus is then taken of delta.
        path: "cuda", "hub", "triton", "segmented" or "loop"; "auto" takes the fastest that works on the inputs' device.

    Returns:
        Tensor: (batch, channel, time), of the type of ``u``.

    Raises:
        SpectraMindError: if shapes do not fit each other, or there is no such path (none but torch's in double).
    """
    _check_shapes(u, delta, A, B, C, D, z, delta_bias)
    exact = u.dtype == torch.float64
    if path == "auto":
        path = "segmented" if exact else choose_path(u.device).path  # no kernel has double precision
    allowed = ["segmented", "loop"] if exact else list(SCANS)
    if path not in allowed:
        what = f"path of the selective scan in {'double' if exact else 'single'} precision"
        raise SpectraMindError(what, wanted=["auto", *allowed], got=path)
    dtype = torch.float64 if exact else torch.float32
    inputs = [None if x is None else x.to(dtype) for x in (u, delta, A, B, C, D, z, delta_bias)]
    with torch.autocast(u.device.type, enabled=False):
        return SCANS[path](*inputs, delta_softplus=delta_softplus).to(u.dtype)


def _check_shapes(u, delta, A, B, C, D, z, delta_bias) -> None:
    """Refuse what does not fit; a wrong axis would broadcast and give a wrong result."""
    (batch, channels, time), states = u.shape, A.shape[-1]
    wanted = {"delta": (delta, u.shape), "A": (A, (channels, states)), "z": (z, u.shape)}
    wanted |= {"B": (B, (batch, states, time)), "C": (C, (batch, states, time))}
    wanted |= {"D": (D, (channels,)), "delta_bias": (delta_bias, (channels,))}
    for name, (tensor, shape) in wanted.items():
        if tensor is not None and tuple(tensor.shape) != tuple(shape):
            raise SpectraMindError(
                f"{name} of the selective scan with u of shape {tuple(u.shape)}",
                wanted=tuple(shape),
                got=tuple(tensor.shape),
                remedy="time is the last axis",
            )
    if time == 0:
        raise SpectraMindError("sequence of the selective scan", wanted="at least one step", got=tuple(u.shape))
