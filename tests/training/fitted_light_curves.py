"""A simulated visit and its fit, made once for the tests that put another planet in."""

from functools import lru_cache

import numpy as np

from spectramind_kit.config import load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.products import LightCurves, Planet, TransitFit
from spectramind_kit.simulation.light_curves import simulate_training_planets


@lru_cache(maxsize=1)
def fitted() -> tuple[LightCurves, TransitFit, Planet, np.ndarray]:
    """Return light curves, their fit, the planet, and its true spectrum."""
    config = load_config()
    planet, visits, true = next(simulate_training_planets(1, config, seed=4))
    return visits[0], fit_transit(visits[0], planet, config.fit), planet, true
