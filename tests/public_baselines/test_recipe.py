"""The public training recipe: best weights kept, early stop, batches that batch norm can take."""

import pytest
import torch
from torch import nn

from spectramind_kit.public_baselines import recipe
from spectramind_kit.public_baselines.recipe import _batches, fit_network, held_out_loss


def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    "n, wanted", [(3, [3] * 4), (64, [64] * 4), (65, [65] * 4), (120, [64, 56] * 2), (130, [64, 64, 2] * 2)]
)
def test_an_epoch_has_four_batches_at_least_and_none_of_one_planet(n, wanted):
    batches = list(_batches(torch.arange(10, 10 + n), generator()))
    assert [len(batch) for batch in batches] == wanted
    drawn = torch.cat(batches).bincount(minlength=10 + n)[10:]
    assert drawn.min() == drawn.max(), "every planet as often as every other"


def test_many_planets_are_gone_through_once():
    batches = list(_batches(torch.arange(880), generator()))
    assert len(batches) == 14 and len(torch.cat(batches).unique()) == 880


def test_training_stops_early_and_keeps_the_best_epoch(monkeypatch):
    losses = []
    monkeypatch.setattr(recipe, "held_out_loss", lambda *a: losses.append(held_out_loss(*a)) or losses[-1])
    torch.manual_seed(0)
    x, noise = torch.randn(60, 2), 5.0 * torch.randn(60, 1)  # nothing to learn: in the end the held-out loss only grows
    held_out = torch.arange(60) < 20
    network = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1))
    epochs = fit_network(network, x, noise, held_out, 100, generator())
    assert len(losses) == epochs < 100 and epochs - recipe.PATIENCE == 1 + losses.index(min(losses))
    assert held_out_loss(network, x[held_out], noise[held_out]) == pytest.approx(min(losses), rel=1e-6)
    assert not network.training


def test_the_learning_rate_halves_on_a_plateau(monkeypatch):
    rates = []
    original = recipe.held_out_loss

    def watched(network, inputs, targets):
        rates.append(optimisers[0].param_groups[0]["lr"])
        return original(network, inputs, targets) * 0 + 1.0  # rests from the first epoch on

    optimisers = []
    adam = torch.optim.Adam
    monkeypatch.setattr(torch.optim, "Adam", lambda *a, **k: optimisers.append(adam(*a, **k)) or optimisers[-1])
    monkeypatch.setattr(recipe, "held_out_loss", watched)
    network = nn.Linear(2, 1)
    epochs = fit_network(network, torch.randn(20, 2), torch.randn(20, 1), torch.arange(20) < 4, 100, generator())
    assert epochs == 11, "one good epoch, ten without progress"
    assert rates[0] == recipe.LEARNING_RATE and rates[-1] == recipe.LEARNING_RATE / 2
