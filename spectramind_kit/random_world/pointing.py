"""Pointing: how the telescope moves, and how the light reacts to it.

    gain(t, lambda) = 1 + sum over axes of x_axis(t) c_axis(lambda)

beside the shift of the image itself. Spectra of the motion: white, an oscillation, a random walk, excursions that
decay. Both channels see one motion, or each its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from spectramind_kit.instruments import AIRS, FGS1, is_fgs1
from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.random_world.stationary import draw_stationary
from spectramind_kit.random_world.timeline import FAST_STEP, N_FAST
from spectramind_kit.simulation.distributions import log_uniform

KINDS = ("white", "oscillation", "walk", "excursions")
_SIZE = {"white": (0.02, 0.2), "oscillation": (0.03, 0.2), "walk": (0.004, 0.04), "excursions": (0.03, 0.3)}
"""Standard deviation of the motion on FGS1, or typical height of an excursion [pixel]."""
_WHITE = (0.005, 0.03)
"""White motion that every telescope has [pixel]."""
_PERIOD = (1.5, 90.0)
_WALK_TIME = (1800.0, 20_000.0)
_EXCURSION_TIME = (15.0, 600.0)
_N_EXCURSION = (3, 20)
_AIRS_OVER_FGS1 = (0.1, 0.6)
_COUPLING = (0.002, 0.04)
_COLOUR = 1.0
_PIVOT, _HALF_BAND = 2.9, 1.0


@dataclass(frozen=True)
class Pointing:
    """The pointing of a world.

    Attributes:
        kind: one of ``KINDS``.
        common: whether both channels see the same motion.
        size: see ``KINDS`` [pixel on FGS1].
        white: white motion per exposure of FGS1 [pixel].
        airs: pixels that AIRS-CH0's image moves for one of FGS1.
        time: of the kind: period, memory or decay [s].
        number: excursions of a visit.
        coupling: relative change of the light per pixel of motion, by channel, (two axes) [1/pixel].
        colour: change of AIRS-CH0's coupling per um from the middle, over its own size, (two axes).
    """

    kind: str
    common: bool
    size: float
    white: float
    airs: float
    time: float
    number: int
    coupling: dict[str, tuple[float, float]]
    colour: tuple[float, float]

    def draw_motion(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return the motion of a visit along rows and columns by channel, (2, N_FAST) [pixel]."""
        fgs1 = self._draw_one(rng)
        airs = fgs1 if self.common else self._draw_one(rng)
        return {FGS1.name: fgs1, AIRS.name: self.airs * airs}

    def _draw_one(self, rng: np.random.Generator) -> np.ndarray:
        motion = self.white * rng.standard_normal((2, N_FAST))
        if self.kind == "white":
            return motion + self.size * rng.standard_normal((2, N_FAST))
        if self.kind == "excursions":
            return motion + self._excursions(rng)
        return motion + self.size * draw_stationary(self._spectrum, 2, N_FAST, FAST_STEP, rng)

    def _spectrum(self, frequency: np.ndarray) -> np.ndarray:
        if self.kind == "walk":
            return 1.0 / (1.0 + (2.0 * np.pi * frequency * self.time) ** 2)
        ratio = frequency * self.time
        return 1.0 / ((1.0 - ratio**2) ** 2 + (0.05 * ratio) ** 2)

    def _excursions(self, rng: np.random.Generator) -> np.ndarray:
        kicks = np.zeros((2, N_FAST))
        place = rng.integers(0, N_FAST, self.number)
        kicks[:, place] = self.size * rng.standard_normal((2, self.number))
        memory = np.exp(-FAST_STEP / self.time)
        return np.asarray(lfilter([1.0], [1.0, -memory], kicks, axis=1))

    def couplings(self, channel: str, wavelength: np.ndarray) -> np.ndarray:
        """Return the relative change of the light per pixel of the channel's motion, (2, n_wavelength) [1/pixel]."""
        own = np.array(self.coupling[channel])[:, None]
        tilt = np.where(is_fgs1(wavelength), 0.0, (wavelength - _PIVOT) / _HALF_BAND)
        return own * (1.0 + np.array(self.colour)[:, None] * tilt)


def draw_pointing_family(wanted: str | None, rng: np.random.Generator) -> Pointing:
    """Draw the pointing of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    kind = draw_kind("pointing", KINDS, wanted, rng)
    place = rng.random(2)
    low, high = np.log(_SIZE[kind])
    times = {"oscillation": _PERIOD, "walk": _WALK_TIME, "excursions": _EXCURSION_TIME, "white": _PERIOD}[kind]
    return Pointing(
        kind=kind,
        common=bool(rng.random() < 0.5),
        size=float(np.exp(low + (high - low) * place[0])),
        white=log_uniform(*_WHITE, rng),
        airs=log_uniform(*_AIRS_OVER_FGS1, rng),
        time=float(times[0] * (times[1] / times[0]) ** place[1]),
        number=int(rng.integers(_N_EXCURSION[0], _N_EXCURSION[1] + 1)),
        coupling={name: _draw_coupling(rng) for name in (FGS1.name, AIRS.name)},
        colour=(float(_COLOUR * rng.normal()), float(_COLOUR * rng.normal())),
    )


def _draw_coupling(rng: np.random.Generator) -> tuple[float, float]:
    size = log_uniform(*_COUPLING, rng)
    along, across = size * rng.standard_normal(2)
    return float(along), float(across)
