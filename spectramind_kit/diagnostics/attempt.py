"""Pictures of a notebook that has its result already: one that cannot be drawn becomes a sentence, and no error.

An exception ends a notebook, and Kaggle takes none of the files of a notebook that ended in one.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from matplotlib.figure import Figure

from spectramind_kit.errors import describe
from spectramind_kit.work_folder.store import load_product

logger = logging.getLogger(__name__)

Shown = TypeVar("Shown")
Product = TypeVar("Product")


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


def draw_stored(paths: Sequence[Path], kind: type[Product], draw: Callable[[Product], Figure]) -> Figure:
    """Return the picture of the first of some stored products.

    Args:
        paths: of the products.
        kind: of product.
        draw: draws one.

    Raises:
        FileNotFoundError: if there is none.
    """
    if not paths:
        raise FileNotFoundError(f"no {kind.__name__} is stored of this planet")
    return draw(load_product(paths[0], kind))
