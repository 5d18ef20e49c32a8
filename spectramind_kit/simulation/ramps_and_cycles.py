"""Drift that no polynomial of low degree follows: a ramp after the slew, and cycles of the temperature.

    s(t) = a exp(-t / tau) + b sin(2 pi t / P + phi)

Detectors settle after a slew or a first illumination over 10 minutes to an hour, by 1e-4 to 1e-2: charge traps of
HST/WFC3 (Zhou et al. 2017), the ramps of JWST/MIRI (Bouwman et al. 2023). Heaters and orbits make cycles of one to
four hours (HST's orbit lasts 96 minutes; Spitzer's battery heater cycled in about an hour, Grillmair et al. 2012).
"""

from dataclasses import dataclass

import numpy as np

_TIME_SCALE = (600.0, 3600.0)
_PERIOD = (3600.0, 14_400.0)
_CYCLE_TO_RAMP = 0.2
"""Amplitude of the cycle over the size of the ramp."""
_SIZE_SCATTER = 0.4


@dataclass(frozen=True)
class RampAndCycle:
    """Ramp and thermal cycle of one channel in a visit.

    Attributes:
        ramp: amplitude a relative to the star [1].
        time_scale: decay time tau of the ramp [s].
        cycle: amplitude b relative to the star [1].
        period: P of the cycle [s].
        phase: phi of the cycle at the start of the visit [rad].
    """

    ramp: float
    time_scale: float
    cycle: float
    period: float
    phase: float

    def at(self, time: np.ndarray) -> np.ndarray:
        """Return s(t) at times since the start of the visit [s], in their shape [1]."""
        cycle = self.cycle * np.sin(2.0 * np.pi * time / self.period + self.phase)
        return self.ramp * np.exp(-time / self.time_scale) + cycle


def draw_ramp_and_cycle(size: float, rng: np.random.Generator) -> RampAndCycle:
    """Draw ramp and cycle of a visit.

    Args:
        size: typical amplitude of the ramp [1].
        rng: source of every random draw.
    """
    ramp, cycle = size * np.exp(rng.normal(0.0, _SIZE_SCATTER, 2))
    return RampAndCycle(
        ramp=float(ramp * rng.choice([-1.0, 1.0])),
        time_scale=float(np.exp(rng.uniform(*np.log(_TIME_SCALE)))),
        cycle=float(_CYCLE_TO_RAMP * cycle),
        period=float(np.exp(rng.uniform(*np.log(_PERIOD)))),
        phase=float(rng.uniform(0.0, 2.0 * np.pi)),
    )
