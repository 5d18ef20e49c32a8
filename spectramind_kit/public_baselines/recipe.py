"""The training recipe of the public residual networks.

Mean squared error, Adam with weight decay, a learning rate that halves where the held-out loss rests, early stop; the
weights of the best epoch are restored. Source: the public notebook JAsonT1202/NeurIPS---Ariel-Data-Challenge-2025,
trainanpy.ipynb.
"""

import copy
import logging
import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 8.0
"""An epoch after which a line is due may itself take a second or two: no silence is to exceed ten."""

LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-4
BATCH, MAX_EPOCHS, PATIENCE = 64, 100, 10
VALIDATION_SHARE = 0.2
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.5, 5
_FEWEST_BATCHES = 4
"""Of an epoch. The public 880 planets make 14; a few dozen planets would make one, and a hundred epochs of one step
each end before the networks have learned to add up."""


def fit_network(
    network: nn.Module, inputs: Tensor, targets: Tensor, held_out: Tensor, max_epochs: int, shuffle: torch.Generator
) -> int:
    """Train a network in place and leave it with the weights of its best epoch, ready to predict.

    Args:
        network: to train.
        inputs: (n_planet, n_input).
        targets: (n_planet, n_output).
        held_out: (n_planet,) bool, planets that only judge the epochs.
        max_epochs: at most.
        shuffle: draws the batches. Dropout draws from torch's own generator.

    Returns:
        Epochs trained.
    """
    # Fused: the networks are a thousand small tensors, each step of which is otherwise a handful of calls.
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=_PLATEAU_FACTOR, patience=_PLATEAU_PATIENCE)
    best, best_epoch, best_weights = float("inf"), 0, copy.deepcopy(network.state_dict())
    epoch, logged = 0, time.monotonic()
    for epoch in range(1, max_epochs + 1):
        network.train()
        for batch in _batches(torch.nonzero(~held_out).ravel(), shuffle):
            optimiser.zero_grad()
            nn.functional.mse_loss(network(inputs[batch]), targets[batch]).backward()
            optimiser.step()
        loss = held_out_loss(network, inputs[held_out], targets[held_out])
        plateau.step(loss)
        if time.monotonic() - logged > _SECONDS_BETWEEN_LINES:
            logged = time.monotonic()
            logger.info("%s: epoch %d of %d, held-out loss %.4g", type(network).__name__, epoch, max_epochs, loss)
        if loss < best:
            best, best_epoch, best_weights = loss, epoch, copy.deepcopy(network.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    network.load_state_dict(best_weights)
    network.eval()
    logger.info("%s: best of %d epochs is %d, held-out loss %.4g", type(network).__name__, epoch, best_epoch, best)
    return epoch


@torch.no_grad()
def held_out_loss(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Return the mean squared error of planets the network does not train on."""
    network.eval()
    return float(nn.functional.mse_loss(network(inputs), targets))


def _batches(planets: Tensor, shuffle: torch.Generator) -> Iterator[Tensor]:
    """Yield the batches of an epoch: all planets in random order, again and again until there are enough.

    A last planet alone joins the batch before, for no batch norm works on one.
    """
    n_batch = 0
    while n_batch < _FEWEST_BATCHES:
        parts = list(planets[torch.randperm(len(planets), generator=shuffle)].split(BATCH))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        n_batch += len(parts)
        yield from parts
