"""Mamba blocks and the encoder of light curves: causal, symmetric in time, blind to padding, the same on every path."""

import pytest
import torch

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.networks.mamba import STEP_SIZES, LightCurveEncoder, MambaBlock

# mamba_ssm.Mamba(d_model=24, d_state=16, d_conv=4, expand=2) of release 2.3.2; tests/wheels asks the real one.
PARAMETERS = {
    "A_log": (48, 16),
    "D": (48,),
    "in_proj.weight": (96, 24),
    "conv1d.weight": (48, 1, 4),
    "conv1d.bias": (48,),
    "x_proj.weight": (34, 48),
    "dt_proj.weight": (48, 2),
    "dt_proj.bias": (48,),
    "out_proj.weight": (24, 48),
}


@pytest.fixture(autouse=True)
def seed():
    """The same weights in every run."""
    torch.manual_seed(0)


def encoder(**arguments):
    """Return a small encoder that predicts."""
    return LightCurveEncoder(**{"n_channel": 3, "d_model": 16, "d_state": 4, **arguments}).eval()


def test_parameters_are_those_of_mamba_ssm():
    assert {name: tuple(x.shape) for name, x in MambaBlock(24).state_dict().items()} == PARAMETERS


def test_block_is_causal():
    block, sequence = MambaBlock(16, d_state=4), torch.randn(2, 70, 16)
    later = sequence.clone()
    later[:, 40:] += 1.0
    before, after = block(sequence), block(later)
    assert torch.equal(before[:, :40], after[:, :40])
    assert (before[:, 40] - after[:, 40]).abs().min() > 0


def test_encoder_sees_both_directions():
    model, sequence = encoder(), torch.randn(1, 70, 3, requires_grad=True)
    gradient = torch.autograd.grad(model(sequence)[0, 35].sum(), sequence)[0][0]
    assert gradient[:30].abs().max() > 0 and gradient[40:].abs().max() > 0


def test_steps_start_within_their_range():
    step = torch.nn.functional.softplus(MambaBlock(64).dt_proj.bias)
    assert STEP_SIZES[0] * 0.99 < step.min() < 2e-3 and 0.05 < step.max() < STEP_SIZES[1] * 1.01


@pytest.mark.parametrize("where", ["end", "start", "both"])
def test_padding_changes_nothing(where):
    model, sequence, n = encoder(), torch.randn(2, 90, 3), 90
    start, end = {"end": (0, 37), "start": (21, 0), "both": (5, 64)}[where]
    padded = torch.nn.functional.pad(sequence, (0, 0, start, end), value=float("nan"))
    valid = torch.zeros(padded.shape[:2], dtype=torch.bool)
    valid[:, start : start + n] = True
    got = model(padded, valid)
    assert torch.allclose(got[:, start : start + n], model(sequence), atol=2e-6)
    assert not got[~valid].any()


def test_padding_gets_no_gradient_and_gives_none():
    model, sequence = encoder(), torch.randn(1, 50, 3)
    sequence[:, 30:] = float("nan")
    valid = torch.arange(50)[None] < 30
    sequence.requires_grad_()
    model(sequence, valid).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    assert not sequence.grad[:, 30:].any() and sequence.grad[:, :30].any()


def test_gap_leaves_the_state_alone():
    """What stands in a gap has no effect on either side of it."""
    model, sequence = encoder(), torch.randn(1, 80, 3)
    valid = torch.ones(1, 80, dtype=torch.bool)
    valid[:, 30:45] = False
    other = sequence.clone()
    other[:, 30:45] = 1e3
    assert torch.equal(model(sequence, valid), model(other, valid))


def test_tied_encoder_commutes_with_time_reversal():
    sequence, tied, free = torch.randn(2, 75, 3), encoder(tied=True), encoder()
    assert torch.allclose(tied(sequence.flip(1)), tied(sequence).flip(1), atol=2e-6)
    assert not torch.allclose(free(sequence.flip(1)), free(sequence).flip(1), atol=1e-2)
    assert sum(p.numel() for p in tied.parameters()) < sum(p.numel() for p in free.parameters())


def test_same_checkpoint_gives_the_same_on_every_path():
    models = {path: encoder(path=path) for path in ("auto", "segmented", "loop")}
    for model in models.values():
        model.load_state_dict(models["auto"].state_dict())
    sequence, valid = torch.randn(2, 130, 3), torch.arange(130) < torch.tensor([[130], [77]])
    outputs = [model(sequence, valid) for model in models.values()]
    assert all(torch.allclose(y, outputs[0], rtol=0.0, atol=1e-5) for y in outputs)


def test_every_parameter_learns():
    model = encoder(dropout=0.1).train()
    model(torch.randn(2, 60, 3)).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in model.parameters())


def test_finite_for_the_longest_light_curve():
    """67,500 steps; half of them not valid."""
    model = encoder(n_layer=1, d_model=8)
    with torch.no_grad():
        y = model(torch.randn(1, 67_500, 3), torch.arange(67_500)[None] % 2 == 0)
    assert torch.isfinite(y).all() and 0.5 < float(y[:, ::2].std()) < 2.0


def test_training_remembers_the_sum_of_a_sequence():
    """A task that needs memory: the running mean of noise. A few steps of training must explain most of it."""
    block, read = MambaBlock(8, d_state=4), torch.nn.Linear(8, 1)
    write = torch.nn.Linear(1, 8)
    parameters = [p for part in (block, read, write) for p in part.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-2)
    for _ in range(80):
        x = torch.randn(16, 40, 1)
        wanted = x.cumsum(1) / 8
        loss = (read(block(write(x))) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.25 * wanted.var().item()


def test_dropout_acts_in_training_only():
    model, sequence = encoder(dropout=0.5), torch.randn(1, 20, 3)
    assert torch.equal(model(sequence), model(sequence))
    assert not torch.equal(model.train()(sequence), model(sequence))


def test_wrong_shapes_and_masks_are_refused():
    model = encoder()
    with pytest.raises(SpectraMindError, match="channels are the last axis"):
        model(torch.randn(1, 3, 70))
    with pytest.raises(SpectraMindError, match="mask of valid steps"):
        model(torch.randn(2, 70, 3), torch.ones(2, 70))
