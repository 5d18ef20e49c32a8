"""One transit observed at many wavelengths at once, with every slope a joint fit needs.

Wavelengths share the orbit; only depth and limb darkening differ. The overlap integrals depend on the wavelength
through the radius ratio k alone, and the hidden light is linear in them. They are therefore evaluated at a few
Chebyshev nodes in k and carried to all wavelengths by polynomial interpolation: a product of small matrices instead of
an integral per wavelength and instant. ``transit_flux`` is the reference implementation.

Averaging over an exposure is linear too and happens before the interpolation.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.transit.overlap import overlap

_N_RADIUS = 8
_N_RADIUS_ALONE = 3
"""Nodes for a single wavelength, which lies between two that are a per cent apart."""
_SMALLEST_SEPARATION = 1e-5
"""Floor of s [R_star]: the slopes by s^2 stay exact to 1e-9 in a central transit."""
_DEPTH_RANGE = (0.25, 2.5)
"""Depths within these multiples of the median are interpolated, others extrapolated along their slope."""
_SMALLEST_DEPTH = 1e-6


@dataclass(frozen=True)
class SpectroscopicTransit:
    """Flux and its slopes, each (n_wavelength, n_time): wavelength first, because that is how a fit solves.

    Attributes:
        flux: relative to out of transit [1].
        by_mid_time: [1/s].
        by_semi_major_axis: [1/R_star].
        by_impact_squared: slope by b^2 [1/R_star^2], smooth through a central transit, where the slope by b vanishes.
        by_depth: [1].
        by_u1: [1].
        by_u2: [1].
    """

    flux: Tensor
    by_mid_time: Tensor
    by_semi_major_axis: Tensor
    by_impact_squared: Tensor
    by_depth: Tensor
    by_u1: Tensor
    by_u2: Tensor


def spectroscopic_transit(
    instants: Tensor,
    mid_time: Tensor | float,
    period: float,
    semi_major_axis: Tensor | float,
    impact_squared: Tensor | float,
    depth: Tensor,
    u1: Tensor,
    u2: Tensor,
) -> SpectroscopicTransit:
    """Return the exposure-averaged transit of every wavelength.

    Args:
        instants: (n_time, supersample) [s], from ``exposure_samples``.
        mid_time: [s].
        period: [s].
        semi_major_axis: [R_star].
        impact_squared: b^2 >= 0 [R_star^2].
        depth: (n_wavelength,) [1]. Far from the median depth, and below zero, the light curve is the tangent's.
        u1: (n_wavelength,) [1].
        u2: (n_wavelength,) [1].
    """
    k_nodes, weights, distance = _radius_interpolation(depth)
    phase = 2.0 * math.pi * (instants - mid_time) / period
    sin, cos = torch.sin(phase), torch.cos(phase)
    squared = semi_major_axis**2 * sin**2 + impact_squared * cos**2
    squared = torch.where(cos > 0.0, squared, torch.inf)
    # Only times in transit are integrated; the widest node decides for all.
    rows = _span((squared < (1.0 + k_nodes.max()) ** 2).any(dim=1))
    sin, cos, squared = sin[rows], cos[rows], squared[rows]

    area, by_squared, arc = _integrals(squared, k_nodes)
    # Chain rule through s^2, in which the flux is smooth at s = 0. The exposure average is linear: slopes take it too.
    by_phase = 2.0 * sin * cos * (semi_major_axis**2 - impact_squared)
    squared_by = (by_phase * (-2.0 * math.pi / period), 2.0 * semi_major_axis * sin**2, cos**2)
    parts = [area.mean(dim=1), arc.mean(dim=1)] + [(by_squared * s[:, :, None, None]).mean(dim=1) for s in squared_by]
    parts = torch.stack(parts).flatten(start_dim=2).mT  # (5, 3 * n_node, rows)

    # One row per wavelength: Lagrange weights times limb darkening. The arc is d(area) / d(k^2), so that the same row
    # makes flux and slope by depth of it; u1 and u2 act through the coefficients and through the star's light.
    light = math.pi * (1.0 - u1 / 3.0 - u2 / 6.0)
    darkened = _weighted(weights, (1.0 - u1 - u2, u1 + 2.0 * u2, -u2), light)
    hidden, by_depth, *by_orbit = darkened @ parts
    by_u1 = _weighted(weights, (-1.0, 1.0, 0.0), light) @ parts[0] + hidden * (math.pi / 3.0 / light)[:, None]
    by_u2 = _weighted(weights, (-1.0, 2.0, -1.0), light) @ parts[0] + hidden * (math.pi / 6.0 / light)[:, None]
    hidden = hidden + distance[:, None] * by_depth
    slopes = (*by_orbit, by_depth, by_u1, by_u2)
    shape = (len(depth), len(instants))
    return SpectroscopicTransit(
        _placed(1.0, hidden, rows, shape), *(_placed(0.0, slope, rows, shape) for slope in slopes)
    )


def _radius_interpolation(depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return Chebyshev nodes in k (n,), Lagrange weights (n, n_wavelength), and how far a depth lies outside them."""
    # The range is never empty, and never so wide that a few wild depths cost the others their accuracy.
    middle = torch.clamp(depth.median(), min=_SMALLEST_DEPTH)
    low = torch.clamp(depth.min(), min=_DEPTH_RANGE[0] * middle, max=0.99 * middle)
    high = torch.clamp(depth.max(), min=1.01 * middle, max=_DEPTH_RANGE[1] * middle)
    inner = torch.minimum(torch.maximum(depth, low), high)
    n = _N_RADIUS if len(depth) > 1 else _N_RADIUS_ALONE
    angle = (np.arange(n) + 0.5) * np.pi / n
    x = torch.from_numpy(np.cos(angle)).to(depth)
    barycentric = torch.from_numpy(np.sin(angle) * (-1.0) ** np.arange(n)).to(depth)
    k_low, k_high = torch.sqrt(low), torch.sqrt(high)
    place = (2.0 * torch.sqrt(inner) - k_low - k_high) / (k_high - k_low)
    gap = place - x[:, None]
    terms = barycentric[:, None] / torch.where(gap.abs() < 1e-14, 1e-14, gap)
    return (k_low + k_high + (k_high - k_low) * x) / 2.0, terms / terms.sum(dim=0), depth - inner


