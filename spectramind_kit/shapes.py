"""Arrays of products: their shapes are checked when a product is made, and shown instead of their numbers."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from spectramind_kit.errors import ProductError


def require_shape(product: str, name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    """Refuse an array whose shape is not ``shape`` (None stands for any length)."""
    if array.ndim != len(shape) or any(w is not None and w != g for w, g in zip(shape, array.shape)):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ProductError(f"{product}.{name}", wanted=f"shape {wanted}", got=f"shape {array.shape}")


class Product:
    """A repr that shows shapes instead of numbers, and in a notebook a picture where one is known.

    Attributes:
        in_html: returns a product as a notebook shows it, None for its repr; ``spectramind_kit.api`` sets it, because
            pictures rest on products.
    """

    in_html: ClassVar[Callable[[Any], str | None] | None] = None

    def __repr__(self) -> str:
        shown = []
        for f in fields(self):  # pyright: ignore[reportArgumentType]  # every subclass is a dataclass
            value = getattr(self, f.name)
            is_array = isinstance(value, np.ndarray)
            shown.append(f"{f.name}={f'{value.dtype}{list(value.shape)}' if is_array else repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_html_(self) -> str | None:
        return None if Product.in_html is None else Product.in_html(self)
