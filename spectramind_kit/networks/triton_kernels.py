"""Triton kernels of the selective scan, forward and backward; imported only where Triton is (see ``triton_scan``).

Time is cut into chunks; a program works through a block of channels of one chunk, so that B and C of the chunk are
read once and stay in registers, and dB, dC are summed there: no atomic operation, the same result in every run. With
R_t the sum of delta after step t and S_t the sum up to and with it, within the chunk, what a chunk adds to the states
and to their adjoint g is a weighted sum whose weights never exceed one:

    chunk_states:     sum_t exp(A R_t) delta_t u_t B_t        chunk_adjoints:   sum_t exp(A S_t) C_t dL/dy_t
    carry:            the recurrence from chunk to chunk, of either
    outputs:          the scan inside a chunk from its incoming state, then C h, skip connection and gate
    gradients:        the same scan again, the adjoint's in reverse, and every gradient from the two

The names are private because they are launched, not called: ``triton_scan`` does it, with arguments that fit.
Tiles are (state, time), single precision throughout: a T4 has no bfloat16.
"""

import triton
import triton.language as tl


@triton.jit
def _then(decay_before, before, decay, after):
    """Compose two steps of h -> decay h + x."""
    return decay_before * decay, decay * before + after


@triton.jit
def _step_size(raw, inside, SOFTPLUS: tl.constexpr):
    """Return delta, softplus of it where asked, zero outside the sequence."""
    if SOFTPLUS:
        small = tl.exp(tl.minimum(raw, 20.0))
        rounded = 1.0 + small
        # log(1 + e), exact also where 1 + e is rounded: e log(w) / (w - 1) with w = 1 + e as it was rounded.
        gentle = tl.where(rounded == 1.0, small, tl.log(rounded) * small / tl.where(rounded == 1.0, 1.0, rounded - 1.0))
        raw = tl.where(raw > 20.0, raw, gentle)
    return tl.where(inside, raw, 0.0)


@triton.jit
def _chunk_states(
    u, delta, A, B, bias, states, sums, time, channels, n_state, chunks,
    SOFTPLUS: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Write what every chunk adds to the states (batch, chunk, channel, state), and its sum of delta."""
    chunk, block, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    n, t = tl.arange(0, STATES), tl.arange(0, STEPS)
    at = chunk * STEPS + t
    inside, followed = at < time, (t + 1 < STEPS) & (at + 1 < time)
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS) + at[None, :]
    b = tl.load(B + maps)
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time + at
        shift = tl.load(bias + d)
        step = _step_size(tl.load(delta + row, mask=inside, other=0.0) + shift, inside, SOFTPLUS)
        later = _step_size(tl.load(delta + row + 1, mask=followed, other=0.0) + shift, followed, SOFTPLUS)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
        weight = tl.exp(rate[:, None] * tl.cumsum(later, 0, reverse=True)[None, :])
        x = step * tl.load(u + row, mask=inside, other=0.0)
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        tl.store(states + place * n_state + n, tl.sum(weight * b * x[None, :], 1), mask=n < n_state)
        tl.store(sums + place, tl.sum(step, 0))


@triton.jit
def _chunk_adjoints(
    dy, z, delta, A, C, bias, adjoints, time, channels, n_state, chunks,
    GATED: tl.constexpr, SOFTPLUS: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Write what the outputs of every chunk add to the adjoint of its incoming state."""
    chunk, block, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    n, t = tl.arange(0, STATES), tl.arange(0, STEPS)
    at = chunk * STEPS + t
    inside = at < time
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS) + at[None, :]
    c = tl.load(C + maps)
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time + at
        step = _step_size(tl.load(delta + row, mask=inside, other=0.0) + tl.load(bias + d), inside, SOFTPLUS)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
        weight = tl.exp(rate[:, None] * tl.cumsum(step, 0)[None, :])
        slope = tl.load(dy + row, mask=inside, other=0.0)
        if GATED:
            gate = tl.load(z + row, mask=inside, other=0.0)
            slope = slope * gate * tl.sigmoid(gate)
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        tl.store(adjoints + place * n_state + n, tl.sum(weight * c * slope[None, :], 1), mask=n < n_state)


@triton.jit
def _carry(
    own, sums, A, incoming, channels, n_state, chunks,
    REVERSE: tl.constexpr, STATES: tl.constexpr, CHUNKS: tl.constexpr,
):  # fmt: skip
    """Write the state (or, in reverse, the adjoint) that comes into every chunk but the first one."""
    d, batch = tl.program_id(0), tl.program_id(1)
    n, k = tl.arange(0, STATES), tl.arange(0, CHUNKS)
    rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
    state = tl.zeros((STATES,), dtype=tl.float32)
    for start in range(0, chunks, CHUNKS):
        order = start + k
        chunk = chunks - 1 - order if REVERSE else order
        following = chunk - 1 if REVERSE else chunk + 1
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        total = tl.load(sums + place, mask=order < chunks, other=0.0)
        kept = (n[:, None] < n_state) & (order[None, :] < chunks)
        added = tl.load(own + place[None, :] * n_state + n[:, None], mask=kept, other=0.0)
        decays, states = tl.associative_scan((tl.exp(rate[:, None] * total[None, :]), added), 1, _then)
        states += decays * state[:, None]
        target = (batch.to(tl.int64) * chunks + following) * channels + d
        written = (n[:, None] < n_state) & (order[None, :] + 1 < chunks)
        tl.store(incoming + target[None, :] * n_state + n[:, None], states, mask=written)
        state = tl.sum(tl.where(k[None, :] == CHUNKS - 1, states, 0.0), 1)


