"""``spectramind pretrain``: weights that networks start from, learned from simulated worlds."""

from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit.commands.options import AsJson, Overrides, Work, answer, composed


def pretrain(
    data: Annotated[
        list[Path], typer.Option("--data", help="Folder of a competition, real or simulated; may be repeated.")
    ],
    work: Work,
    out: Annotated[Path | None, typer.Option(help="Folder for the weights; default WORK/start.")] = None,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Train a network on other planets, such as simulated worlds, and leave its weights to start from in a folder.

    `spectramind train ... training.start_from=DIR` starts every fold's network from them.
    The folder is a Kaggle dataset as it is: `spectramind dataset push DIR`, yours with kaggle.owner=ME.
    """
    from spectramind_kit import runs
    from spectramind_kit.kaggle.rules.new_dataset import write_dataset_metadata

    config = composed(overrides)
    folder, record = runs.pretrain(data, work, config, out=out)
    learned_from: list[dict] = record["learned_from"]  # pyright: ignore[reportAssignmentType]  # as it was written
    planets = sum(each["planets"] for each in learned_from)
    write_dataset_metadata(
        folder,
        f"{config.kaggle.owner}/spectramind-start",
        "Weights for networks of spectramind_kit to start from",
        f"Learned from {planets} planets of {', '.join(each['folder'] for each in learned_from)}.",
    )
    lines = [f"{planets} planets of {len(learned_from)} folders", f"{folder}: training.start_from={folder}"]
    answer(as_json, {"folder": folder, "planets": planets, "generation": record["generation"]}, lines)
