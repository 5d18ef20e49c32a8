"""The public residual networks: their size, their form, and that depth does not keep them from learning."""

import torch

from spectramind_kit.public_baselines.residual_mlp import ResidualMLP, residual_pair


def test_the_pair_has_the_published_sizes():
    fgs1, airs = residual_pair(3, 283)
    sizes = [sum(p.numel() for p in network.parameters()) for network in (fgs1, airs)]
    # Two layers and two batch norms a block, by hand.
    assert sizes[0] == 80 * (2 * (32 * 32 + 32) + 2 * 2 * 32) + (3 * 32 + 32) + (32 + 1)
    assert sizes[1] == 80 * (2 * (128 * 128 + 128) + 2 * 2 * 128) + (3 * 128 + 128) + (128 * 282 + 282)
    assert [round(size / 1e6, 2) for size in sizes] == [0.18, 2.72]
    outputs = [network.eval()(torch.randn(4, 3)).shape for network in (fgs1, airs)]
    assert outputs == [(4, 1), (4, 282)]


def test_a_block_without_change_is_relu_of_its_input():
    network = ResidualMLP(3, 8, 8, n_block=2, dropout=0.2).eval()
    for block in network.blocks:
        torch.nn.init.zeros_(block.change[-1].weight)
        torch.nn.init.zeros_(block.change[-1].bias)
    x = torch.randn(5, 3)
    torch.testing.assert_close(network(x), network.output(network.input(x).relu()))


def test_gradient_reaches_the_first_layer_through_eighty_blocks():
    torch.manual_seed(0)
    network = ResidualMLP(3, 16, 2, n_block=80, dropout=0.2)
    network(torch.randn(64, 3)).square().mean().backward()
    gradient = network.input.weight.grad
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 1e-6
