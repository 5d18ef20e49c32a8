"""The network under Lightning: the schedule, and which weights are decayed."""

import pytest
import torch

from spectramind_kit.config import load_config
from spectramind_kit.networks.batch import collate
from spectramind_kit.training.module import corrected
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.training.train_network import new_module
from tests.training.random_planets import WAVELENGTH, random_examples


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    config = load_config(["model=v50_small", "model.d_model=8", "model.heads=2", "training.warmup_share=0.25"])
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
