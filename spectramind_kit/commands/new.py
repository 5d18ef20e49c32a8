"""``spectramind new``: a working model or kernel of one's own to start from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit.commands.options import Overrides, by_default, composed

new = typer.Typer(cls=by_default("model"), help="Write a working model, or a kernel, to start from.")

Out = Annotated[Path, typer.Option(help="Folder for the files.")]


class ModelSort(StrEnum):
    """Sorts of models of one's own."""

    regressor = "regressor"
    network = "network"


@new.command("model")
def model(
    name: Annotated[str, typer.Argument(help="Of the module, such as my_ridge.")],
    sort: Annotated[ModelSort, typer.Option(help="What kind of model.")] = ModelSort.regressor,
    out: Out = Path("."),
) -> None:
    """Write a working model of your own and its test: a regressor over tables, or a torch network.

    It is trained, blended, rehearsed and submitted as model.kind=NAME:CLASS. `spectramind new NAME` means this, too.
    """
    from spectramind_kit.model_templates.template import write_template

    path, test, kind = write_template(name, sort.value, out)
    typer.echo(f"{path} and {test}; try: spectramind selftest model.kind={kind} training.folds=2")


@new.command("kernel")
def kernel(
    name: Annotated[str, typer.Argument(help="Of the kernel and its folder, such as my-submit.")],
    example: Annotated[str, typer.Option("--from", help="Kernel of the kit that it starts as.")] = "submit",
    out: Out = Path("."),
    overrides: Overrides = None,
) -> None:
    """Write a kernel of your own that works: metadata, its source in percent cells, and the notebook made from it.

    It is yours on Kaggle with kaggle.owner=ME. After an edit of its source,
    `spectramind wheels notebooks --folder NAME` makes the notebook anew.
    """
    from spectramind_kit.kaggle.rules.new_kernel import write_kernel

    folder = write_kernel(name, example, out, composed(overrides).kaggle.owner)
    typer.echo(f"{folder}: try: spectramind dry-run {folder} --data DIR --dataset DIR --work DIR")
