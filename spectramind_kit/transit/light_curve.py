"""Flux of a limb-darkened star behind a dark planet, with its slopes: exact at the contact points.

With quadratic limb darkening I(mu) = 1 - u1 (1 - mu) - u2 (1 - mu)^2 = c0 + c1 mu + c2 mu^2 the hidden fraction of the
light is linear in the areas of ``overlap``,

    1 - F = (c0 A0 + c1 A1 + c2 A2) / (pi (1 - u1/3 - u2/6)),

and so are its derivatives in the arcs along the planet's limb (Mandel & Agol 2002 give the same flux in
elliptic integrals). Flux and slopes come from one pass, and the slopes are finite everywhere, on contact too.
"""

import math
from dataclasses import dataclass

import numpy as np

from spectramind_kit.transit.overlap import overlap

_POINTS_AT_ONCE = 8192
"""Evaluated in pieces that stay in the processor's cache."""


@dataclass(frozen=True)
class TransitFlux:
    """Flux and its slopes, all of one shape.

    Attributes:
        flux: relative to out of transit [1].
        by_separation: [1/R_star].
        by_depth: [1].
        by_u1: [1].
        by_u2: [1].
    """

    flux: np.ndarray
    by_separation: np.ndarray
    by_depth: np.ndarray
    by_u1: np.ndarray
    by_u2: np.ndarray


def transit_flux(
    separation: np.ndarray, depth: np.ndarray | float, u1: np.ndarray | float, u2: np.ndarray | float
) -> TransitFlux:
    """Return the flux relative to out of transit, and its slopes.

    Args:
        separation: planet's centre to star's centre [R_star], >= 0; infinite where the planet is behind.
        depth: (Rp/Rs)^2 [1]; a negative depth brightens by as much as its absolute value would dim, so that noise
            around no transit at all stays symmetric in a fit.
        u1: first quadratic limb-darkening coefficient [1].
        u2: second quadratic limb-darkening coefficient [1].

    Returns:
        Arrays of the broadcast shape.
    """
    arguments = np.broadcast_arrays(separation, depth, u1, u2)
    inside = _in_transit(*arguments[:2])
    hidden = _hidden_light(*(a[inside] for a in arguments))
    result = [np.zeros(inside.shape) for _ in hidden]
    for whole, part in zip(result, hidden):
        whole[inside] = -part
    return TransitFlux(1.0 + result[0], *result[1:])


def exposure_samples(time: np.ndarray, exposure: float, supersample: int) -> np.ndarray:
    """Return evenly spaced instants of every exposure; the mean over them stands for the exposure.

    Args:
        time: (n_time,) middle of the exposures [s].
        exposure: its length [s].
        supersample: instants per exposure.

    Returns:
        (n_time, supersample) [s].
    """
    offset = (np.arange(supersample) + 0.5) / supersample - 0.5
    return time[:, None] + exposure * offset


def _in_transit(separation: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """True where the discs overlap, and where that is unknown (NaN), so that NaN shows in the flux."""
    return ~(separation >= 1.0 + np.sqrt(np.abs(depth)))


def _hidden_light(separation: np.ndarray, depth: np.ndarray, u1: np.ndarray, u2: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the hidden fraction of the light and its slopes by the four arguments; 1-D in, five 1-D out."""
    pieces = [
        _hidden_light_piece(*(a[start : start + _POINTS_AT_ONCE] for a in (separation, depth, u1, u2)))
        for start in range(0, max(1, len(separation)), _POINTS_AT_ONCE)
    ]
    return tuple(np.concatenate(column) for column in zip(*pieces))


def _hidden_light_piece(
    separation: np.ndarray, depth: np.ndarray, u1: np.ndarray, u2: np.ndarray
) -> tuple[np.ndarray, ...]:
    k = np.sqrt(np.abs(depth))
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
    sign = np.where(depth < 0.0, -1.0, 1.0)
    return hidden * sign, by_separation * sign, by_depth, by_u1 * sign, by_u2 * sign


def _weighted(c: tuple[np.ndarray, ...], integrals: tuple[np.ndarray, ...]) -> np.ndarray:
    return c[0] * integrals[0] + c[1] * integrals[1] + c[2] * integrals[2]
