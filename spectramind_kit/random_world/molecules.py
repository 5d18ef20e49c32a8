"""Molecules that a world invents, each with broad bands and many narrow ones, at places of its own."""

import numpy as np

from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.simulation.distributions import log_uniform_array
from spectramind_kit.simulation.opacity import KINDS, Airs, Molecule

_N_MOLECULE = (5, 9)
_N_BAND = (3, 9)
_N_NARROW = 25
_RANGE = (0.9, 4.3)
_BAND_WIDTH = (0.02, 0.22)
_NARROW_WIDTH = (0.008, 0.03)
_STRENGTH = (1.0, 5.5)
_NARROW_STRENGTH = 0.7


def draw_air_family(wanted: str | None, rng: np.random.Generator) -> Airs:
    """Draw the airs of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    kind = draw_kind("planets", KINDS, wanted, rng)
    n = int(rng.integers(_N_MOLECULE[0], _N_MOLECULE[1] + 1))
    return Airs(kind, tuple(_draw_molecule(rng) for _ in range(n)))


def _draw_molecule(rng: np.random.Generator) -> Molecule:
    n = int(rng.integers(_N_BAND[0], _N_BAND[1] + 1))
    centre = log_uniform_array(_RANGE, n + _N_NARROW, rng)
    widths = log_uniform_array(_BAND_WIDTH, n, rng), log_uniform_array(_NARROW_WIDTH, _N_NARROW, rng)
    width = np.concatenate(widths)
    strength = np.concatenate([rng.uniform(*_STRENGTH, n), _NARROW_STRENGTH * rng.standard_normal(_N_NARROW)])
    return Molecule(*(tuple(float(v) for v in values) for values in (centre, width, strength)))