def _integrals(squared: Tensor, k_nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return area, its slope by s^2, and arc (its slope by k^2): (rows, supersample, 3 weights, n_node) each."""
    s = torch.sqrt(torch.clamp(squared, min=_SMALLEST_SEPARATION**2))[:, :, None].expand(*squared.shape, len(k_nodes))
    k = k_nodes.expand_as(s)
    inside = s < 1.0 + k
    covered = overlap(s[inside], k[inside])
    slope = -k[inside] / s[inside]  # dA/d(s^2) = dA/ds / 2s, and dA/ds = -2 k cos_arc
    slopes = tuple(slope * part for part in covered.cos_arc)

    def spread(parts: tuple[Tensor, ...]) -> Tensor:
        result = torch.zeros(3, *s.shape, dtype=s.dtype, device=s.device)
        for place, part in zip(result, parts):
            place[inside] = part
        return result.permute(1, 2, 0, 3)

    return spread(covered.area), spread(slopes), spread(covered.arc)


def _weighted(weights: Tensor, c: tuple[Tensor | float, ...], light: Tensor) -> Tensor:
    """Return (n_wavelength, 3 * n_node): interpolation and limb darkening in one matrix."""
    return torch.cat([weights * (part / light) for part in c]).T


def _span(chosen: Tensor) -> slice:
    """Return the shortest slice that holds all True."""
    places = torch.nonzero(chosen)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _placed(outside: float, hidden: Tensor, rows: slice, shape: tuple[int, int]) -> Tensor:
    """Put ``outside - hidden`` into the times in transit and ``outside`` into the others."""
    result = torch.full(shape, outside, dtype=hidden.dtype, device=hidden.device)
    result[:, rows] -= hidden
    return result
