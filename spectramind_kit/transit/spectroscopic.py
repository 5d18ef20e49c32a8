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

from spectramind_kit.robust_statistics import lower_median
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

    flux: np.ndarray
    by_mid_time: np.ndarray
    by_semi_major_axis: np.ndarray
    by_impact_squared: np.ndarray
    by_depth: np.ndarray
    by_u1: np.ndarray
    by_u2: np.ndarray


def spectroscopic_transit(
    instants: np.ndarray,
    mid_time: np.ndarray | float,
    period: float,
    semi_major_axis: np.ndarray | float,
    impact_squared: np.ndarray | float,
    depth: np.ndarray,
    u1: np.ndarray,
    u2: np.ndarray,
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
    sin, cos = np.sin(phase), np.cos(phase)
    squared = semi_major_axis**2 * sin**2 + impact_squared * cos**2
    squared = np.where(cos > 0.0, squared, np.inf)
    # Only times in transit are integrated; the widest node decides for all.
    rows = _span((squared < (1.0 + k_nodes.max()) ** 2).any(axis=1))
    sin, cos, squared = sin[rows], cos[rows], squared[rows]

    area, by_squared, arc = _integrals(squared, k_nodes)
    # Chain rule through s^2, in which the flux is smooth at s = 0. The exposure average is linear: slopes take it too.
    by_phase = 2.0 * sin * cos * (semi_major_axis**2 - impact_squared)
    squared_by = (by_phase * (-2.0 * math.pi / period), 2.0 * semi_major_axis * sin**2, cos**2)
    parts = [area.mean(axis=1), arc.mean(axis=1)] + [
        (by_squared * s[:, :, None, None]).mean(axis=1) for s in squared_by
    ]
    parts = np.stack(parts).reshape(len(parts), len(area), 3 * len(k_nodes)).transpose(0, 2, 1)  # (5, 3 * n_node, rows)

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


def _radius_interpolation(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Chebyshev nodes in k (n,), Lagrange weights (n, n_wavelength), and how far a depth lies outside them."""
    # The range is never empty, and never so wide that a few wild depths cost the others their accuracy.
    middle = max(float(lower_median(depth)), _SMALLEST_DEPTH)
    low = min(max(float(depth.min()), _DEPTH_RANGE[0] * middle), 0.99 * middle)
    high = min(max(float(depth.max()), 1.01 * middle), _DEPTH_RANGE[1] * middle)
    inner = np.clip(depth, low, high)
    n = _N_RADIUS if len(depth) > 1 else _N_RADIUS_ALONE
    angle = (np.arange(n) + 0.5) * np.pi / n
    x = np.cos(angle)
    barycentric = np.sin(angle) * (-1.0) ** np.arange(n)
    k_low, k_high = math.sqrt(low), math.sqrt(high)
    place = (2.0 * np.sqrt(inner) - k_low - k_high) / (k_high - k_low)
    gap = place - x[:, None]
    terms = barycentric[:, None] / np.where(np.abs(gap) < 1e-14, 1e-14, gap)
    return (k_low + k_high + (k_high - k_low) * x) / 2.0, terms / terms.sum(axis=0), depth - inner


def _integrals(squared: np.ndarray, k_nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return area, its slope by s^2, and arc (its slope by k^2): (rows, supersample, 3 weights, n_node) each."""
    s = np.sqrt(np.maximum(squared, _SMALLEST_SEPARATION**2))[:, :, None]
    s, k = np.broadcast_arrays(s, k_nodes)
    inside = s < 1.0 + k
    covered = overlap(s[inside], k[inside])
    slope = -k[inside] / s[inside]  # dA/d(s^2) = dA/ds / 2s, and dA/ds = -2 k cos_arc
    slopes = tuple(slope * part for part in covered.cos_arc)

    def spread(parts: tuple[np.ndarray, ...]) -> np.ndarray:
        result = np.zeros((3, *s.shape))
        for place, part in enumerate(parts):
            result[place][inside] = part
        return result.transpose(1, 2, 0, 3)

    return spread(covered.area), spread(slopes), spread(covered.arc)


def _weighted(weights: np.ndarray, c: tuple[np.ndarray | float, ...], light: np.ndarray) -> np.ndarray:
    """Return (n_wavelength, 3 * n_node): interpolation and limb darkening in one matrix."""
    return np.concatenate([weights * (part / light) for part in c]).T


def _span(chosen: np.ndarray) -> slice:
    """Return the shortest slice that holds all True."""
    places = np.flatnonzero(chosen)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _placed(outside: float, hidden: np.ndarray, rows: slice, shape: tuple[int, int]) -> np.ndarray:
    """Put ``outside - hidden`` into the times in transit and ``outside`` into the others."""
    result = np.full(shape, outside)
    result[:, rows] -= hidden
    return result
