"""Inputs of selective scans, and what two scans differ by."""

import torch


def scan_inputs(batch=2, channels=6, time=150, states=5, dtype=torch.float64, largest_step=0.3, seed=0):
    """Return u, delta, A, B, C, D, z and the bias of delta, by name; decays from slow to fast."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=random, dtype=dtype)

    return {
        "u": normal(batch, channels, time),
        "delta": largest_step * torch.rand(batch, channels, time, generator=random, dtype=dtype),
        "A": -torch.arange(1.0, states + 1, dtype=dtype).repeat(channels, 1),
        "B": normal(batch, states, time),
        "C": normal(batch, states, time),
        "D": normal(channels),
        "z": normal(batch, channels, time),
        "delta_bias": 0.1 * normal(channels),
    }


def value_and_gradients(scan, inputs, **arguments):
    """Return y and the gradients of a weighted sum of it, by name of what they belong to."""
    leaves = {name: tensor.detach().clone().requires_grad_() for name, tensor in inputs.items()}
    y = scan(**leaves, **arguments)
    weight = torch.linspace(-1.0, 2.0, y.numel(), dtype=y.dtype).view_as(y)
    gradients = torch.autograd.grad((y * weight).sum(), list(leaves.values()))
    return {"y": y.detach(), **dict(zip(leaves, gradients))}


def relative_errors(got, wanted):
    """Return the largest difference over the largest value, by name."""
    return {n: float((got[n].double() - w.double()).abs().max() / w.double().abs().max()) for n, w in wanted.items()}
