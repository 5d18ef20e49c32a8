"""The slow drift of the detectors' gain, as ExoSim 2 draws it (Mugnai et al. 2025): of rank one in time and wavelength.

    gain(t, lambda) = 1 + f(t) g(lambda),    f = sum_n c_n x^n,  n = 1 .. N,    x = t / visit in [0, 1]

with c_n uniform. AIRS-CH0 and FGS1 have an f each, as large as on the light curves of the two real planets of the 2025
edition that are public, on which AIRS-CH0 drifts about half as much at its red end as at its blue one.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import FGS1, Channel

_ORDERS = (3, 6)
_FGS1_OVER_AIRS = 2.7
_RED_OVER_BLUE = (0.2, 0.8)
_BEND = (-0.35, 0.35)
"""By how much g is larger half-way between blue and red than on a straight line there."""


@dataclass(frozen=True)
class Drift:
    """Drift of one channel in a visit.

    Attributes:
        coefficients: c_n of x, x^2, ... [1].
        red: g at the red end; it is one at the blue end.
        bend: of g between them.
    """

    coefficients: tuple[float, ...]
    red: float
    bend: float

    def gain(self, phase: np.ndarray, redness: np.ndarray) -> np.ndarray:
        """Return what multiplies the star's light, (n_wavelength, n_time) [1].

        Args:
            phase: (n_time,), share of the visit that has passed [1].
            redness: (n_wavelength,), place between the blue end, 0, and the red end, 1.
        """
        powers = phase ** np.arange(1, len(self.coefficients) + 1)[:, None]
        colour = 1.0 + (self.red - 1.0) * redness + 4.0 * self.bend * redness * (1.0 - redness)
        return 1.0 + colour[:, None] * (np.array(self.coefficients) @ powers)


def draw_drift(channel: Channel, size: float, rng: np.random.Generator) -> Drift:
    """Draw a channel's drift.

    Args:
        channel: FGS1 drifts more.
        size: largest coefficient of AIRS-CH0 [1].
        rng: source of every random draw.
    """
    size = size * (_FGS1_OVER_AIRS if channel == FGS1 else 1.0)
    order = int(rng.integers(_ORDERS[0], _ORDERS[1] + 1))
    coefficients = size * rng.uniform(-1.0, 1.0, order)
    return Drift(tuple(float(c) for c in coefficients), float(rng.uniform(*_RED_OVER_BLUE)), float(rng.uniform(*_BEND)))