@triton.jit
def _outputs(
    u, delta, A, B, C, skip, z, bias, incoming, y, time, channels, n_state, chunks,
    GATED: tl.constexpr, SOFTPLUS: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Write y (batch, channel, time)."""
    chunk, block, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    n, t = tl.arange(0, STATES), tl.arange(0, STEPS)
    at = chunk * STEPS + t
    inside = at < time
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS) + at[None, :]
    b, c = tl.load(B + maps), tl.load(C + maps)
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time + at
        step = _step_size(tl.load(delta + row, mask=inside, other=0.0) + tl.load(bias + d), inside, SOFTPLUS)
        value = tl.load(u + row, mask=inside, other=0.0)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        first = tl.load(incoming + place * n_state + n, mask=n < n_state, other=0.0)
        decay = tl.exp(rate[:, None] * step[None, :])
        decays, states = tl.associative_scan((decay, b * (step * value)[None, :]), 1, _then)
        states += decays * first[:, None]
        result = tl.sum(states * c, 0) + tl.load(skip + d) * value
        if GATED:
            gate = tl.load(z + row, mask=inside, other=0.0)
            result = result * gate * tl.sigmoid(gate)
        tl.store(y + row, result, mask=inside)


@triton.jit
def _gradients(
    dy, u, delta, A, B, C, skip, z, bias, incoming, returning,
    du, d_delta, dz, dA, dB, dC, d_skip, time, channels, n_state, chunks,
    GATED: tl.constexpr, SOFTPLUS: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Write du, d_delta, dz (batch, channel, time) and parts of the other gradients.

    dA (batch, chunk, channel, state) and d_skip (batch, chunk, channel) are to be summed over batch and chunk, dB and
    dC (block, batch, state, time) over the block of channels.
    """
    chunk, block, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    n, t = tl.arange(0, STATES), tl.arange(0, STEPS)
    at, back = chunk * STEPS + t, chunk * STEPS + STEPS - 1 - t
    inside, inside_back = at < time, back < time
    followed = (t > 0) & (back + 1 < time)
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS)
    b, b_back, c_back = (
        tl.load(B + maps + at[None, :]),
        tl.load(B + maps + back[None, :]),
        tl.load(C + maps + back[None, :]),
    )
    sum_b, sum_c = tl.zeros((STATES, STEPS), dtype=tl.float32), tl.zeros((STATES, STEPS), dtype=tl.float32)
    mirror = tl.broadcast_to(STEPS - 1 - t[None, :], (STATES, STEPS))
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        shift, weight = tl.load(bias + d), tl.load(skip + d)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)

        step = _step_size(tl.load(delta + row + at, mask=inside, other=0.0) + shift, inside, SOFTPLUS)
        value = tl.load(u + row + at, mask=inside, other=0.0)
        first = tl.load(incoming + place * n_state + n, mask=n < n_state, other=0.0)
        decay = tl.exp(rate[:, None] * step[None, :])
        decays, states = tl.associative_scan((decay, b * (step * value)[None, :]), 1, _then)
        states = tl.gather(states + decays * first[:, None], mirror, 1)  # from here on, time runs backwards

        raw = tl.load(delta + row + back, mask=inside_back, other=0.0) + shift
        step = _step_size(raw, inside_back, SOFTPLUS)
        value = tl.load(u + row + back, mask=inside_back, other=0.0)
        slope = tl.load(dy + row + back, mask=inside_back, other=0.0)
        if GATED:
            gate = tl.load(z + row + back, mask=inside_back, other=0.0)
            opened = tl.sigmoid(gate)
            ungated = tl.sum(states * c_back, 0) + weight * value
            tl.store(dz + row + back, slope * ungated * opened * (1.0 + gate * (1.0 - opened)), mask=inside_back)
            slope = slope * gate * opened
        later = tl.load(delta + row + back + 1, mask=followed, other=0.0) + shift
        onward = tl.exp(rate[:, None] * _step_size(later, followed, SOFTPLUS)[None, :])
        final = tl.load(returning + place * n_state + n, mask=n < n_state, other=0.0)
        pushed = c_back * slope[None, :] + tl.where(t[None, :] == 0, final[:, None], 0.0)
        _, adjoint = tl.associative_scan((onward, pushed), 1, _then)

        moved = (step * value)[None, :]
        decayed = adjoint * (states - b_back * moved)  # dL/d(delta A): a state less what its step added
        through_input = tl.sum(adjoint * b_back, 0)
        through_step = through_input * value + tl.sum(decayed * rate[:, None], 0)
        if SOFTPLUS:
            through_step = through_step * tl.sigmoid(raw)
        tl.store(du + row + back, through_input * step + weight * slope, mask=inside_back)
        tl.store(d_delta + row + back, through_step, mask=inside_back)
        tl.store(dA + place * n_state + n, tl.sum(decayed * step[None, :], 1), mask=n < n_state)
        tl.store(d_skip + place, tl.sum(slope * value, 0))
        sum_b += adjoint * moved
        sum_c += states * slope[None, :]
    part = block.to(tl.int64) * tl.num_programs(2) * STATES * (chunks * STEPS)
    tl.store(dB + part + maps + back[None, :], sum_b)
    tl.store(dC + part + maps + back[None, :], sum_c)
