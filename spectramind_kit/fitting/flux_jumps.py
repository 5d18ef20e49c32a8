"""Jumps of the flux: a gain or a pointing that changes at once, found on the white light by evidence.

Ramps, red noise, pointing excursions and spot crossings look like jumps to this. Where it finds one, its evidence is
taken again beside slow noise of any size, and no pulse, which comes back, may be much more evident.
"""

from typing import NamedTuple

import numpy as np

from spectramind_kit.fitting.curve_model import CurveModel
from spectramind_kit.fitting.gauss_newton import Solution
from spectramind_kit.fitting.pattern_evidence import evidence_beside_slow_noise, evidence_beside_white_noise
from spectramind_kit.fitting.systematics import JUMP_SCATTER

MOST_ROUNDS = 4
"""Searches at most; the second jump found replaces the first, which was looked for beside a transit led astray."""
_LEAST_EVIDENCE = 15.0
"""ln Z from which a jump is accepted: hundreds of times are tried, and jumps are rare."""
_PULSE_SECONDS = (300.0, 900.0, 2700.0)
"""Half of a pulse: from what a pointing excursion lasts to what a planet takes to cross a spot."""
_OF_PULSE = 0.75
"""Least evidence of a jump over that of the best pulse: half a pulse looks like a jump, and where a large jump has led
the transit astray a pulse is about as evident."""
_EDGE = 3
"""Times at the ends of the window where a jump would be an outlier."""


class Anomaly(NamedTuple):
    """What residuals hold that is no noise.

    Attributes:
        jump: when the flux most evidently jumps [s], None where it only pulses.
    """

    jump: float | None


def find_anomaly(
    time: np.ndarray,
    bin_seconds: float,
    model: CurveModel,
    solution: Solution,
    drift_scatter: float,
    known: tuple[float, ...] = (),
) -> Anomaly | None:
    """Return the most evident anomaly of the residuals, None where there is none.

    Args:
        time: (n_time,) ascending [s].
        bin_seconds: between them [s].
        model: of few curves, such as the white ones.
        solution: its fit.
        drift_scatter: prior scatter of the drift's lowest degree [1].
        known: jumps that are in the model [s].
    """
    times = 0.5 * (time[1:] + time[:-1])
    tried = ~np.isin(times, known)
    tried[:_EDGE], tried[-_EDGE:] = False, False
    scatter = JUMP_SCATTER * drift_scatter
    # The cheap evidence beside white noise ends most searches.
    steps = _step_functions(len(time))
    if (evidence_beside_white_noise(model, solution, scatter, steps)[tried] <= _LEAST_EVIDENCE).all():
        return None
    patterns = np.concatenate([steps, _pulses(time)])
    evidence, _ = evidence_beside_slow_noise(time, bin_seconds, model, solution, scatter, patterns)
    jump, pulse = np.where(tried, evidence[: len(times)], 0.0), evidence[len(times) :].max()
    best = int(jump.argmax())
    if max(jump[best], pulse) <= _LEAST_EVIDENCE:
        return None
    return Anomaly(float(times[best]) if jump[best] > max(_LEAST_EVIDENCE, _OF_PULSE * pulse) else None)


def _step_functions(n_time: int) -> np.ndarray:
    """Return a step up by one after each time but the last, (n_time - 1, n_time)."""
    return np.triu(np.ones((n_time - 1, n_time)), k=1) - 0.5


def _pulses(time: np.ndarray) -> np.ndarray:
    """Return what comes and goes: triangles of several widths about every other time, (n_pulse, n_time)."""
    apart = np.abs(time[::2, None] - time)
    return np.concatenate([np.clip(1.0 - apart / width, 0.0, 1.0) for width in _PULSE_SECONDS])
