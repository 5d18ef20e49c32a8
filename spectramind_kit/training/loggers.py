"""Where the curves of a training go: a CSV always, TensorBoard or Weights & Biases beside it where wanted.

    WORK/training/logs/<network>/version_0/metrics.csv     epoch, step, loss, score of the planets held back

A training that goes on after an interruption writes a further version.
"""

import os
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger

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
        from pytorch_lightning.loggers import WandbLogger

        # Nothing leaves the machine unless WANDB_MODE says so; `wandb sync` sends it afterwards.
        offline = os.environ.get("WANDB_MODE", "offline") != "online"
        loggers.append(WandbLogger(network, save_dir=logs, project=_PROJECT, offline=offline))
    return loggers
