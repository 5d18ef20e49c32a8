"""Lightning's trainer as this kit uses it: one device or several, a budget of time, no chatter, few threads."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.seed import isolate_rng

from spectramind_kit.environment import available_cores
from spectramind_kit.prediction.device import chosen_device
from spectramind_kit.settings.training import TrainingConfig

_INTENDED = (
    ".*does not have many workers",  # the process itself loads: there are few planets
    ".*have no `val_dataloader`",  # of few planets none are held back
    "Checkpoint directory",  # it is there to resume from
    "The number of training batches",  # fewer than between two lines of a log: epochs are what is looked at
    ".*LeafSpec",
    ".*`lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`",  # skipped until the gradients' scale fits 16 bits
)
"""Lightning's warnings of what is meant to be."""
_VERBOSE = ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric")
"""Loggers that announce devices, tips and stops for every network."""
_SEED_VARIABLES = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")
"""What Lightning leaves in the environment."""


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence what Lightning announces of every network; the caller's filters and levels come back afterwards."""
    loggers = [logging.getLogger(name) for name in _VERBOSE]
    levels = [each.level for each in loggers]
    with warnings.catch_warnings():
        for message in _INTENDED:
            warnings.filterwarnings("ignore", message=message, module=r"pytorch_lightning\.")
        for each in loggers:
            each.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for each, level in zip(loggers, levels):
                each.setLevel(level)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed every random number of a training; the caller's generators come back where they were."""
    environment = {name: os.environ.get(name) for name in _SEED_VARIABLES}
    with isolate_rng():
        lightning.seed_everything(seed, verbose=False)
        try:
            yield
        finally:
            for name, value in environment.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})


@contextlib.contextmanager
def capped_threads() -> Iterator[None]:
    """Let torch use no more threads than this process has cores; the caller's number comes back afterwards.

    Threads beyond the cores wait for each other at the end of every operation, of which a training step has thousands.
    On a machine that others use, too, they should also sleep while they wait (OMP_WAIT_POLICY=PASSIVE, which the
    ``spectramind`` command sets before torch is loaded): else a step takes seven times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, min(threads, available_cores())))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def new_trainer(
    config: TrainingConfig,
    callbacks: Sequence[Callback],
    folder: Path,
    budget: timedelta,
    epochs: int,
    loggers: Sequence[Logger] = (),
) -> lightning.Trainer:
    """Return a trainer for the device at hand; several processes divide each batch (DDP).

    Args:
        config: device, devices, gradient clipping.
        callbacks: of the training.
        folder: for files.
        budget: of time.
        epochs: at most.
        loggers: that keep the curves.
    """
    cuda = chosen_device(config) == "cuda"
    return lightning.Trainer(
        accelerator="cuda" if cuda else "cpu",
        devices=config.devices,
        num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", "1")),
        strategy="ddp" if config.devices > 1 else "auto",
        precision="16-mixed" if cuda else "32-true",
        max_epochs=epochs,
        max_time=budget,
        gradient_clip_val=config.gradient_clip,
        callbacks=list(callbacks),
        default_root_dir=folder,
        logger=list(loggers) or False,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # ours: all processes together take the batches that one would take
    )
