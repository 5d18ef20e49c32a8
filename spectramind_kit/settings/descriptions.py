"""What settings mean, read from the settings themselves: docstrings, types and ranges of their dataclasses."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     .*)*)", re.MULTILINE)
_UNIT = re.compile(r"\[([^\]=]+)\]")
_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_TEXT = re.compile(r"\W+")


@dataclass(frozen=True)
class Setting:
    """A key of the configuration.

    Attributes:
        key: with dots.
        meaning: of its value, in words.
        unit: of a number; "" where it says none, "1" of a ratio.
        kind: of value.
        low: smallest value; None where there is none.
        high: largest value; None where there is none.
        open_below: True if the smallest value itself is excluded.
        choices: values, where there are only a few.
        shipped: value if nobody sets another.
    """

    key: str
    meaning: str
    unit: str
    kind: str
    low: float | None
    high: float | None
    open_below: bool
    choices: tuple[str, ...]
    shipped: Any

    @property
    def range(self) -> str:
        """The values that it may take, in words."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low is None or self.high is None:
            return self.kind
        return f"{self.kind} {'above' if self.open_below else 'from'} {self.low:g}, at most {self.high:g}"


def describe_settings(root: type, shipped: Any) -> list[Setting]:
    """Return every setting below a dataclass, in order.

    Args:
        root: the dataclass of the whole configuration.
        shipped: an instance of it, with the values as they are shipped.
    """
    return list(_settings(root, shipped, ""))


def search_settings(settings: list[Setting], words: str) -> list[Setting]:
    """Return the settings whose key, meaning or choices hold every one of some words.

    Args:
        settings: to search.
        words: any of them may be a part of a word.
    """
    wanted = [word for word in _TEXT.split(words.lower()) if word]

    def text(setting: Setting) -> str:
        return f"{setting.key} {setting.meaning} {' '.join(setting.choices)} {setting.unit}".lower()

    return [setting for setting in settings if all(word in text(setting) for word in wanted)]


def _settings(group: type, shipped: Any, prefix: str) -> Iterator[Setting]:
    meanings = dict(_ATTRIBUTE.findall((inspect.getdoc(group) or "").partition("Attributes:")[2]))
    for name, hint in get_type_hints(group, include_extras=True).items():
        value, bare = getattr(shipped, name), _without_metadata(hint)
        if isinstance(bare, type) and is_dataclass(bare):
            yield from _settings(bare, value, f"{prefix}{name}.")
            continue
        meaning = " ".join(meanings.get(name, "").split())
        unit = _UNIT.search(meaning)
        low, high, open_below = _bounds(hint)
        yield Setting(
            key=f"{prefix}{name}",
            meaning=meaning,
            unit=unit[1] if unit else "",
            kind=_kind(bare),
            low=low,
            high=high,
            open_below=open_below,
            choices=tuple(map(str, get_args(bare))) if get_origin(bare) is Literal else (),
            shipped=value,
        )


def _without_metadata(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _kind(bare: Any) -> str:
    """Return a type in words; of several values, that of one."""
    if get_origin(bare) is tuple:
        inner = get_args(bare)
        number = "any number of" if Ellipsis in inner else str(len(inner))
        return f"list of {number} values, each {_kind(_without_metadata(inner[0]))}"
    return _KINDS.get(bare, "text")


def _bounds(hint: Any) -> tuple[float | None, float | None, bool]:
    """Return the range that a type's metadata states: the narrowest where they state several."""
    low, high, open_below = None, None, False
    for constraint in _constraints(hint):
        for name in ("ge", "gt"):
            bound = getattr(constraint, name, None)
            if bound is not None and (low is None or bound >= low):
                low, open_below = bound, name == "gt"
        bound = getattr(constraint, "le", None)
        high = high if bound is None or (high is not None and high < bound) else bound
    return low, high, open_below


def _constraints(hint: Any) -> Iterator[Any]:
    """Yield the constraints in a type's metadata, pydantic's fields opened."""
    for each in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        yield from getattr(each, "metadata", None) or (each,)
