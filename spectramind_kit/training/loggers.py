"""Where the curves of a training go: a CSV always, TensorBoard or Weights & Biases beside it where wanted.

    WORK/training/logs/<network>/version_0/metrics.csv     epoch, step, loss, score of the planets held back

A training that goes on after an interruption writes a further version.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger, WandbLogger

from spectramind_kit.settings.training import TrainingConfig

LOGS = "logs"
_PROJECT = "spectramind"


def training_loggers(config: TrainingConfig, folder: Path, network: str) -> list[Logger]:
    """Return the loggers of a network.

    Args:
        config: which one is wanted beside the CSV.
        folder: of all that training alone needs.
        network: its name.
    """
    logs = folder / LOGS
    loggers: list[Logger] = [CSVLogger(logs, name=network)]
    version = loggers[0].version
    if config.logger == "tensorboard":
        from pytorch_lightning.loggers import TensorBoardLogger

        loggers.append(TensorBoardLogger(logs, name=network, version=version))
    elif config.logger == "wandb":
        # Nothing leaves the machine unless WANDB_MODE says so; `wandb sync` sends it afterwards. Lightning's own switch
        # would leave that variable changed in the caller's environment.
        asked = os.environ.get("WANDB_MODE")
        mode = asked if asked in ("online", "disabled") else "offline"
        loggers.append(WandbLogger(network, save_dir=logs.resolve(), project=_PROJECT, mode=mode))
    return loggers


@contextmanager
def ended_afterwards(loggers: Sequence[Logger]) -> Iterator[None]:
    """End the runs of Weights & Biases that loggers begin within the block, however it ends.

    A process has one such run at a time: the next network's curves would go on in this one's.

    Args:
        loggers: of a network.
    """
    of_the_caller = getattr(sys.modules.get("wandb"), "run", None)
    try:
        yield
    finally:
        for each in loggers:
            if isinstance(each, WandbLogger) and each.experiment is not of_the_caller:
                each.experiment.finish()
