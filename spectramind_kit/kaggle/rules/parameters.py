"""Parameters of a kernel: Kaggle passes none, so they are baked into the notebook before it leaves.

papermill puts them into a cell of their own after the one tagged ``parameters``. A name that is not there it only
warns of; here it is refused, and so is a value of another type than the default's.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import papermill
import yaml
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from spectramind_kit.errors import ConfigurationError, PackagingError

TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}


def parse_parameters(texts: Iterable[str]) -> dict[str, object]:
    """Read ``name=value`` texts; values are YAML, so that ``[a, b]`` is a list and ``true`` is true.

    Raises:
        ConfigurationError: on a text without "=" or a value that is no YAML.
    """
    parameters = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"parameter {text!r}", wanted="name=value", got="no name before a '='")
        try:
            parameters[name] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError as error:
            got = str(error).splitlines()[0]
            raise ConfigurationError(f"parameter {name}", wanted="a YAML value", got=got, remedy="quote it") from error
    return parameters


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse parameters that the notebook does not have, and values of another type than it states.

    Raises:
        PackagingError: naming them and what is known.
    """
    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise PackagingError(f"parameters of {notebook}", wanted=f"among {sorted(known)}", got=unknown)
    for name, value in parameters.items():
        stated = known[name]["inferred_type_name"]
        fits = isinstance(value, TYPES.get(stated, object)) and (stated == "bool" or not isinstance(value, bool))
        if not fits:
            raise PackagingError(f"parameter {name} of {notebook}", wanted=stated, got=f"{value!r}")


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
