"""The ways to compute a selective scan: same arguments, same result, other speed and needs.

    cuda        mamba_ssm's kernel: a CUDA device, and the compiled wheel that fits its torch
    hub         the same kernel from Hugging Face's hub: a CUDA device, and a folder that is attached
    triton      our own kernels: a CUDA device and Triton, which torch brings along there
    segmented   plain torch on any device, and the fastest on a CPU
    loop        the definition, step by step: what the others are held against

Whoever only wants a scan calls ``selective_scan``, which picks one that works on the device.

On an H200 the first and the third take the same time, 1.12 and 1.15 ms for (4, 256, 5,625) forward and backward, and
the third less for long sequences (``docs/measured.md``): the first two stay for devices that Triton does not compile
for.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from spectramind_kit.networks.hub_scan import hub_scan
from spectramind_kit.networks.segmented_scan import segmented_scan
from spectramind_kit.networks.triton_scan import triton_scan

Recurrence = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def loop_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Return y (batch, channel, time) of h_t = exp(delta_t A) h_(t-1) + delta_t B_t u_t, y_t = C_t h_t.

    Autograd keeps every state: for short sequences and tests.
    """
    state, outputs = torch.zeros_like(A), []
    for x, step, b, c in zip(*(tensor.unbind(2) for tensor in (u, delta, B, C))):
        state = torch.exp(step[:, :, None] * A) * state + (step * x)[:, :, None] * b[:, None]  # (batch, channel, state)
        outputs.append((state * c[:, None]).sum(2))
    return torch.stack(outputs, dim=2)


def cuda_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """Return the scan by mamba_ssm's kernel.

    Raises:
        ImportError: without the wheel, or where it does not load.
    """
    # The wheel exists where there is a GPU only.
    from mamba_ssm.ops.selective_scan_interface import (  # pyright: ignore[reportMissingImports]  # see above
        selective_scan_fn,
    )

    return selective_scan_fn(u, delta, A, B, C, D, z, delta_bias, delta_softplus)


def with_gate(recurrence: Recurrence) -> Callable[..., Tensor]:
    """Return a scan that adds bias and softplus of delta, skip connection and gate to a bare recurrence."""

    def scan(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False):
        delta = delta if delta_bias is None else delta + delta_bias[:, None]
        delta = functional.softplus(delta) if delta_softplus else delta
        y = recurrence(u, delta, A, B, C)
        y = y if D is None else y + D[:, None] * u
        return y if z is None else y * functional.silu(z)

    return scan


SCANS: dict[str, Callable[..., Tensor]] = {
    "cuda": cuda_scan,
    "hub": hub_scan,
    "triton": triton_scan,
    "segmented": with_gate(segmented_scan),
    "loop": with_gate(loop_scan),
}
"""Scan by the name of its path, fastest first."""
