"""The nominal planets' airs: five molecules with bands at their real places, haze and cloud (``opacity``).

Strengths are made up: each vibrational overtone is an order of magnitude fainter than the one before, so that the air
is clearer at FGS1 than in the infrared unless haze fills the gap. Places and widths are those of hot Jupiters' spectra;
beside its broad bands every molecule has narrow ones, which stand for the structure that lines give a band.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from spectramind_kit.simulation.opacity import Air, Airs, Molecule
from spectramind_kit.simulation.population_shift import PopulationShift

# centre [um], width [um], strength [e-folds of opacity]
_BANDS = {
    "H2O": ((0.72, 0.02, 1.5), (0.94, 0.03, 2.0), (1.87, 0.09, 3.5), (2.66, 0.16, 5.0), (3.10, 0.20, 2.0)),
    "CO2": ((2.01, 0.035, 3.0), (2.70, 0.06, 5.0), (4.25, 0.20, 7.0)),
    "CH4": ((1.66, 0.05, 3.0), (2.32, 0.10, 4.0), (3.32, 0.15, 6.0)),
    "CO": ((2.34, 0.05, 4.0), (4.67, 0.15, 5.0)),
    "NH3": ((2.00, 0.06, 4.0), (2.25, 0.06, 3.0), (2.98, 0.10, 4.5)),
}
MOLECULES = tuple(_BANDS)
"""Their order in ``Air.abundance``."""
_VISIBLE = (0.45, 0.35, -4.5)
"""What the continuum of every molecule lacks in the visible, as a band of negative strength."""
_N_NARROW = 30
_NARROW_RANGE = (1.5, 4.2)
_NARROW_WIDTH = (0.006, 0.03)
_NARROW_STRENGTH = 0.9
_CLEARER = 0.7
"""By how much skies are clearer than ``opacity``'s mixed ones [e-folds]: FGS1's offsets are then those of labels."""
_LINES = 1847
"""Seed of the narrow bands, which are the same for all planets of all folders."""


@lru_cache(maxsize=1)
def nominal_airs() -> Airs:
    """Return the airs of the nominal planets."""
    rng = np.random.default_rng(_LINES)
    return Airs("mixed", tuple(_molecule(bands, rng) for bands in _BANDS.values()))


def draw_air(scale_height: float, shift: PopulationShift, rng: np.random.Generator) -> Air:
    """Draw a planet's air from a population that may be shifted.

    Args:
        scale_height: over the planet's radius [1].
        shift: of the population's means.
        rng: source of every random draw.
    """
    air = nominal_airs().draw_air(scale_height, rng)
    moved = tuple(a + shift.abundance[molecule] for a, molecule in zip(air.abundance, MOLECULES))
    return replace(air, abundance=moved, haze=air.haze + shift.haze, cloud=air.cloud - _CLEARER + shift.cloud)


def _molecule(bands: tuple[tuple[float, float, float], ...], rng: np.random.Generator) -> Molecule:
    narrow = zip(
        rng.uniform(*_NARROW_RANGE, _N_NARROW),
        rng.uniform(*_NARROW_WIDTH, _N_NARROW),
        _NARROW_STRENGTH * rng.standard_normal(_N_NARROW),
    )
    return Molecule(*(tuple(float(v) for v in column) for column in zip(*bands, _VISIBLE, *narrow)))
