"""Flux of a limb-darkened star behind a dark planet: batched, differentiable, exact at the contact points.

With quadratic limb darkening I(mu) = 1 - u1 (1 - mu) - u2 (1 - mu)^2 = c0 + c1 mu + c2 mu^2 the hidden fraction of the
light is linear in the areas of ``overlap``,

    1 - F = (c0 A0 + c1 A1 + c2 A2) / (pi (1 - u1/3 - u2/6)),

and so are its derivatives in the arcs along the planet's limb (Mandel & Agol 2002 give the same flux in
elliptic integrals). Flux and slopes come from one pass, and the slopes are finite everywhere, on contact too.
"""

import math

import torch
from torch import Tensor

from spectramind_kit.transit.overlap import overlap

_POINTS_AT_ONCE = 8192
"""Evaluated in pieces that stay in the processor's cache."""


class _TransitFlux(torch.autograd.Function):
    """Flux with its analytic slopes; only the slopes of points in transit are kept."""

    @staticmethod
    def forward(ctx, separation, depth, u1, u2):
        inside = _in_transit(separation, depth)
        hidden, *slopes = _hidden_light(*(a[inside] for a in (separation, depth, u1, u2)))
        ctx.save_for_backward(inside, *slopes)
        flux = torch.ones_like(separation)
        flux[inside] -= hidden
        return flux

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):  # pyright: ignore[reportIncompatibleMethodOverride]  # torch declares *grad_outputs
        inside, *slopes = ctx.saved_tensors
        gradients = []
        for slope in slopes:
            gradient = torch.zeros_like(upstream)
            gradient[inside] = -slope * upstream[inside]
            gradients.append(gradient)
        return tuple(gradients)


def transit_flux(separation: Tensor, depth: Tensor, u1: Tensor, u2: Tensor) -> Tensor:
    """Return the flux relative to out of transit.

    Args:
        separation: planet's centre to star's centre [R_star], >= 0; infinite where the planet is behind.
        depth: (Rp/Rs)^2 [1]; a negative depth brightens by as much as its absolute value would dim, so that noise
            around no transit at all stays symmetric in a fit.
        u1: linear limb-darkening coefficient [1].
        u2: quadratic limb-darkening coefficient [1].

    Returns:
        The broadcast shape [1]; once differentiable in all four.
    """
    return _TransitFlux.apply(*torch.broadcast_tensors(separation, depth, u1, u2))


def exposure_samples(time: Tensor, exposure: float, supersample: int) -> Tensor:
    """Return evenly spaced instants of every exposure; the mean over them stands for the exposure.

    Args:
        time: (n_time,) middle of the exposures [s].
        exposure: its length [s].
        supersample: instants per exposure.

    Returns:
        (n_time, supersample) [s].
    """
    offset = (torch.arange(supersample, dtype=time.dtype, device=time.device) + 0.5) / supersample - 0.5
    return time[:, None] + exposure * offset


def _in_transit(separation: Tensor, depth: Tensor) -> Tensor:
    """True where the discs overlap, and where that is unknown (NaN), so that NaN shows in the flux."""
    return ~(separation >= 1.0 + torch.sqrt(depth.abs()))


def _hidden_light(separation: Tensor, depth: Tensor, u1: Tensor, u2: Tensor) -> tuple[Tensor, ...]:
    """Return the hidden fraction of the light and its slopes by the four arguments; 1-D in, five 1-D out."""
    arguments = (torch.split(a, _POINTS_AT_ONCE) for a in (separation, depth, u1, u2))
    pieces = [_hidden_light_piece(*piece) for piece in zip(*arguments)]
    return tuple(torch.cat(column) for column in zip(*pieces))


def _hidden_light_piece(separation: Tensor, depth: Tensor, u1: Tensor, u2: Tensor) -> tuple[Tensor, ...]:
    k = torch.sqrt(depth.abs())
    covered = overlap(separation, k)
    c = (1.0 - u1 - u2, u1 + 2.0 * u2, -u2)
    light = math.pi * (1.0 - u1 / 3.0 - u2 / 6.0)
    a0, a1, a2 = covered.area
    hidden = _weighted(c, covered.area) / light
    # Slopes of the areas are arcs (see ``overlap``); those by u1 and u2 also move the star's light in the denominator.
    by_separation = -2.0 * k * _weighted(c, covered.cos_arc) / light
    by_depth = _weighted(c, covered.arc) / light
    by_u1 = (a1 - a0 + hidden * math.pi / 3.0) / light
    by_u2 = (2.0 * a1 - a0 - a2 + hidden * math.pi / 6.0) / light
    # A negative depth mirrors the flux: hidden light changes its sign, and so does each slope but that by depth.
    sign = torch.where(depth < 0.0, -1.0, 1.0).to(depth)
    return hidden * sign, by_separation * sign, by_depth, by_u1 * sign, by_u2 * sign


def _weighted(c: tuple[Tensor, ...], integrals: tuple[Tensor, ...]) -> Tensor:
    return c[0] * integrals[0] + c[1] * integrals[1] + c[2] * integrals[2]
