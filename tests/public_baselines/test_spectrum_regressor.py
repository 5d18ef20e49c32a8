"""The stand-in for the spectrum regressor: all depths in one pass, and it can learn a spectrum from its features."""

import torch

from spectramind_kit.public_baselines.recipe import fit_network
from spectramind_kit.public_baselines.spectrum_regressor import WIDTHS, SpectrumRegressor


def test_one_pass_gives_every_depth_of_every_planet():
    network = SpectrumRegressor(3, 283).eval()
    features = torch.randn(7, 3)
    together = network(features)
    assert together.shape == (7, 283)
    torch.testing.assert_close(torch.cat([network(one[None]) for one in features]), together, rtol=1e-4, atol=1e-6)
    assert len([layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]) == len(WIDTHS) + 1


def test_it_learns_a_spectrum_that_is_a_curved_function_of_its_features():
    torch.manual_seed(0)
    features = torch.randn(300, 3)
    spectra = features[:, :1] + 0.3 * (features[:, 1:2] ** 2) * torch.linspace(0, 1, 20)
    network = SpectrumRegressor(3, 20)
    held_out = torch.arange(300) >= 240
    fit_network(network, features, spectra, held_out, 100, torch.Generator().manual_seed(0))
    error = (network(features[held_out]) - spectra[held_out]).square().mean()
    assert error < 0.05 * spectra.var()
