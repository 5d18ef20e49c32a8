"""Drawing one of the kinds of a family, or taking the one that was asked for."""

from collections.abc import Sequence

import numpy as np

from spectramind_kit.errors import ConfigurationError


def draw_kind(family: str, kinds: Sequence[str], wanted: str | None, rng: np.random.Generator) -> str:
    """Return a kind; the random number is drawn either way, so that asking for one changes nothing else.

    Args:
        family: its name, for the error.
        kinds: to draw from.
        wanted: the kind asked for, if any.
        rng: source of the draw.

    Raises:
        ConfigurationError: if there is no such kind.
    """
    drawn = kinds[int(rng.integers(len(kinds)))]
    if wanted is not None and wanted not in kinds:
        raise ConfigurationError(f"kind of the family {family} in a random world", wanted=list(kinds), got=wanted)
    return wanted or drawn


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def log_uniform_array(limits: tuple[float, float], size: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return numbers whose logarithms are uniform, in the shape ``size``."""
    return np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]), size))
