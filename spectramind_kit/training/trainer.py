"""Lightning's trainer as this kit uses it: one device or several, a budget of time, no chatter."""

import logging
import os
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from spectramind_kit.prediction.device import chosen_device
from spectramind_kit.settings.training import TrainingConfig

# Lightning announces devices, tips and its own stops for every network, and warns of what is meant to be: few planets
# are loaded by the process itself, some networks hold nothing back, a checkpoint's folder is there to go on from, and
# the first step under mixed precision is skipped until the gradients' scale fits.
_EXPECTED = (".*does not have many workers", ".*have no `val_dataloader`", "Checkpoint directory", ".*LeafSpec")
for _expected in (*_EXPECTED, ".*`lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
    warnings.filterwarnings("ignore", message=_expected, module=r"pytorch_lightning\.")
for _chatty in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
    logging.getLogger(_chatty).setLevel(logging.ERROR)


def new_trainer(
    config: TrainingConfig, callbacks: Sequence[Callback], folder: Path, budget: timedelta, epochs: int
) -> lightning.Trainer:
    """Return a trainer for the device at hand; several processes share each batch (DDP).

    Args:
        config: device, devices, gradient clipping.
        callbacks: of the training; folder: for files; budget: of time; epochs: at most.
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
        logger=False,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # ours sees to it that all processes together see what one would see
    )
