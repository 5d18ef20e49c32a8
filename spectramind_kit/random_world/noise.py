"""Correlated noise of the light: nothing, one of four stationary Gaussian processes, or steps.

- ou: Ornstein-Uhlenbeck, power 1 / (1 + (2 pi f tau)^2);
- flicker: power 1 / f;
- matern: Matern 3/2, power 1 / (1 + (2 pi f tau)^2)^2, memory 10 to 90 min;
- granulation: two super-Lorentzians 1 / (1 + (2 pi f tau)^4) (Harvey 1985);
- steps: one to three jumps of the level.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.random_world.stationary import draw_stationary
from spectramind_kit.random_world.timeline import N_SLOW, SLOW_STEP, visit_phase
from spectramind_kit.simulation.distributions import log_uniform

KINDS = ("none", "ou", "flicker", "matern", "granulation", "steps")
_SIZE = (1.0e-5, 9.0e-5)
_MEMORY = {"matern": (600.0, 5400.0)}
_ANY_MEMORY = (240.0, 3600.0)
_FGS1_FACTOR = (0.7, 2.5)
_MOST_STEPS = 3
_SHORT_OVER_LONG = 0.15


@dataclass(frozen=True)
class Noise:
    """The correlated noise of a world.

    Attributes:
        kind: one of ``KINDS``.
        common: whether both channels share one series.
        size: standard deviation in AIRS-CH0, or of a step's height [1].
        memory: [s].
        fgs1: size in FGS1 over that in AIRS-CH0.
        red: strength at the red end of AIRS-CH0 over that at its blue end.
    """

    kind: str
    common: bool
    size: float
    memory: float
    fgs1: float
    red: float

    @property
    def n_series(self) -> int:
        """Series of a visit: AIRS-CH0's, then FGS1's if it has its own."""
        return 1 if self.common else 2

    def draw_series(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n independent series in units of the world's size, (n, N_SLOW) [1]."""
        if self.kind == "none":
            return np.zeros((n, N_SLOW))
        if self.kind == "steps":
            return self._steps(n, rng)
        return draw_stationary(self._spectrum, n, N_SLOW, SLOW_STEP, rng)

    def _spectrum(self, frequency: np.ndarray) -> np.ndarray:
        turn = (2.0 * np.pi * frequency * self.memory) ** 2
        if self.kind == "ou":
            return 1.0 / (1.0 + turn)
        if self.kind == "flicker":
            return 1.0 / frequency
        if self.kind == "matern":
            # sqrt(3) turns the length of the Matern 3/2 covariance into the rate of its spectrum.
            return 1.0 / (1.0 + turn / 3.0) ** 2
        short = _SHORT_OVER_LONG * self.memory
        return 1.0 / (1.0 + turn**2) + _SHORT_OVER_LONG / (1.0 + (2.0 * np.pi * frequency * short) ** 4)

    def _steps(self, n: int, rng: np.random.Generator) -> np.ndarray:
        place = rng.uniform(0.0, 1.0, (_MOST_STEPS, n, 1))
        happens = np.arange(_MOST_STEPS)[:, None, None] <= rng.integers(0, _MOST_STEPS, (n, 1))
        height = rng.standard_normal((_MOST_STEPS, n, 1)) * happens
        return (height * (visit_phase() > place)).sum(axis=0)

    def colours(self, wavelength: np.ndarray) -> np.ndarray:
        """Return how strongly each series acts, (n_series, n_wavelength) [1]."""
        fgs1 = is_fgs1(wavelength)
        airs = np.where(fgs1, 0.0, 1.0 + (self.red - 1.0) * (wavelength - 1.95) / 1.95)
        own = self.fgs1 * fgs1
        return self.size * (np.array([airs + own]) if self.common else np.vstack([airs, own]))


def draw_noise_family(wanted: str | None, rng: np.random.Generator) -> Noise:
    """Draw the correlated noise of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    kind = draw_kind("noise", KINDS, wanted, rng)
    low, high = _MEMORY.get(kind, _ANY_MEMORY)
    return Noise(
        kind=kind,
        common=bool(rng.random() < 0.5),
        size=log_uniform(*_SIZE, rng),
        memory=log_uniform(low, high, rng),
        fgs1=log_uniform(*_FGS1_FACTOR, rng),
        red=float(rng.uniform(0.4, 1.1)),
    )
