"""Pictures of a notebook that has its result already: one that cannot be drawn becomes a sentence, and no error.

An exception ends a notebook, and Kaggle takes none of the files of a notebook that ended in one.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from spectramind_kit.errors import describe

logger = logging.getLogger(__name__)

Shown = TypeVar("Shown")


def attempted(draw: Callable[..., Shown], *arguments: object) -> Shown | str:
    """Return what a function draws, or why it could not.

    Args:
        draw: the function.
        arguments: its arguments.
    """
    try:
        return draw(*arguments)
    except Exception as error:
        logger.warning("no picture: %s", describe(error))
        return f"no picture: {describe(error)}"
