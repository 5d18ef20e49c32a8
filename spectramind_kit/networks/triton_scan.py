"""The selective scan on a GPU by Triton kernels of our own: no wheel, no ABI, the same code on every architecture.

Gate, skip connection, bias and softplus are fused, as in Gu and Dao's CUDA kernel (arXiv:2312.00752, section 3.3.2).
What is saved for the backward pass is the inputs and one state for each chunk of time; the rest is made again.
This module imports without Triton; only a call needs it.
"""

import contextlib

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Steps, channels and warps are the fastest of those tried on an H200 (benchmarks/gpu/scan.py --sweep), half the time of
# 128 steps by 4 warps, although the kernel of the gradients then spills 424 bytes a thread on a T4 (by its compiler).
STEPS = 64
"""Steps of time in a chunk, a power of two."""
CHANNELS = 16
"""Channels that one program works through: B and C of a chunk are read once for them."""
CHUNKS = 64
"""Chunks that the recurrence between chunks takes at once."""
WARPS = 1
"""Warps of a program: one, so that nothing is exchanged between warps, and no one waits."""


def triton_scan(
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
    """Return the scan's output; arguments as in ``selective_scan``, all of single precision and on one device.

    Returns:
        Tensor: (batch, channel, time), differentiable once in every argument.

    Raises:
        ImportError: without Triton.
    """
    D = u.new_zeros(u.shape[1]) if D is None else D
    delta_bias = u.new_zeros(u.shape[1]) if delta_bias is None else delta_bias
    return _TritonScan.apply(u, delta, A, B, C, D, z, delta_bias, delta_softplus)


class _TritonScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, delta, A, B, C, D, z, bias, softplus):
        u, delta, A, D, bias = (x.contiguous() for x in (u, delta, A, D, bias))
        z = None if z is None else z.contiguous()
        launch = _Launch(u, A, gated=z is not None, softplus=softplus)
        B, C = launch.padded(B), launch.padded(C)
        own, sums, y = launch.per_chunk(A.shape[1]), launch.per_chunk(), torch.empty_like(u)
        launch.tiles("chunk_states", u, delta, A, B, bias, own, sums)
        incoming = launch.carry(own, sums, A, reverse=False)
        launch.tiles("outputs", u, delta, A, B, C, D, u if z is None else z, bias, incoming, y)
        ctx.save_for_backward(u, delta, A, B, C, D, z, bias, incoming, sums)
        ctx.launch = launch
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):  # pyright: ignore[reportIncompatibleMethodOverride]  # torch names no gradients
        u, delta, A, B, C, D, z, bias, incoming, sums = ctx.saved_tensors
        launch, dy, gate = ctx.launch, dy.contiguous(), u if z is None else z
        own = launch.per_chunk(A.shape[1])
        launch.tiles("chunk_adjoints", dy, gate, delta, A, C, bias, own)
        returning = launch.carry(own, sums, A, reverse=True)
        du, d_delta, dz = torch.empty_like(u), torch.empty_like(u), None if z is None else torch.empty_like(z)
        dA, d_skip = launch.per_chunk(A.shape[1]), launch.per_chunk()
        dB, dC = (x.new_empty(launch.blocks, *x.shape) for x in (B, C))
        inputs = (dy, u, delta, A, B, C, D, gate, bias, incoming, returning)
        launch.tiles("gradients", *inputs, du, d_delta, du if z is None else dz, dA, dB, dC, d_skip)
        d_maps = (x.sum(0)[:, : A.shape[1], : u.shape[2]] for x in (dB, dC))
        return du, d_delta, dA.sum((0, 1)), *d_maps, d_skip.sum((0, 1)), dz, d_delta.sum((0, 2)), None


class _Launch:
    """Grid and constants of the kernels for inputs of one shape."""

    def __init__(self, u: Tensor, A: Tensor, *, gated: bool, softplus: bool):
        import triton

        from spectramind_kit.networks import triton_kernels

        self.kernels, self.device = triton_kernels, u.device
        self.batch, self.channels, self.time = u.shape
        self.n_state = A.shape[1]
        self.chunks, self.blocks = int(triton.cdiv(self.time, STEPS)), int(triton.cdiv(self.channels, CHANNELS))
        self.states = int(triton.next_power_of_2(self.n_state))
        self.flags = {"SOFTPLUS": softplus, "GATED": gated}

    def padded(self, maps: Tensor) -> Tensor:
        """Return B or C with zeros up to whole tiles: they are read in fours, and decide how tiles lie on threads."""
        missing = (0, self.chunks * STEPS - self.time, 0, self.states - self.n_state)
        return torch.nn.functional.pad(maps, missing).contiguous()

    def per_chunk(self, *last: int) -> Tensor:
        """Return room for (batch, chunk, channel, ...) numbers."""
        return torch.empty(self.batch, self.chunks, self.channels, *last, device=self.device)

    def tiles(self, name: str, *tensors: Tensor) -> None:
        """Run a kernel over all chunks, blocks of channels, and the batch."""
        kernel = getattr(self.kernels, f"_{name}")
        flags = {key: value for key, value in self.flags.items() if key in kernel.arg_names}
        sizes = {"BLOCK": CHANNELS, "STATES": self.states, "STEPS": STEPS, "num_warps": WARPS}
        with self._on_device():
            grid = (self.chunks, self.blocks, self.batch)
            kernel[grid](*tensors, self.time, self.channels, self.n_state, self.chunks, **flags, **sizes)

    def carry(self, own: Tensor, sums: Tensor, A: Tensor, *, reverse: bool) -> Tensor:
        """Return what comes into every chunk (batch, chunk, channel, state)."""
        incoming = torch.zeros_like(own)
        sizes = {"REVERSE": reverse, "STATES": self.states, "CHUNKS": CHUNKS, "num_warps": WARPS}
        with self._on_device():
            grid = (self.channels, self.batch)
            self.kernels._carry[grid](own, sums, A, incoming, self.channels, self.n_state, self.chunks, **sizes)
        return incoming

    def _on_device(self):
        return torch.cuda.device(self.device) if self.device.type == "cuda" else contextlib.nullcontext()
