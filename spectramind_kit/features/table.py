"""Planets as rows of numbers, for models that take tables: what the network sees, without its sequences.

Of every channel of a wavelength's node there is FGS1's value and the mean over AIRS-CH0; a planet's context stands as
it is.
"""

from collections.abc import Sequence

import numpy as np

from spectramind_kit.features.planet import CONTEXT, NODE, Features

_CONSTANT = ("fgs1", "ln_wavelength")
"""Channels of a node that are the same for every planet."""
_VARYING = [place for place, name in enumerate(NODE) if name not in _CONSTANT]
TABLE = (*CONTEXT, *(f"{channel}_node_{NODE[place]}" for channel in ("fgs1", "airs") for place in _VARYING))
"""Names of the columns."""


def table(planets: Sequence[Features], fgs1: np.ndarray) -> np.ndarray:
    """Return a row for each planet, (n_planet, len(TABLE)), all numbers finite.

    Args:
        planets: their features.
        fgs1: (n_wavelength,) bool, which wavelengths are FGS1's.
    """
    rows = [
        np.concatenate([each.context, each.node[fgs1].mean(axis=0)[_VARYING], each.node[~fgs1].mean(axis=0)[_VARYING]])
        for each in planets
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(TABLE))
