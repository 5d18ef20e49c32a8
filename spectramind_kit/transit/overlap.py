"""Where the planet's disc covers the star's: areas and limb arcs weighted by powers of mu.

A star of radius 1, a planet of radius k at separation s; mu = z = sqrt(1 - r^2). By Green's theorem (as in the
closed forms of Agol, Luger & Foreman-Mackey 2020, sec. 3) an area integral of z^n is a line integral round the
overlap. On the planet's limb, at angle w from the point nearest to the star's centre,

    z^2 = 1 - s^2 - k^2 + 2 s k cos w,   0 <= |w| <= S,

with S = pi while the planet is inside the star's disc, else the crossing of the two limbs. Terms in z^0 and z^2 have
closed forms; those in z, which vanish where the limbs cross, are integrated by Gauss-Legendre after
sin(w/2) = sin(S/2) cos(pi/2 v^2), which leaves a smooth integrand at every contact: with twelve nodes the
areas are right to 1e-8 for k <= 0.25, at every separation.

Moving the planet's limb changes an area by the length of limb moved, so the arcs are the areas' derivatives:
dA/d(k^2) = arc, dA/ds = -2 k cos_arc.
"""

import math
from dataclasses import dataclass

import numpy as np

_N_NODE = 12
_SMALL = 1e-300


@dataclass(frozen=True)
class Overlap:
    """Integrals over the overlap for each (s, k); three arrays each, for weights 1, mu and mu^2.

    Attributes:
        area: over the covered part of the star's disc.
        arc: over w from 0 to S along the planet's limb.
        cos_arc: the same with cos w under the integral.
    """

    area: tuple[np.ndarray, np.ndarray, np.ndarray]
    arc: tuple[np.ndarray, np.ndarray, np.ndarray]
    cos_arc: tuple[np.ndarray, np.ndarray, np.ndarray]


def _nodes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sin^2 and cos of the substituted angle and the weights, (_N_NODE,) each."""
    x, weight = np.polynomial.legendre.leggauss(_N_NODE)
    v = (x + 1.0) / 2.0
    angle = math.pi / 2.0 * (1.0 - v**2)
    # d(angle) = -pi v dv: the nodes crowd where the limbs cross, at v = 0, where the integrand is steepest.
    return np.sin(angle) ** 2, np.cos(angle), weight * math.pi / 2.0 * v


_NODES = _nodes()


def overlap(separation: np.ndarray, radius_ratio: np.ndarray) -> Overlap:
    """Integrate over the overlap of two discs that do overlap.

    Args:
        separation: (n,) [R_star], below 1 + radius_ratio.
        radius_ratio: (n,) [R_star], below 1.

    Returns:
        Integrals of shape (n,) [R_star^2 for areas, radian for arcs].
    """
    s, k = separation, radius_ratio
    # Products of sums and differences instead of differences of squares: exact to rounding at every contact.
    beyond = np.maximum((s + k - 1.0) * (s + k + 1.0), 0.0)  # > 0 while the star's limb cuts the planet
    z2_near = np.maximum((1.0 - s + k) * (1.0 + s - k), 0.0)  # z^2 at w = 0
    cut = beyond > 0.0
    four_sk = np.maximum(4.0 * s * k, _SMALL)
    sin2_half = np.where(cut, z2_near / four_sk, 1.0)  # sin^2(S/2)
    cos2_half = np.where(cut, beyond / four_sk, 0.0)
    z_sum, z_cos_sum, q_sum, q_cos_sum = _sums_along_limb(z2_near, four_sk, sin2_half, cos2_half)

    last = 2.0 * np.arctan2(np.sqrt(sin2_half), np.sqrt(cos2_half))
    sin_last = 2.0 * np.sqrt(sin2_half * cos2_half)
    cos_last = cos2_half - sin2_half
    z2_middle = 1.0 - s**2 - k**2  # z^2 = z2_middle + 2 s k cos w
    z2_sum = z2_middle * last + 2.0 * s * k * sin_last
    z2_cos_sum = z2_middle * sin_last + s * k * (last + sin_last * cos_last)

    # sin^2(K/2), K half the angle that the covered arc of the star's limb spans at the star's centre.
    inside_arc = np.clip((k - 1.0 + s) * (k + 1.0 - s) / np.maximum(4.0 * s, _SMALL), 0.0, 1.0)
    disc = 2.0 * np.arcsin(np.sqrt(inside_arc)) + k * (k * last - s * sin_last)
    mu_area = 2.0 / 3.0 * (disc + k * (k * q_sum - s * q_cos_sum))
    mu2_area = 0.5 * (disc + k * (k * z2_sum - s * z2_cos_sum))
    return Overlap((disc, mu_area, mu2_area), (last, z_sum, z2_sum), (sin_last, z_cos_sum, z2_cos_sum))


def _sums_along_limb(
    z2_near: np.ndarray, four_sk: np.ndarray, sin2_half: np.ndarray, cos2_half: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Integrate z, z cos w, z^2/(1+z) and z^2/(1+z) cos w over w from 0 to S, by quadrature."""
    sin2, cos, weight = _NODES
    z2_span = np.minimum(z2_near, four_sk)
    # z^2 falls from z2_near by 4 s k sin^2(w/2); written so that it ends at exactly zero where the limbs cross.
    z = np.sqrt((z2_near - z2_span)[:, None] + z2_span[:, None] * cos**2)
    dw = np.sqrt(sin2_half[:, None] / (cos**2 + cos2_half[:, None] * sin2)) * (2.0 * cos * weight)
    moments = np.stack((np.ones_like(sin2), sin2), axis=1)
    z_dw = z * dw
    z_sum, z_sin2 = (z_dw @ moments).T
    q_sum, q_sin2 = ((z_dw * z / (1.0 + z)) @ moments).T
    twice = 2.0 * sin2_half  # cos w = 1 - 2 sin^2(S/2) sin^2(angle)
    return z_sum, z_sum - twice * z_sin2, q_sum, q_sum - twice * q_sin2
