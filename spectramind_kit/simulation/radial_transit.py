"""Transits of a star whose limb darkening is any sum of powers of mu.

    I(mu) = sum_q w_q mu^q,    1 - F = sum_q w_q A_q / sum_q w_q 2 pi / (q + 2)

A_q is the integral of mu^q over what the planet hides. Of the circle of radius r about the star's centre the planet
hides the angle 2 phi(r), so thin annuli add up to

    A_q = int 2 phi (1 - r^2)^(q/2) r dr,    cos phi = (r^2 + s^2 - k^2) / (2 s r),

from |s - k| to s + k or the limb, plus whole circles where the planet covers the centre (Kreidberg 2015 integrates
the same way). The substitution r = r1 + (r2 - r1) cos^2(pi x^2 / 2) leaves a smooth integrand for Gauss-Legendre: phi
goes to zero like a root at both ends, mu^q at the limb. Wavelengths know A_q through k alone, which is therefore
evaluated at some Chebyshev nodes and interpolated. ``random_world.disc`` is the reference implementation: every
wavelength by itself, on other nodes.
"""

import numpy as np
from numpy.polynomial import chebyshev

from spectramind_kit.simulation.darkening_law import DarkeningLaw

_N_NODE = 16
_FEWEST_RADII = 8
_RADII_APART = 1.9e-4
"""Nodes in k: at least so many, and on average no further apart [R_star]. At a contact A_q bends as k does."""
_SMALLEST_SEPARATION = 1e-6
_TINY = 1e-300
_WIDEN = 1e-3
"""Relative margin of the interpolated radii, so that equal depths leave a range."""


def radial_transit(separation: np.ndarray, depth: np.ndarray, law: DarkeningLaw) -> np.ndarray:
    """Return the flux relative to out of transit, averaged over the instants of an exposure.

    Args:
        separation: (n_time, n_instant) [R_star], infinite where the planet is behind.
        depth: (n_wavelength,) (Rp/Rs)^2 > 0 [1].
        law: of the same wavelengths.

    Returns:
        (n_wavelength, n_time) [1], right to 1e-7 at the worst instant of the worst planet.
    """
    k_nodes, interpolation = _radius_interpolation(np.sqrt(depth))
    rows = np.flatnonzero((separation < 1.0 + k_nodes.max()).any(axis=1))
    flux = np.ones((len(depth), len(separation)))
    if len(rows):
        s, k = np.broadcast_arrays(separation[rows][:, :, None], k_nodes)
        area = hidden_areas(s.ravel(), k.ravel(), law.powers).reshape(len(law.powers), *s.shape).mean(axis=2)
        # (n_power, n_wavelength, n_radius)
        weight = law.weights.T[:, :, None] * interpolation / law.disc_light[:, None]
        flux[:, rows] -= np.einsum("qwk,qtk->wt", weight, area, optimize=True)
    return flux


def hidden_areas(separation: np.ndarray, radius_ratio: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return the integrals of powers of mu over what the planet hides, (n_power, n) [R_star^2].

    Args:
        separation: (n,) of the centres [R_star].
        radius_ratio: (n,) of planet and star [1].
        powers: (n_power,) of mu.
    """
    area = np.zeros((len(powers), len(separation)))
    touch = separation < 1.0 + radius_ratio
    s, k = np.maximum(separation[touch], _SMALLEST_SEPARATION)[:, None], radius_ratio[touch][:, None]
    first, last = np.abs(s - k), np.minimum(s + k, 1.0)
    limb_share, centre_share, weight = _nodes()
    r = first + (last - first) * centre_share
    mu2 = (1.0 - last + (last - first) * limb_share) * (1.0 + r)
    phi = np.arccos(np.clip((r**2 + s**2 - k**2) / np.maximum(2.0 * s * r, _TINY), -1.0, 1.0))
    strip = 2.0 * phi * r * weight * (last - first)
    whole = np.where(k > s, (k - s) ** 2, 0.0)[:, 0]
    for row, power in zip(area, powers):
        circles = 2.0 * np.pi / (power + 2.0) * (1.0 - (1.0 - whole) ** (0.5 * power + 1.0))
        row[touch] = (strip * mu2 ** (0.5 * power)).sum(axis=1) + circles
    return area


def _nodes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sin^2 and cos^2 of pi x^2 / 2 at Gauss-Legendre nodes x in (0, 1), and weights, (_N_NODE,) each."""
    x, weight = np.polynomial.legendre.leggauss(_N_NODE)
    x, weight = 0.5 * (x + 1.0), 0.5 * weight
    angle = 0.5 * np.pi * x**2
    return np.sin(angle) ** 2, np.cos(angle) ** 2, weight * np.pi * x * np.sin(2.0 * angle)


def _radius_interpolation(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes in k (n,), few wavelengths their own, and what each adds to every wavelength, (n_wavelength, n)."""
    low, high = (1.0 - _WIDEN) * k.min(), (1.0 + _WIDEN) * k.max()
    n = max(_FEWEST_RADII, int(np.ceil((high - low) / _RADII_APART)))
    if n >= len(k):
        return k, np.eye(len(k))
    x = chebyshev.chebpts1(n)
    place = (2.0 * k - low - high) / (high - low)
    weights = np.linalg.solve(chebyshev.chebvander(x, n - 1).T, chebyshev.chebvander(place, n - 1).T).T
    return 0.5 * (low + high + (high - low) * x), weights
