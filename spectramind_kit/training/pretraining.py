"""Masked reconstruction: the time encoder learns what light curves look like from all planets, labelled or not.

Spans of steps are hidden; what they held is predicted from the steps around them (masked autoencoders, He et al. 2022).
Light curves of the test split take part, because no label is needed.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from spectramind_kit.features.planet import Features
from spectramind_kit.features.visit import SEQUENCE
from spectramind_kit.networks.batch import Batch, collate
from spectramind_kit.networks.spectramind import SpectraMindV50
from spectramind_kit.training.loggers import ended_afterwards, training_loggers
from spectramind_kit.training.progress import TrainingProgress
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.training.trainer import capped_threads, new_trainer, quiet_lightning, seeded

logger = logging.getLogger(__name__)

HIDDEN_SHARE = 0.4
_SPAN = 8
"""Steps hidden together: single ones could be interpolated from their neighbours."""


class Reconstruction(lightning.LightningModule):
    """The time encoder of a network with a decoder that is thrown away.

    Args:
        network: whose encoder learns.
        d_model: width of the encoder.
        learning_rate: of AdamW.
    """

    def __init__(self, network: SpectraMindV50, d_model: int, learning_rate: float):
        super().__init__()
        self.network, self.learning_rate = network, learning_rate
        self.decoder = nn.Linear(d_model, network.patch * len(SEQUENCE))
        self.losses: list[float] = []

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch."""
        return batch.to(device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean squared error of what was hidden."""
        network = self.network
        steps, valid = network.patches(network.sequence_scale(batch.sequence), batch.valid)
        steps, valid = steps.flatten(0, 1), valid.flatten(0, 1)  # (B V, T', P C), (B V, T')
        hidden = hidden_spans(valid)
        encoded = network.time_encoder(torch.where(hidden[:, :, None], 0.0, steps), valid)
        error = (self.decoder(encoded) - steps)[hidden]
        loss = error.square().mean() if len(error) else encoded.sum() * 0.0
        self.losses.append(float(loss.detach()))
        self.log("loss", loss.detach(), on_step=False, on_epoch=True, batch_size=len(steps))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW on encoder and decoder."""
        learned = [*self.network.time_encoder.parameters(), *self.decoder.parameters()]
        return torch.optim.AdamW(learned, lr=self.learning_rate)


def hidden_spans(valid: Tensor) -> Tensor:
    """Return which steps are hidden, (batch, n_step) bool: random spans of the valid ones."""
    n_batch, n_step = valid.shape
    n_span = -(-n_step // _SPAN)
    chosen = torch.rand(n_batch, n_span, device=valid.device) < HIDDEN_SHARE
    return chosen.repeat_interleave(_SPAN, dim=1)[:, :n_step] & valid


@quiet_lightning()
@capped_threads()
def pretrain(
    task: NetworkTask, planets: Sequence[Features], wavelength: np.ndarray, seconds: float
) -> dict[str, Tensor]:
    """Return weights of a time encoder that has learned to reconstruct light curves, by their names in the network.

    Args:
        task: how networks are trained.
        planets: labelled or not.
        wavelength: (n_wavelength,) [um].
        seconds: that this may take [s].
    """
    with seeded(task.seed):
        return _pretrained(task, planets, wavelength, timedelta(seconds=seconds))


def _pretrained(
    task: NetworkTask, planets: Sequence[Features], wavelength: np.ndarray, budget: timedelta
) -> dict[str, Tensor]:
    network = SpectraMindV50(wavelength, task.model)
    network.sequence_scale.learn(np.concatenate([visit for each in planets for visit in each.visits]))
    module = Reconstruction(network, task.model.d_model, task.training.learning_rate)
    config = replace(task.training, devices=1)
    progress, loggers = TrainingProgress("pre-training", budget), training_loggers(config, task.folder, "pretraining")
    trainer = new_trainer(config, [progress], task.folder, budget, config.pretraining_epochs, loggers)
    # A list is all that a map-style data set must be.
    data: Dataset[Features] = list(planets)  # pyright: ignore[reportAssignmentType]  # see above
    loader = DataLoader(data, task.training.batch_size, shuffle=True, collate_fn=collate)
    with ended_afterwards(loggers):
        trainer.fit(module, loader)
    if module.losses:
        logger.info(
            "pre-training: %d planets, error of what was hidden %.3f to %.3f",
            len(planets),
            module.losses[0],
            module.losses[-1],
        )
    state = network.state_dict()
    return {name: tensor for name, tensor in state.items() if name.startswith("time_encoder.")}
