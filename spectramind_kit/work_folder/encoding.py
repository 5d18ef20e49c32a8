"""A product taken apart into arrays and plain values, and put together again by the types that its fields declare.

Arrays go beside the tree under dotted names ("recalibration.usual"); everything else becomes what JSON can hold. What
is read is checked against the declared types, so a file of an older version, or a damaged one, is refused in words
and never becomes a product with a string where a number should be.
"""

import enum
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from spectramind_kit.errors import ProductError

Arrays = dict[str, np.ndarray]

_ARRAY = "array"
"""Stands in the tree where an array was: {"array": its name}."""


def encoded(value: object, place: str, arrays: Arrays) -> Any:
    """Return a value as JSON can hold it; its arrays are added to ``arrays``.

    Args:
        value: a dataclass, an array, a mapping with names as keys, a tuple, an enum's member, or a plain value.
        place: dotted name of the value within the product; "" is the product itself.
        arrays: the arrays found so far, by dotted name.

    Raises:
        ProductError: if the value is of another type, which could only be pickled.
    """
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays[place] = value
        return {_ARRAY: place}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encoded(getattr(value, f.name), _below(place, f.name), arrays) for f in fields(value)}
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        names = {_name(key): each for key, each in value.items()}
        return {name: encoded(each, _below(place, name), arrays) for name, each in names.items()}
    if isinstance(value, tuple):
        return [encoded(each, _below(place, str(i)), arrays) for i, each in enumerate(value)]
    if isinstance(value, enum.Enum):
        # A flag may be several members at once, which have no name of their own on every Python.
        return value.value if isinstance(value, enum.Flag) else value.name
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic) and type(value.item()) in (bool, int, float, str):
        return value.item()
    raise ProductError(
        f"value to store in {place or 'a product'}",
        wanted="a dataclass, an array, or plain values",
        got=f"{type(value).__name__}{' of Python objects' if isinstance(value, np.ndarray) else ''}",
    )


def decoded(node: Any, wanted: Any, place: str, arrays: Arrays) -> Any:
    """Return the value that ``encoded`` took apart.

    Args:
        node: what JSON held.
        wanted: declared type of the value.
        place: dotted name of the value within the product, for errors.
        arrays: the stored arrays by dotted name.

    Raises:
        ProductError: if the stored value is not of the declared type, or a field is missing or unknown.
    """
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _decoded_as_one_of(node, wanted, place, arrays)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _decoded_dataclass(node, wanted, place, arrays)
    if wanted is np.ndarray or origin is np.ndarray:
        if isinstance(node, dict) and node.keys() == {_ARRAY} and node[_ARRAY] in arrays:
            return arrays[node[_ARRAY]]
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(node, dict):
            key, kind = get_args(wanted)
            return {
                decoded(name, key, place, arrays): decoded(each, kind, _below(place, name), arrays)
                for name, each in node.items()
            }
    elif origin is tuple:
        if isinstance(node, list):
            return _decoded_tuple(node, wanted, place, arrays)
    elif isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return _decoded_member(node, wanted, place)
    elif origin is Literal:
        if any(type(node) is type(each) and node == each for each in get_args(wanted)):
            return node
    elif _is_plain(node, wanted):
        return node
    raise _refusal(node, wanted, place)


@lru_cache(maxsize=64)
def declared_types(kind: type) -> dict[str, Any]:
    """Return the declared types of a dataclass's fields, annotations that are strings resolved."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _decoded_dataclass(node: Any, wanted: type, place: str, arrays: Arrays) -> Any:
    declared = declared_types(wanted)
    if not isinstance(node, dict) or node.keys() != declared.keys():
        raise ProductError(
            f"stored {place or wanted.__name__}",
            wanted=f"the fields of {wanted.__name__}: {', '.join(declared)}",
            got=", ".join(node) if isinstance(node, dict) else _shown(node),
        )
    return wanted(**{name: decoded(node[name], kind, _below(place, name), arrays) for name, kind in declared.items()})


def _decoded_as_one_of(node: Any, wanted: Any, place: str, arrays: Arrays) -> Any:
    """Return the value as the first of several types that it fits."""
    for kind in get_args(wanted):
        try:
            return decoded(node, kind, place, arrays)
        except ProductError:
            continue
    raise _refusal(node, wanted, place)


def _decoded_tuple(node: list, wanted: Any, place: str, arrays: Arrays) -> tuple:
    kinds = get_args(wanted)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(node)
    if len(kinds) != len(node):
        raise _refusal(node, wanted, place)
    return tuple(decoded(each, kind, _below(place, str(i)), arrays) for i, (each, kind) in enumerate(zip(node, kinds)))


def _decoded_member(node: Any, wanted: type[enum.Enum], place: str) -> enum.Enum:
    try:
        if issubclass(wanted, enum.Flag):
            return wanted(node) if _is_plain(node, int) else wanted[node]
        return wanted[node]
    except (KeyError, ValueError, TypeError) as error:
        raise _refusal(node, wanted, place) from error


def _is_plain(node: Any, wanted: Any) -> bool:
    """Whether a value is of a plain type; as everywhere in Python a whole number serves as a float."""
    if wanted is float:
        return type(node) in (float, int)
    return type(node) is wanted if wanted in (bool, int, str) else wanted is type(None) and node is None


def _refusal(node: Any, wanted: Any, place: str) -> ProductError:
    kind = wanted.__name__ if isinstance(wanted, type) else str(wanted)
    return ProductError(f"stored {place or 'product'}", wanted=kind, got=_shown(node))


def _shown(node: Any) -> str:
    text = repr(node)
    return f"{type(node).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def _name(key: str) -> str:
    """Return what a key is stored as: an enum's member by its name, which stays when its text is reworded."""
    return key.name if isinstance(key, enum.Enum) else key


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
