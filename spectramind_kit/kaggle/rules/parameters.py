"""Parameters of a kernel: Kaggle passes none, so they are baked into the notebook before it leaves.

papermill puts them into a cell of their own after the one tagged ``parameters``. A name that is not there it only
warns of; here it is refused, and so is a value of another type than the default's.
"""

import ast
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import nbformat
import papermill
import yaml
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from spectramind_kit.errors import ConfigurationError, PackagingError

TYPES = {
    "None": type(None),
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
}
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class _PlainLoader(yaml.SafeLoader):
    """YAML as people mean it (1.2, core schema): ``no`` and ``12:30`` are text, ``010`` is ten, ``1e-3`` a number."""


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))
_PlainLoader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
_PlainLoader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))


def parse_parameters(texts: Iterable[str], notebook: Path) -> dict[str, object]:
    """Read ``name=value`` texts, each value by the type that the notebook states for it.

    Text stays as it was typed; numbers are decimal; lists and dictionaries are YAML. A parameter without a stated type
    has that of its default.

    Raises:
        ConfigurationError: on a text without "=" or a value that is not of the stated type.
        PackagingError: if the notebook is missing or has no such parameter.
    """
    values = dict(_split(text) for text in texts)
    known = _known(notebook, values) if values else {}
    return {name: _read_value(name, value, _stated_types(known[name])) for name, value in values.items()}


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ConfigurationError(f"parameter {text!r}", wanted="name=value", got="no name before a '='")
    return name, value


def _known(notebook: Path, names: Iterable[str]) -> dict[str, dict]:
    """Return the notebook's parameters as papermill sees them, after refusing names that it does not have."""
    if not notebook.is_file():
        raise PackagingError(f"kernel {notebook.parent}", wanted=f"the notebook {notebook.name}", got="no such file")
    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise PackagingError(f"parameters of {notebook}", wanted=f"among {sorted(known)}", got=unknown)
    return known


def _stated_types(parameter: Mapping[str, str]) -> list[str]:
    """Return the names of the types that a parameter may have, the choosiest first; empty is any.

    A parameter without annotation has the type of its default.
    """
    stated = parameter["inferred_type_name"]
    if stated == "None":
        try:
            stated = type(ast.literal_eval(parameter["default"])).__name__
        except (ValueError, SyntaxError):
            return []
    outer, *inner = re.findall(r"\w+", stated)
    words = {word.lower() for word in (inner if outer in ("Optional", "Union") else [outer])}
    return ["None"] * (outer == "Optional" or "none" in words) + [name for name in READERS if name in words]


def _read_value(name: str, text: str, types: list[str]) -> object:
    """Read a value as the first of its types that takes it."""
    for kind in types:
        with contextlib.suppress(ValueError, KeyError, yaml.YAMLError):
            return READERS[kind](text)
    if types:
        raise ConfigurationError(f"parameter {name}", wanted=" or ".join(types), got=repr(text))
    try:
        return _read_yaml(text)
    except yaml.YAMLError as error:
        got = str(error).splitlines()[0]
        raise ConfigurationError(f"parameter {name}", wanted="a YAML value", got=got, remedy="quote it") from error


def _fits(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def _read_yaml(text: str) -> object:
    return yaml.load(text, _PlainLoader) if text else ""


def _read_as(kind: type) -> Callable[[str], object]:
    def read(text: str) -> object:
        value = _read_yaml(text)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return read


READERS: dict[str, Callable[[str], object]] = {
    "None": lambda text: {"None": None, "null": None}[text],
    "bool": lambda text: BOOLEANS[text.strip().lower()],
    "int": int,
    "float": float,
    "list": _read_as(list),
    "dict": _read_as(dict),
    "str": str,
}
"""How the text of a value is read, by its type."""


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse parameters that the notebook does not have, and values of another type than it states.

    Raises:
        PackagingError: naming them and what is known.
    """
    known = _known(notebook, parameters)
    for name, value in parameters.items():
        stated = _stated_types(known[name])
        if stated and not any(_fits(value, kind) for kind in stated):
            raise PackagingError(f"parameter {name} of {notebook}", wanted=" or ".join(stated), got=f"{value!r}")


def bake_parameters(notebook: Path, parameters: Mapping[str, object]) -> NotebookNode:
    """Return the notebook with its parameters set, checked first; the file stays as it is."""
    check_parameters(notebook, parameters)
    if not parameters:
        return nbformat.read(notebook, as_version=4)
    baked = parameterize_notebook(load_notebook_node(str(notebook)), dict(parameters))
    for number, cell in enumerate(baked.cells):
        cell.metadata.pop("papermill", None)  # empty records of a run that has not been
        if "injected-parameters" in cell.metadata.tags:
            cell["id"] = f"parameters-{number}"  # papermill's is random; the same push is to give the same bytes
    return baked
