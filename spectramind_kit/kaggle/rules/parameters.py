"""Parameters of a kernel: Kaggle passes none, so they are baked into the notebook before it leaves.

papermill puts them into a cell of their own after the one tagged ``parameters``. A name that is not there it only
warns of; here it is refused, and so is a value of another type than the one stated. What is stated Python's own parser
reads: papermill's pattern sees no parameter whose type is ``int | None``, or in whose line there is a second "=".
"""

import ast
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from spectramind_kit.errors import ConfigurationError, PackagingError
from spectramind_kit.kaggle.rules.notebook_file import read_notebook

TYPES = {
    "None": type(None),
    "bool": bool,
    "int": int,
    "float": (int, float),
    "list": list,
    "dict": dict,
    "str": str,
}
"""Types that can be baked; the first that takes a text wins."""
SPELLINGS = {"Sequence": "list", "Iterable": "list", "List": "list", "Tuple": "list", "tuple": "list"}
SPELLINGS |= {"Mapping": "dict", "Dict": "dict"}
"""Types that are written as one of these."""
ANYTHING = ("Any", "object")
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

Kind = ast.expr | None
"""A type as the notebook states it; None where it states none."""


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

    Text stays as it was typed; numbers are decimal; lists and dictionaries are YAML, their elements of the type that is
    stated for these. A parameter without a stated type has that of its default.

    Raises:
        ConfigurationError: on a text without "=" or a value that is not of the stated type.
        PackagingError: if the notebook is missing or has no such parameter.
    """
    values = dict(_split(text) for text in texts)
    known = _known(notebook, values) if values else {}
    return {name: _read_value(name, value, known[name]) for name, value in values.items()}


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ConfigurationError(f"parameter {text!r}", wanted="name=value", got="no name before a '='")
    return name, value


def _known(notebook: Path, names: Iterable[str]) -> dict[str, Kind]:
    """Return the type of each of the notebook's parameters, after refusing names that it does not have."""
    known = {}
    for cell in read_notebook(notebook).cells:
        if "parameters" in cell.metadata.get("tags", []):
            known |= _stated(cell.source, notebook)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise PackagingError(f"parameters of {notebook}", wanted=f"among {sorted(known)}", got=unknown)
    return known


def _stated(code: str, notebook: Path) -> dict[str, Kind]:
    """Return the names that a cell assigns to, with their types: by annotation, by comment, else of the default."""
    try:
        lines = ast.parse(code, type_comments=True).body
    except SyntaxError as error:
        got = f"{error.msg} at its line {error.lineno}"
        raise PackagingError(f"cell of parameters of {notebook}", wanted="Python", got=got) from error
    known: dict[str, Kind] = {}
    for line in lines:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            known[line.target.id] = line.annotation
        elif isinstance(line, ast.Assign):
            kind = ast.Constant(line.type_comment) if line.type_comment else _kind_of_default(line.value)
            known |= {target.id: kind for target in line.targets if isinstance(target, ast.Name)}
    return known


def _kind_of_default(default: ast.expr) -> Kind:
    try:
        value = ast.literal_eval(default)
    except ValueError:
        return None
    return None if value is None else ast.Name(type(value).__name__)


def _alternatives(kind: Kind) -> list[Kind]:
    """Return the types of which a value may be one, those that take fewest texts first."""
    if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
        with contextlib.suppress(SyntaxError):
            return _alternatives(ast.parse(kind.value, mode="eval").body)
    if isinstance(kind, ast.BinOp) and isinstance(kind.op, ast.BitOr):
        return _ordered([*_alternatives(kind.left), *_alternatives(kind.right)])
    if isinstance(kind, ast.Subscript) and _name(kind.value) in ("Optional", "Union", "Annotated"):
        none = [ast.Constant(None)] if _name(kind.value) == "Optional" else []
        inner = _inner(kind)[:1] if _name(kind.value) == "Annotated" else _inner(kind)
        return _ordered([*none, *(each for part in inner for each in _alternatives(part))])
    return [None if _name(kind) in ANYTHING else kind]


def _ordered(kinds: list[Kind]) -> list[Kind]:
    order = list(TYPES)
    return sorted(kinds, key=lambda kind: order.index(name) if (name := _name(kind)) in order else len(order))


