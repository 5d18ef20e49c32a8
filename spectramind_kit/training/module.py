"""The network under Lightning: loss, schedule, averaged weights, and the competition's score on planets held back."""

import math

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from spectramind_kit.features.planet import CONTEXT
from spectramind_kit.metric import unclipped_score
from spectramind_kit.networks.batch import Batch
from spectramind_kit.networks.spectramind import Correction
from spectramind_kit.settings.training import TrainingConfig
from spectramind_kit.symbolic.scale_height import scale_height
from spectramind_kit.training.losses import SpectrumLoss

_NO_DECAY_BELOW = 2
"""Parameters with fewer axes (biases, norms, gains) are not decayed."""
_OF_HEIGHT = tuple(CONTEXT.index(name) for name in ("radius", "temperature", "planet_mass", "axis"))
_SMALLEST_LEVEL = 1e-6


def corrected(batch: Batch, correction: Correction) -> tuple[Tensor, Tensor]:
    """Return mean and sigma (batch, n_wavelength) after a correction [(Rp/Rs)^2].

    Args:
        batch: of the prediction that is corrected.
        correction: of the same planets.
    """
    return batch.mean + batch.sigma * correction.delta, batch.sigma * torch.exp(correction.ln_factor)


def scale_heights(batch: Batch) -> Tensor:
    """Return the scale heights of the planets' air (batch,), by the star table and the fitted level [planetary radii].

    Where the table says nothing, features have typical numbers.
    """
    radius, temperature, mass, axis = (batch.context[:, place] for place in _OF_HEIGHT)
    level = batch.mean.mean(dim=1).clamp_min(_SMALLEST_LEVEL)
    return scale_height(radius.exp(), 1e3 * temperature, axis.exp(), mass.exp(), level)


class NetworkModule(lightning.LightningModule):
    """One network in training.

    Args:
        network: the network.
        loss: of mean and sigma against the truth.
        config: schedule and optimiser.
        n_step: steps that the schedule spans.
        naive: mean and spread of the labels, the score's zero point [(Rp/Rs)^2].
        edition: "2025" or "2024", whose score stops the training.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: SpectrumLoss,
        config: TrainingConfig,
        n_step: int,
        naive: tuple[float, float],
        edition: str,
    ):
        super().__init__()
        self.network, self.loss, self.config = network, loss, config
        self.n_step, self.naive, self.edition = max(1, n_step), naive, edition
        self.average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
        self.average.requires_grad_(False)
        self._held_back: list[tuple[Tensor, Tensor, Tensor]] = []

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch."""
        return batch.to(device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        mean, sigma = corrected(batch, self.network(batch))
        total, parts = self.loss(mean, sigma, batch.truth(), self.global_step, scale_heights(batch))
        logged = {"loss": total, **{f"loss/{name}": value for name, value in parts.items()}}
        # Means over an epoch: a value of every step would make a GPU wait for the logger.
        self.log_dict(logged, on_step=False, on_epoch=True, batch_size=len(mean))
        return total

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        """Update the averaged weights."""
        self.average.update_parameters(self.network)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Collect what the averaged weights predict."""
        mean, sigma = corrected(batch, self.average(batch))
        self._held_back.append((batch.truth().double().cpu(), mean.double().cpu(), sigma.double().cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log the competition's score of the planets held back, the same on every device."""
        truth, mean, sigma = (torch.cat(parts).numpy() for parts in zip(*self._held_back))
        self._held_back.clear()
        value = unclipped_score(truth, np.maximum(mean, 0.0), sigma, self.naive, self.edition)
        self.log("score", torch.tensor(value, dtype=torch.float32), sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW with a linear warm-up and a cosine to zero."""
        decayed = [p for p in self.network.parameters() if p.requires_grad and p.ndim >= _NO_DECAY_BELOW]
        others = [p for p in self.network.parameters() if p.requires_grad and p.ndim < _NO_DECAY_BELOW]
        groups = [
            {"params": decayed, "weight_decay": self.config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.config.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        """Return the learning rate over its height."""
        warm = max(1.0, self.config.warmup_share * self.n_step)
        if step < warm:
            return (step + 1) / (warm + 1)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm) / max(1.0, self.n_step - warm))))
