"""Cross-attention: padding says nothing, streams of any length, almost shut at the start."""

import torch

from spectramind_kit.networks.fusion import CrossAttention, Fusion


def streams(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 7, 16, generator=generator), torch.randn(2, 5, 16, generator=generator)


def test_times_that_are_not_valid_change_nothing():
    fusion = Fusion(16, 4, 2, 0.0).eval()
    wavelengths, times = streams()
    valid = torch.tensor([[True, True, True, False, False], [True] * 5])
    changed = times.clone()
    changed[0, 3:] = 100.0
    before, after = fusion(wavelengths, times, valid)[0], fusion(wavelengths, changed, valid)[0]
    torch.testing.assert_close(before, after)


def test_each_stream_sees_the_other():
    fusion = Fusion(16, 4, 1, 0.0).eval()
    wavelengths, times = streams()
    wavelengths.requires_grad_(True)
    times.requires_grad_(True)
    valid = torch.ones(2, 5, dtype=torch.bool)
    seen, looked = fusion(wavelengths, times, valid)
    (slope,) = torch.autograd.grad(seen[0, 2].sum(), times, retain_graph=True)
    assert (slope[0].abs().sum(dim=1) > 0).all() and slope[1].abs().sum() == 0.0
    (slope,) = torch.autograd.grad(looked[1, 0].sum(), wavelengths)
    assert (slope[1].abs().sum(dim=1) > 0).all()


def test_an_order_of_times_means_nothing_by_itself():
    """Position is the encoder's business: attention sees a set."""
    layer = CrossAttention(16, 4, 0.0).eval()
    wavelengths, times = streams()
    torch.testing.assert_close(layer(wavelengths, times), layer(wavelengths, times.flip(1)))


def test_it_starts_almost_shut():
    layer = CrossAttention(16, 4, 0.0).eval()
    wavelengths, times = streams()
    assert ((layer(wavelengths, times) - wavelengths).norm() / wavelengths.norm()).item() < 0.2