def _name(kind: Kind) -> str:
    """Return what a type is called here, without its module and what is in its brackets."""
    word = ast.unparse(kind).partition("[")[0].rpartition(".")[2] if kind is not None else "Any"
    return SPELLINGS.get(word, word)


def _inner(kind: Kind) -> list[Kind]:
    """Return the types in the brackets of a type."""
    if not isinstance(kind, ast.Subscript):
        return []
    return list(kind.slice.elts) if isinstance(kind.slice, ast.Tuple) else [kind.slice]


def _read_value(name: str, text: str, kind: Kind) -> object:
    """Read a value as the first of its types that takes it."""
    alternatives, problem = _alternatives(kind), ""
    for each in alternatives:
        try:
            return _read_one(text, each)
        except (ValueError, KeyError):
            continue
        except yaml.YAMLError as error:
            problem = f" ({str(error).splitlines()[0]})"
    wanted = " or ".join(ast.unparse(each) if each is not None else "a YAML value" for each in alternatives)
    raise ConfigurationError(f"parameter {name}", wanted=wanted, got=f"{text!r}{problem}")


def _read_one(text: str, kind: Kind) -> object:
    if kind is not None and _name(kind) not in ("list", "dict"):
        return _scalar(text, kind)
    loader = _PlainLoader(text)
    node = loader.get_single_node()
    return "" if node is None and kind is None else _of_node(loader, node, kind)


def _scalar(text: str, kind: Kind) -> object:
    """Return a text as a number, a switch or None; as it was typed where it is to be text, or of a type of its own."""
    return SCALARS.get(_name(kind), str)(text)


SCALARS: dict[str, Callable[[str], object]] = {
    "None": lambda text: {"None": None, "null": None}[text],
    "bool": lambda text: BOOLEANS[text.strip().lower()],
    "int": int,
    "float": float,
}
"""How the text of a value is read, by its type."""


def _of_node(loader: _PlainLoader, node: yaml.Node | None, kind: Kind) -> object:
    """Return the value of a part of a list or dictionary; raise ValueError if it is of none of its types."""
    for each in _alternatives(kind):
        with contextlib.suppress(ValueError, KeyError):
            return _of_node_as(loader, node, each)
    raise ValueError(kind)


def _of_node_as(loader: _PlainLoader, node: yaml.Node | None, kind: Kind) -> object:
    if kind is None:
        return loader.construct_object(node, deep=True)
    name, inner = _name(kind), _inner(kind)
    if name == "list" and isinstance(node, yaml.SequenceNode):
        return [_of_node(loader, part, inner[0] if inner else None) for part in node.value]
    if name == "dict" and isinstance(node, yaml.MappingNode):
        kinds = inner if len(inner) == 2 else [None, None]
        return {_of_node(loader, key, kinds[0]): _of_node(loader, value, kinds[1]) for key, value in node.value}
    if name in ("list", "dict") or not isinstance(node, yaml.ScalarNode):
        raise ValueError(node)
    return _scalar(node.value, kind)


def _fits(value: object, kind: Kind) -> bool:
    expected = TYPES.get(_name(kind), object)
    return isinstance(value, expected) and (not isinstance(value, bool) or expected in (bool, object))


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse parameters that the notebook does not have, and values of another type than it states.

    Raises:
        PackagingError: naming them and what is known.
    """
    known = _known(notebook, parameters)
    for name, value in parameters.items():
        stated = _alternatives(known[name])
        if not any(_fits(value, kind) for kind in stated):
            wanted = " or ".join(ast.unparse(kind) for kind in stated if kind is not None)
            raise PackagingError(f"parameter {name} of {notebook}", wanted=wanted, got=f"{value!r}")


def bake_parameters(notebook: Path, parameters: Mapping[str, object]) -> NotebookNode:
    """Return the notebook with its parameters set, checked first; the file stays as it is."""
    check_parameters(notebook, parameters)
    if not parameters:
        return read_notebook(notebook)
    baked = parameterize_notebook(load_notebook_node(str(notebook)), dict(parameters))
    for number, cell in enumerate(baked.cells):
        cell.metadata.pop("papermill", None)  # empty records of a run that has not been
        if "injected-parameters" in cell.metadata.tags:
            cell["id"] = f"parameters-{number}"  # papermill's is random; the same push is to give the same bytes
    return baked
