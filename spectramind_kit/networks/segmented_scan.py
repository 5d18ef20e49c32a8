"""The selective scan in plain torch, segment by segment: exact, on any device, as fast as a CPU's cache allows.

The recurrence of a selective state space (Gu and Dao, 2023, "Mamba: Linear-time sequence modeling with selective state
spaces", arXiv:2312.00752, eq. 2 with the discretisation of its section 3.3),

    h_t = exp(delta_t A) h_(t-1) + delta_t B_t u_t,        y_t = C_t h_t,

needs states of shape (time, batch, state, channel), which no cache holds and autograd would keep. Here time is cut into
segments of a few dozen steps; the states of one segment live at a time, in cache, and only those at its border are
saved. The backward pass makes them again, then runs the adjoint recurrence

    g_t = C_t dL/dy_t + exp(delta_(t+1) A) g_(t+1),        g_t = dL/dh_t,

from the last segment to the first. Every decay is exp of something negative, and none is ever divided by, so that
no step overflows, however long the sequence or the step: forms that work with logarithms of the states do.
"""

import itertools

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SMALL_STATE = 4096
"""Elements of one step's state up to which a long segment stays in cache."""


def segmented_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Return y of the recurrence, without skip connection and gate.

    Memory is that of the inputs plus one state for each segment; time is linear in the length.

    Args:
        u: input (batch, channel, time).
        delta: step size >= 0 (batch, channel, time).
        A: decay rates < 0 (channel, state).
        B: input map (batch, state, time).
        C: output map (batch, state, time).

    Returns:
        Tensor: (batch, channel, time), of the inputs' precision; differentiable once in all of them.
    """
    by_time = [x.permute(2, 0, 1).contiguous() for x in (u, delta, B, C)]
    return _SegmentedScan.apply(by_time[0], by_time[1], A.t().contiguous(), by_time[2], by_time[3]).permute(1, 2, 0)


def segments(time: int, state: int) -> list[slice]:
    """Return the segments of a sequence, the last one perhaps shorter, for states of so many elements."""
    steps = 64 if state <= SMALL_STATE else 32
    return [slice(start, min(start + steps, time)) for start in range(0, time, steps)]


class _SegmentedScan(torch.autograd.Function):
    """Time-major: u, delta (T, B, D); A (N, D); B, C (T, B, N). The channel is innermost: it is the longest axis."""

    @staticmethod
    def forward(ctx, u, delta, A, B, C):
        state = u.new_zeros(u.shape[1], *A.shape)  # (B, N, D)
        pieces = segments(len(u), state.numel())
        y, borders = torch.empty_like(u), u.new_empty(len(pieces), *state.shape)
        with torch.autocast(u.device.type, enabled=False):
            for border, piece in zip(borders, pieces):
                border.copy_(state)
                _, states = _states(u[piece], delta[piece], A, B[piece], state)
                torch.matmul(C[piece, :, None], states[1:], out=y[piece].unsqueeze(2))
                state = states[-1]
        ctx.save_for_backward(u, delta, A, B, C, borders)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):  # pyright: ignore[reportIncompatibleMethodOverride]  # torch names no gradients
        u, delta, A, B, C, borders = ctx.saved_tensors
        du, d_delta, dA, dB, dC = (torch.zeros_like(x) for x in (u, delta, A, B, C))
        carry = torch.zeros_like(borders[0])
        pieces = segments(len(u), borders[0].numel())
        with torch.autocast(u.device.type, enabled=False):
            for border, piece in zip(reversed(borders), reversed(pieces)):
                decay, states = _states(u[piece], delta[piece], A, B[piece], border)
                adjoint = C[piece, :, :, None] * dy[piece, :, None]  # (S, B, N, D)
                carry = _run_back(decay, adjoint, carry)
                dC[piece] = torch.matmul(states[1:], dy[piece, :, :, None]).squeeze(3)
                dB[piece] = torch.matmul(adjoint, (delta[piece] * u[piece]).unsqueeze(3)).squeeze(3)
                through_input = torch.matmul(B[piece, :, None], adjoint).squeeze(2)  # (S, B, D)
                through_decay = adjoint.mul_(decay).mul_(states[:-1])  # dL/d(delta A)
                dA += torch.mul(through_decay, delta[piece, :, None], out=decay).sum((0, 1))
                du[piece] = delta[piece] * through_input
                d_delta[piece] = through_input.mul_(u[piece]).add_(through_decay.mul_(A).sum(2))
        return du, d_delta, dA, dB, dC


def _states(u, delta, A, B, first):
    """Return the decays (S, B, N, D) of a segment and its states (S + 1, B, N, D), the incoming one before them."""
    decay = torch.exp(delta[:, :, None] * A)
    states = decay.new_empty(len(decay) + 1, *first.shape)
    states[0] = first
    torch.mul((delta * u)[:, :, None], B[:, :, :, None], out=states[1:])
    rows = states.unbind(0)  # views made at once: slicing in the loop would cost as much as the arithmetic
    for step, (before, after) in zip(decay.unbind(0), itertools.pairwise(rows)):
        after.addcmul_(step, before)
    return decay, states


def _run_back(decay, adjoint, carry):
    """Run the adjoint recurrence in place; return what the segment before this one receives."""
    steps, rows = decay.unbind(0), adjoint.unbind(0)
    rows[-1].add_(carry)
    for t in range(len(rows) - 2, -1, -1):
        rows[t].addcmul_(steps[t + 1], rows[t + 1])
    return steps[0] * rows[0]
