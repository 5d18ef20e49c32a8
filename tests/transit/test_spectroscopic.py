"""The many-wavelength transit against the reference implementation, flux and slopes."""

import pytest
import torch

from spectramind_kit.transit.light_curve import exposure_samples, transit_flux
from spectramind_kit.transit.orbit import sky_separation
from spectramind_kit.transit.spectroscopic import spectroscopic_transit

PERIOD = 4.0 * 86400.0


def tensor(value):
    return torch.as_tensor(value, dtype=torch.float64)


def reference(instants, mid_time, a, b_squared, depth, u1, u2):
    separation = sky_separation(instants, mid_time, PERIOD, a, torch.sqrt(b_squared))
    return transit_flux(separation[None], depth[:, None, None], u1[:, None, None], u2[:, None, None]).mean(dim=2)


@pytest.mark.parametrize("b_squared", [1e-8, 0.09, 0.64, 0.95])
def test_agrees_with_the_reference_implementation(b_squared):
    instants = exposure_samples(torch.arange(0.0, 27000.0, 120.0, dtype=torch.float64), 120.0, 3)
    depth = 0.015 * (1.0 + 0.08 * torch.linspace(-1.0, 1.0, 7, dtype=torch.float64))
    arguments = [tensor(13000.0), tensor(9.0), tensor(b_squared), depth]
    arguments += [torch.linspace(0.4, 0.1, 7, dtype=torch.float64), torch.linspace(0.1, 0.2, 7, dtype=torch.float64)]
    fast = spectroscopic_transit(instants, arguments[0], PERIOD, *arguments[1:])
    names = ("by_mid_time", "by_semi_major_axis", "by_impact_squared", "by_depth", "by_u1", "by_u2")
    jacobian = torch.autograd.functional.jacobian(lambda *a: reference(instants, *a), tuple(arguments))
    assert (fast.flux - reference(instants, *arguments)).abs().max() < 5e-7
    for name, expected in zip(names, jacobian):
        expected = torch.diagonal(expected, dim1=0, dim2=2).T if expected.ndim == 3 else expected
        slope = getattr(fast, name)
        error = (slope - expected) / expected.abs().max()
        assert error.abs().max() < 0.03, name  # at a contact, where the slope bends within the range of k
        assert error.square().mean().sqrt() < 2e-3, name


def test_depths_beyond_the_range_follow_the_tangent_and_stay_finite():
    instants = exposure_samples(torch.arange(0.0, 27000.0, 300.0, dtype=torch.float64), 300.0, 3)
    depth = tensor([-0.002, 0.001, 0.0011, 0.0012, 0.02])
    fast = spectroscopic_transit(instants, 13000.0, PERIOD, 9.0, 0.1, depth, *torch.full((2, 5), 0.2).double())
    assert torch.isfinite(fast.flux).all()
    assert fast.flux[0].max() > 1.0 > fast.flux[1].min()
    missing = (fast.flux[4] - 1.0).min() / (fast.flux[2] - 1.0).min()
    assert float(missing) == pytest.approx(0.02 / 0.0011, rel=0.01)


def test_no_transit_in_the_window_is_flat():
    instants = exposure_samples(torch.arange(0.0, 3600.0, 60.0, dtype=torch.float64), 60.0, 3)
    fast = spectroscopic_transit(instants, 40000.0, PERIOD, 9.0, 0.1, tensor([0.01, 0.02]), *torch.zeros(2, 2).double())
    assert (fast.flux == 1.0).all() and (fast.by_depth == 0.0).all()
