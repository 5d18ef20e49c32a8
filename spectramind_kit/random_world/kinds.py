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
