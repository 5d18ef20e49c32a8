"""``curves.csv`` of a run: loss and held-back score of every network, by epoch and step, from what training logged."""

from pathlib import Path

import polars as pl

from spectramind_kit.competition.tables import read_csv

_COLUMNS = ("epoch", "step", "loss", "score")


def read_learning_curves(logs: Path) -> pl.DataFrame:
    """Return the curves of all networks, one row an epoch: network, epoch, step, loss, score.

    Args:
        logs: folder of the logs, ``WORK/training/logs``; a network whose training went on after an interruption has
            several versions there.
    """
    # By network, then by number: version 10 goes on where version 9 ended.
    paths = sorted(logs.glob("*/version_*/metrics.csv"), key=lambda path: (path.parts[-3], _version(path)))
    parts = [part for path in paths if (part := _curve(path)) is not None]
    schema = {"network": pl.String, "epoch": pl.Int64, "step": pl.Int64, "loss": pl.Float64, "score": pl.Float64}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _version(path: Path) -> int:
    return int(path.parts[-2].removeprefix("version_"))


def _curve(path: Path) -> pl.DataFrame | None:
    """Return one network's curve; None where nothing was logged, or half a line."""
    try:
        table = read_csv(path)
    except pl.exceptions.PolarsError:
        return None
    if not {"epoch", "step", "loss"} <= set(table.columns):
        return None
    score = pl.col("score").max() if "score" in table.columns else pl.lit(None)
    # Training and validation log lines of their own; together they are an epoch.
    return (
        table.group_by("epoch", maintain_order=True)
        .agg(pl.col("step").max(), pl.col("loss").mean(), score.cast(pl.Float64).alias("score"))
        .select(pl.lit(path.parents[1].name).alias("network"), *_COLUMNS)
        .cast({"epoch": pl.Int64, "step": pl.Int64, "loss": pl.Float64})
        .sort("epoch")
    )
