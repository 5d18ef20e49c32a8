"""The network under Lightning: the schedule, and which weights are decayed."""

from dataclasses import replace

import pytest
import torch

from spectramind_kit.config import load_config
from spectramind_kit.features.planet import CONTEXT, _system_context
from spectramind_kit.metric import EDITIONS
from spectramind_kit.networks.batch import collate
from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.training.losses import SpectrumLoss
from spectramind_kit.training.module import corrected, scale_heights
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.training.train_network import new_module
from tests.training.random_planets import WAVELENGTH, random_examples


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    config = load_config(
        ["model=v50_small", "model.d_model=8", "model.heads=2", "training.warmup_share=0.25", "training.epochs=40"]
    )
    folder = tmp_path_factory.mktemp("task")
    task = NetworkTask(config.model, config.loss, config.training, 0, folder, folder, "2025")
    return new_module(task, random_examples(16), {})


def test_the_rate_warms_up_and_falls_to_zero(module):
    rates = [module._rate(step) for step in range(module.n_step + 1)]
    top = max(range(len(rates)), key=rates.__getitem__)
    assert rates[0] < 0.2 and rates[top] == pytest.approx(1.0, abs=0.01)
    assert 0.15 * module.n_step < top < 0.35 * module.n_step
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert all(a >= b for a, b in zip(rates[top:], rates[top + 1 :]))


def test_biases_norms_and_gains_are_not_decayed(module):
    decayed, others = module.configure_optimizers()["optimizer"].param_groups
    assert decayed["weight_decay"] > 0.0 and others["weight_decay"] == 0.0
    assert all(p.ndim >= 2 for p in decayed["params"]) and all(p.ndim < 2 for p in others["params"])
    learned = [p for p in module.network.parameters() if p.requires_grad]
    assert len(decayed["params"]) + len(others["params"]) == len(learned)


def test_before_the_first_step_the_correction_is_the_linear_one(module):
    examples = random_examples(4)
    batch, network = collate(examples.features, examples.truth), module.network.eval()
    mean, sigma = corrected(batch, network(batch))
    linear = network.linear_correction(batch.node)
    assert mean.shape == (4, len(WAVELENGTH)) and linear.abs().max() > 0.0
    torch.testing.assert_close(mean, batch.mean + batch.sigma * 10.0 * torch.tanh(linear[:, :, 0] / 10.0))
    torch.testing.assert_close(sigma, batch.sigma * torch.exp(2.0 * torch.tanh(linear[:, :, 1] / 2.0)))


def test_the_schedule_spans_all_epochs(module):
    config = module.config
    assert module.n_step == config.epochs * -(-16 // config.batch_size)


def test_scale_heights_are_those_of_the_star_table(module):
    batch = collate(random_examples(4).features)
    star = Star(radius=1.155, mass=1.119, temperature=6091.0)
    planet = Planet(1, star=star, orbit=Orbit(3.5247, 8.87, 86.7), mass=0.69)
    numbers = dict(zip(CONTEXT, _system_context(planet)))
    context = batch.context.clone()
    context[0, : len(numbers)] = torch.tensor(list(numbers.values()))
    level = torch.full_like(batch.mean, 0.0146)
    height = scale_heights(replace(batch, context=context, mean=level))
    assert height.shape == (4,)
    # HD 209458 b: k T / (mu g) of 1,450 K and 9.4 m/s^2 is 560 km, of 98,000 km.
    assert height[0].item() == pytest.approx(0.0058, rel=0.03)


def test_terms_of_a_loss_see_the_scale_heights(module):
    batch = collate(random_examples(4).features, random_examples(4).truth)
    config = load_config(["loss.weights.fgs1_continuity=1.0", "loss=gll"]).loss
    loss = SpectrumLoss(WAVELENGTH, config, EDITIONS["2025"])
    mean = batch.mean.clone()
    mean[:, 0] *= 1.2
    costs = [loss(mean, batch.sigma, batch.truth(), 0, height)[1]["fgs1_continuity"] for height in (0.002, 0.02)]
    assert costs[0] > costs[1] == 0.0
