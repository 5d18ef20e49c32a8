"""The light of a star's disc that a planet leaves, by quadrature over the rings of the disc.

A ring of radius r about the star's centre is hidden over the angle 2 phi(r),

    cos phi = (r^2 + z^2 - k^2) / (2 z r),    1 - F = int 2 phi(r) I(r) r dr / (light of the disc),

with the planet of radius k at distance z. phi ends like a square root at both sides of the ring's range, as mu
does at the limb; with r = centre + half x sin(theta) the integrand is smooth in theta.
"""

import numpy as np

from spectramind_kit.simulation.darkening_law import DarkeningLaw

_N_RING = 28
_CHUNK = 24
"""Wavelengths worked on at a time: the arrays stay in the cache."""
_NEAREST = 1e-7
"""Smallest distance of the centres: the angle is not defined at zero."""


def transit_flux(distance: np.ndarray, radius: np.ndarray, law: DarkeningLaw) -> np.ndarray:
    """Return the flux relative to out of transit, averaged over the instants of each exposure.

    Args:
        distance: of the planet's centre from the star's (n_time, n_instant) [R_star]; infinite while behind.
        radius: of the planet (n_wavelength,) [R_star].
        law: of the same wavelengths.

    Returns:
        (n_wavelength, n_time) [1].
    """
    flux = np.ones((len(radius), len(distance)))
    near = np.flatnonzero((distance < 1.0 + radius.max()).any(axis=1))
    for first in range(0, len(radius) if len(near) else 0, _CHUNK):
        part = slice(first, first + _CHUNK)
        own = DarkeningLaw(law.powers, law.weights[part])
        hidden = _hidden_light(distance[near].ravel(), radius[part], own)
        hidden = hidden.reshape(-1, *distance[near].shape).mean(axis=2)
        flux[part, near] = 1.0 - hidden / own.disc_light[:, None]
    return flux


def _hidden_light(distance: np.ndarray, radius: np.ndarray, law: DarkeningLaw) -> np.ndarray:
    """Return the light behind the planet, (n_wavelength, n) for distances (n,)."""
    z, k = np.maximum(distance, _NEAREST)[None, :, None], radius[:, None, None]
    hidden = np.zeros((len(radius), len(distance)))
    low, high = np.abs(z - k), np.minimum(z + k, 1.0)
    touches = low < high
    low = np.where(touches, low, 0.0)
    high = np.where(touches, high, 0.0)
    x, weight = np.polynomial.legendre.leggauss(_N_RING)
    theta = 0.5 * np.pi * x
    half = 0.5 * (high - low)
    r = 0.5 * (high + low) + half * np.sin(theta)
    cosine = (r**2 + z**2 - k**2) / np.maximum(2.0 * z * r, 1e-300)
    phi = np.arccos(np.clip(cosine, -1.0, 1.0))
    mu = np.sqrt(np.maximum(1.0 - r**2, 0.0))
    hidden += (2.0 * phi * r * law.intensity(mu) * half * np.cos(theta) * 0.5 * np.pi) @ weight
    # Where the planet covers the star's centre, rings inside k - z are hidden whole.
    inner = np.where(touches, np.clip(k - z, 0.0, 1.0), 0.0)[..., 0]
    for power, share in zip(law.powers, law.weights.T):
        hidden += share[:, None] * 2.0 * np.pi / (power + 2.0) * (1.0 - (1.0 - inner**2) ** (0.5 * power + 1.0))
    return hidden
