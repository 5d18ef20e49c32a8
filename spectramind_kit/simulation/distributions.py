"""Random numbers that numpy has no name for."""

import numpy as np


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def log_uniform_array(limits: tuple[float, float], size: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return numbers whose logarithms are uniform, in the shape ``size``."""
    return np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]), size))
