"""Slow changes of the detectors' gain: one of five families of curves, with a colour.

    gain(t, lambda) = 1 + size sum_k f_k(t) g_k(lambda)

- powers: x^n on [0, 1] with uniform coefficients, what ExoSim 2 draws;
- legendre: Legendre polynomials whose coefficients fall as n^-p;
- walk: a random walk;
- ramps: one or two exponentials after the start;
- cycles: one to three slow sines.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legvander

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.random_world.timeline import visit_phase
from spectramind_kit.simulation.distributions import log_uniform, log_uniform_array

KINDS = ("powers", "legendre", "walk", "ramps", "cycles")
_SIZE = (2.5e-4, 2.5e-3)
_ORDER = (2, 6)
_FALLS = (0.0, 2.0)
_RAMP_TIME = (0.03, 0.5)
"""Time constants of ramps [visits]."""
_CYCLE_PERIOD = (0.2, 1.5)
"""[visits]"""
_RED_OVER_BLUE = (-0.2, 1.4)
_FGS1_FACTOR = (0.4, 2.0)
_SECOND_TERM = (0.1, 0.6)
_BLUE, _RED = 1.95, 3.9
"""Wavelengths where a colour is one, and where it has its red value [um]."""


@dataclass(frozen=True)
class Drift:
    """The drifts of a world.

    Attributes:
        kind: one of ``KINDS``.
        common: whether both channels drift by the same curve.
        size: of a typical curve over a visit [1].
        order: of polynomials.
        falls: power by which Legendre coefficients fall with the order.
        red: strength at the red end over that at the blue end, of each term; the number of terms of AIRS-CH0.
        second: size of the second term over that of the first.
        fgs1: size of FGS1's drift over that of AIRS-CH0.
    """

    kind: str
    common: bool
    size: float
    order: int
    falls: float
    red: tuple[float, ...]
    second: float
    fgs1: float

    @property
    def n_curve(self) -> int:
        """Curves of a visit: those of AIRS-CH0, then FGS1's own if it has one."""
        return len(self.red) + (0 if self.common else 1)

    def draw_curves(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n independent curves of mean zero, in units of the world's size, (n, N_SLOW) [1]."""
        x = visit_phase()
        curves = getattr(self, f"_{self.kind}")(x, n, rng)
        return curves - curves.mean(axis=1, keepdims=True)

    def _powers(self, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        powers = x ** np.arange(1, self.order + 1)[:, None]
        return rng.uniform(-1.0, 1.0, (n, self.order)) @ powers

    def _legendre(self, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        size = 0.6 / np.arange(1, self.order + 1) ** self.falls
        return (size * rng.standard_normal((n, self.order))) @ legvander(2.0 * x - 1.0, self.order)[:, 1:].T

    def _walk(self, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal((n, len(x)), dtype=np.float32).cumsum(axis=1) / np.sqrt(len(x))

    def _ramps(self, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        time = log_uniform_array(_RAMP_TIME, (2, n, 1), rng)
        height = rng.standard_normal((2, n, 1)) * np.array([1.2, 0.5])[:, None, None]
        slope = 0.3 * rng.standard_normal((n, 1))
        return (height * np.exp(-x / time)).sum(axis=0) + slope * x

    def _cycles(self, x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        period = log_uniform_array(_CYCLE_PERIOD, (3, n, 1), rng)
        height = rng.standard_normal((3, n, 1)) * np.array([0.6, 0.3, 0.15])[:, None, None]
        phase = rng.uniform(0.0, 2.0 * np.pi, (3, n, 1))
        slope = 0.3 * rng.standard_normal((n, 1))
        return (height * np.sin(2.0 * np.pi * x / period + phase)).sum(axis=0) + slope * x

    def colours(self, wavelength: np.ndarray) -> np.ndarray:
        """Return how strongly each curve acts, (n_curve, n_wavelength) [1]."""
        fgs1 = is_fgs1(wavelength)
        red = np.array(self.red)[:, None]
        airs = 1.0 + (red - 1.0) * (wavelength - _BLUE) / (_RED - _BLUE)
        airs[1:] *= self.second
        own = self.fgs1 * fgs1
        if self.common:
            airs = np.where(fgs1, 0.0, airs)
            airs[0] += own
            return self.size * airs
        return self.size * np.vstack([np.where(fgs1, 0.0, airs), own])


def draw_drift_family(wanted: str | None, rng: np.random.Generator) -> Drift:
    """Draw the drifts of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    return Drift(
        kind=draw_kind("drift", KINDS, wanted, rng),
        common=bool(rng.random() < 0.3),
        size=log_uniform(*_SIZE, rng),
        order=int(rng.integers(_ORDER[0], _ORDER[1] + 1)),
        falls=float(rng.uniform(*_FALLS)),
        red=tuple(float(r) for r in rng.uniform(*_RED_OVER_BLUE, 1 + int(rng.random() < 0.4))),
        second=float(rng.uniform(*_SECOND_TERM)),
        fgs1=log_uniform(*_FGS1_FACTOR, rng),
    )
