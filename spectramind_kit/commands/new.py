"""``spectramind new``: a working model of one's own to start from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ModelSort(StrEnum):
    """Sorts of models of one's own."""

    regressor = "regressor"
    network = "network"


def new(
    name: Annotated[str, typer.Argument(help="Of the module, such as my_ridge.")],
    sort: Annotated[ModelSort, typer.Option(help="What kind of model.")] = ModelSort.regressor,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("."),
) -> None:
    """Write a working model of your own and its test: a regressor over tables, or a torch network.

    It is trained, blended, rehearsed and submitted as model.kind=NAME:CLASS.
    """
    from spectramind_kit.model_templates.template import write_template

    model, test, kind = write_template(name, sort.value, out)
    typer.echo(f"{model} and {test}; try: spectramind selftest model.kind={kind} training.folds=2")
