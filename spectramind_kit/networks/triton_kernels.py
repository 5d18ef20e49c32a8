"""Triton kernels of the selective scan, forward and backward; imported only where Triton is (see ``triton_scan``).

Time is cut into chunks; a program works through a block of channels of one chunk, so that B and C of the chunk are
read once and stay in registers, and dB, dC are summed there: no atomic operation, the same result in every run. With
R_t the sum of delta after step t and S_t the sum up to and with it, within the chunk, what a chunk adds to the states
and to their adjoint g is a weighted sum whose weights never exceed one:

    chunk_states:     sum_t exp(A R_t) delta_t u_t B_t        chunk_adjoints:   sum_t exp(A S_t) C_t dL/dy_t
    carry:            the recurrence from chunk to chunk, of either
    outputs:          the scan inside a chunk from its incoming state, then C h, skip connection and gate
    gradients:        the same scan again, the adjoint's in reverse, and every gradient from the two

Inside a chunk a thread walks through segments of four steps, and only what a segment amounts to goes through a scan
over threads: shuffles between threads, on a GPU as dear as exponentials, are needed for a quarter of the steps, and the
reverse direction costs nothing within a segment. Four tiles (state, segment) are therefore one of (state, time); they
are written out because Triton carries no list through a loop.

The names are private because kernels are launched, not called: ``triton_scan`` does it, with arguments that fit.
Single precision throughout: a T4 has no bfloat16.
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
def _joined(x0, x1, x2, x3, STEPS: tl.constexpr):
    """Return the sum over states of (state, segment) tiles of four steps, in the order of time (STEPS,)."""
    return tl.reshape(tl.sum(tl.join(tl.join(x0, x2), tl.join(x1, x3)), 0), (STEPS,))


@triton.jit
def _in_fours(tile, STATES: tl.constexpr, STEPS: tl.constexpr):
    """Return a (state, time) tile as four of (state, segment): each thread has read its four steps at once."""
    even, odd = tl.split(tl.reshape(tile, (STATES, STEPS // 4, 2, 2)))
    x0, x2 = tl.split(even)
    x1, x3 = tl.split(odd)
    return x0, x1, x2, x3


@triton.jit
def _outputs(
    u, delta, A, B, C, skip, z, bias, incoming, y, time, channels, n_state, chunks,
    GATED: tl.constexpr, SOFTPLUS: tl.constexpr, BLOCK: tl.constexpr, STATES: tl.constexpr, STEPS: tl.constexpr,
):  # fmt: skip
    """Write y (batch, channel, time)."""
    chunk, block, batch = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    n, s, t = tl.arange(0, STATES), tl.arange(0, STEPS // 4), tl.arange(0, STEPS)
    at, natural = chunk * STEPS + 4 * s[None, :], chunk * STEPS + t
    inside = natural < time
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS) + natural[None, :]
    b, c = _in_fours(tl.load(B + maps), STATES, STEPS), _in_fours(tl.load(C + maps), STATES, STEPS)
    previous = tl.broadcast_to(tl.maximum(s - 1, 0)[None, :], (STATES, STEPS // 4))
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        shift = tl.load(bias + d)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
        first = tl.load(incoming + place * n_state + n, mask=n < n_state, other=0.0)
        decays, pushes = (), ()
        kept, added = tl.full((STATES, STEPS // 4), 1.0, tl.float32), tl.zeros((STATES, STEPS // 4), tl.float32)
        for k in tl.static_range(4):
            present = at + k < time
            step = _step_size(tl.load(delta + row + at + k, mask=present, other=0.0) + shift, present, SOFTPLUS)
            value = tl.load(u + row + at + k, mask=present, other=0.0)
            decays += (tl.exp(rate[:, None] * step),)
            pushes += (b[k] * (step * value),)
            kept, added = kept * decays[k], decays[k] * added + pushes[k]
        kept, added = tl.associative_scan((kept, added), 1, _then)
        before = tl.gather(added + kept * first[:, None], previous, 1)
        state = tl.where(s[None, :] == 0, first[:, None], before)
        observed = ()
        for k in tl.static_range(4):
            state = decays[k] * state + pushes[k]
            observed += (state * c[k],)
        result = _joined(observed[0], observed[1], observed[2], observed[3], STEPS)
        result += tl.load(skip + d) * tl.load(u + row + natural, mask=inside, other=0.0)
        if GATED:
            gate = tl.load(z + row + natural, mask=inside, other=0.0)
            result = result * gate * tl.sigmoid(gate)
        tl.store(y + row + natural, result, mask=inside)


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
    n, s, t = tl.arange(0, STATES), tl.arange(0, STEPS // 4), tl.arange(0, STEPS)
    at, natural = chunk * STEPS + 4 * s[None, :], chunk * STEPS + t
    inside = natural < time
    maps = (batch.to(tl.int64) * STATES + n[:, None]) * (chunks * STEPS) + natural[None, :]
    b, c = _in_fours(tl.load(B + maps), STATES, STEPS), _in_fours(tl.load(C + maps), STATES, STEPS)
    zero = tl.zeros((STATES, STEPS // 4), tl.float32)
    sb0, sb1, sb2, sb3, sc0, sc1, sc2, sc3 = zero, zero, zero, zero, zero, zero, zero, zero
    previous = tl.broadcast_to(tl.maximum(s - 1, 0)[None, :], (STATES, STEPS // 4))
    mirror = tl.broadcast_to((STEPS // 4 - 1 - s)[None, :], (STATES, STEPS // 4))
    following = tl.broadcast_to(tl.maximum(STEPS // 4 - 2 - s, 0)[None, :], (STATES, STEPS // 4))
    for d in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, channels)):
        row = (batch.to(tl.int64) * channels + d) * time
        place = (batch.to(tl.int64) * chunks + chunk) * channels + d
        shift, weight = tl.load(bias + d), tl.load(skip + d)
        rate = tl.load(A + d * n_state + n, mask=n < n_state, other=0.0)
        first = tl.load(incoming + place * n_state + n, mask=n < n_state, other=0.0)
        final = tl.load(returning + place * n_state + n, mask=n < n_state, other=0.0)

        # Forward again, step by step within the segments of four, by a scan from segment to segment.
        decays, steps, moves, slopes = (), (), (), ()
        kept, added = tl.full((STATES, STEPS // 4), 1.0, tl.float32), zero
        for k in tl.static_range(4):
            present = at + k < time
            step = _step_size(tl.load(delta + row + at + k, mask=present, other=0.0) + shift, present, SOFTPLUS)
            slope = tl.load(dy + row + at + k, mask=present, other=0.0)
            if GATED:
                gate = tl.load(z + row + at + k, mask=present, other=0.0)
                slope = slope * gate * tl.sigmoid(gate)
            steps += (step,)
            slopes += (slope,)
            moves += (step * tl.load(u + row + at + k, mask=present, other=0.0),)
            decays += (tl.exp(rate[:, None] * step),)
            kept, added = kept * decays[k], decays[k] * added + b[k] * moves[k]
        through, reached = tl.associative_scan((kept, added), 1, _then)
        before = tl.gather(reached + through * first[:, None], previous, 1)
        state = tl.where(s[None, :] == 0, first[:, None], before)
        states = (state,)
        for k in tl.static_range(4):
            state = decays[k] * state + b[k] * moves[k]
            states += (state,)

        # The adjoint: from the last step of a segment to the first, and from the last segment to the first.
        local = zero
        for i in tl.static_range(4):
            local = decays[3 - i] * (local + c[3 - i] * slopes[3 - i])
        kept, local = tl.gather(kept, mirror, 1), tl.gather(local, mirror, 1)
        through, reached = tl.associative_scan((kept, local), 1, _then)
        after = tl.gather(reached + through * final[:, None], following, 1)
        carried = tl.where(s[None, :] == STEPS // 4 - 1, final[:, None], after)

        adjoints, turned, sum_a = (), (), zero
        for i in tl.static_range(4):
            adjoint = carried + c[3 - i] * slopes[3 - i]
            carried = decays[3 - i] * adjoint
            decayed = carried * states[3 - i]  # dL/d(delta A)
            sum_a += decayed * steps[3 - i]
            adjoints += (adjoint,)
            turned += (decayed * rate[:, None],)
        sb0, sb1 = sb0 + adjoints[3] * moves[0], sb1 + adjoints[2] * moves[1]
        sb2, sb3 = sb2 + adjoints[1] * moves[2], sb3 + adjoints[0] * moves[3]
        sc0, sc1 = sc0 + states[1] * slopes[0], sc1 + states[2] * slopes[1]
        sc2, sc3 = sc2 + states[3] * slopes[2], sc3 + states[4] * slopes[3]
        tl.store(dA + place * n_state + n, tl.sum(sum_a, 1), mask=n < n_state)

        raw = tl.load(delta + row + natural, mask=inside, other=0.0) + shift
        value = tl.load(u + row + natural, mask=inside, other=0.0)
        slope = tl.load(dy + row + natural, mask=inside, other=0.0)
        if GATED:
            gate = tl.load(z + row + natural, mask=inside, other=0.0)
            opened = tl.sigmoid(gate)
            observed = _joined(states[1] * c[0], states[2] * c[1], states[3] * c[2], states[4] * c[3], STEPS)
            ungated = observed + weight * value
            tl.store(dz + row + natural, slope * ungated * opened * (1.0 + gate * (1.0 - opened)), mask=inside)
            slope = slope * gate * opened
        through_input = _joined(adjoints[3] * b[0], adjoints[2] * b[1], adjoints[1] * b[2], adjoints[0] * b[3], STEPS)
        through_step = through_input * value + _joined(turned[3], turned[2], turned[1], turned[0], STEPS)
        if SOFTPLUS:
            through_step = through_step * tl.sigmoid(raw)
        tl.store(du + row + natural, through_input * _step_size(raw, inside, SOFTPLUS) + weight * slope, mask=inside)
        tl.store(d_delta + row + natural, through_step, mask=inside)
        tl.store(d_skip + place, tl.sum(slope * value, 0))
    part = block.to(tl.int64) * tl.num_programs(2) * STATES * (chunks * STEPS) + maps
    tl.store(dB + part, tl.reshape(tl.join(tl.join(sb0, sb2), tl.join(sb1, sb3)), (STATES, STEPS)))
    tl.store(dC + part, tl.reshape(tl.join(tl.join(sc0, sc2), tl.join(sc1, sc3)), (STATES, STEPS)))
