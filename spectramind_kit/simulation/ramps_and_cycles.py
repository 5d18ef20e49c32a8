"""Drift that no polynomial of low degree follows: a ramp after the slew, and cycles of the temperature.

    s(t) = a exp(-t / tau) + b sin(2 pi t / P + phi)

Detectors settle after a slew or a first illumination over 10 minutes to an hour, by 1e-4 to 1e-2: charge traps of
HST/WFC3 (Zhou et al. 2017), the ramps of JWST/MIRI (Bouwman et al. 2023). Heaters and orbits make cycles of one to
four hours (HST's orbit lasts 96 minutes; Spitzer's battery heater cycled in about an hour, Grillmair et al. 2012).
Sizes and times are drawn from distributions wide enough that no visit resembles the next.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.simulation.distributions import log_uniform

_TIME_SCALE = (270.0, 6500.0)
_PERIOD = (2200.0, 21_000.0)
_CYCLE_TO_RAMP = (0.04, 0.9)
"""Amplitude of the cycle over the size of the ramp."""
_LN_SIZE_SCATTER = 0.75
_RED_OVER_BLUE = (0.1, 1.1)


@dataclass(frozen=True)
class RampAndCycle:
    """Ramp and thermal cycle of one channel in a visit.

    Attributes:
        ramp: amplitude a relative to the star [1].
        time_scale: decay time tau of the ramp [s].
        cycle: amplitude b relative to the star [1].
        period: P of the cycle [s].
        phase: phi of the cycle at the start of the visit [rad].
        red: strength of both at the red end of AIRS-CH0 over that at its blue end.
    """

    ramp: float
    time_scale: float
    cycle: float
    period: float
    phase: float
    red: float

    def colour(self, redness: np.ndarray) -> np.ndarray:
        """Return the strength at places between the blue end, 0, and the red end, 1, in their shape [1]."""
        return 1.0 + (self.red - 1.0) * redness

    def at(self, time: np.ndarray) -> np.ndarray:
        """Return s(t) at times since the start of the visit [s], in their shape [1]."""
        cycle = self.cycle * np.sin(2.0 * np.pi * time / self.period + self.phase)
        return self.ramp * np.exp(-time / self.time_scale) + cycle


def draw_ramp_and_cycle(size: float, rng: np.random.Generator) -> RampAndCycle:
    """Draw ramp and cycle of a visit.

    Args:
        size: median amplitude of the ramp [1].
        rng: source of every random draw.
    """
    ramp, cycle = size * np.exp(rng.normal(0.0, _LN_SIZE_SCATTER, 2))
    return RampAndCycle(
        ramp=float(ramp * rng.choice([-1.0, 1.0])),
        time_scale=log_uniform(*_TIME_SCALE, rng),
        cycle=float(cycle * log_uniform(*_CYCLE_TO_RAMP, rng)),
        period=log_uniform(*_PERIOD, rng),
        phase=float(rng.uniform(0.0, 2.0 * np.pi)),
        red=float(rng.uniform(*_RED_OVER_BLUE)),
    )
