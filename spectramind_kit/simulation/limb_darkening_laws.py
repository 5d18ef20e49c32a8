"""Limb darkening of the simulated stars: model atmospheres, laid down as sums of powers of mu.

An atmosphere in radiative equilibrium has T^4(tau) = 3/4 Teff^4 (tau + q(tau)) at the Rosseland depth tau, with q = .71
inside (Mihalas 1978, ch. 3) and less at the top, where spectral lines cool it. Light of a wavelength comes from where
its own depth is one, and tau is less there by the opacity of H-, kappa over the Rosseland mean:

    I(mu) = int B(T(y mu / kappa)) exp(-y) dy

The hotter the star, the less a step of temperature changes B, and the weaker the darkening; at higher gravity more H-
absorbs. Two laws follow it:

- power2: I = 1 - c (1 - mu^alpha) (Hestroffer 1997), the law with two coefficients that suits model atmospheres and
  Kepler's transits best (Maxted 2018), as dark as the atmosphere at mu = 1/2 and, on average over a channel, at 1/4;
- atmosphere: the four-parameter law I = 1 - sum_n c_n (1 - mu^(n/2)) (Claret 2000), fitted to the whole disc.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import Star
from spectramind_kit.simulation.darkening_law import DarkeningLaw
from spectramind_kit.simulation.starlight import planck_quotient

LAWS = ("power2", "atmosphere")
_LN_STRENGTH = (-0.13, 0.1)
"""Mean and scatter of ln (a star's own darkening over the atmosphere's): convection warms the outer layers of some."""
_COOLED_Q = (0.0, 0.35)
"""By how much q is less at the top than inside, from a grey atmosphere to Kurucz's models of the Sun."""
_DEEP_Q, _COOLED_TO = 0.71, 0.09
_BOUND_FREE, _BOUND_FREE_PEAK, _BOUND_FREE_WIDTH, _FREE_FREE = 1.2, 0.85, 0.4, 0.12
"""Opacity of H-: photons up to 1.6 um free its electron; beyond, free-free absorption grows as wavelength squared."""
_GRAVITY_POWER = 0.07
_DARKEST = 0.98
"""A limb is never darker than 1 minus that [1]."""
_N_MU, _N_DEPTH = 24, 24


@dataclass(frozen=True)
class StarDarkening:
    """What a star's limb darkening has of its own, beside what temperature and gravity say.

    Attributes:
        kind: one of ``LAWS``.
        strength: darkening over that of the model atmosphere, by channel [1].
        cooled: by how much q is less at the top than inside.
    """

    kind: str
    strength: dict[str, float]
    cooled: float

    def law(self, star: Star, channel: str, wavelength: np.ndarray) -> DarkeningLaw:
        """Return the limb darkening at a channel's wavelengths (n_wavelength,) [um]."""
        strength = self.strength[channel]
        if self.kind == "power2":
            intensity = atmosphere_intensity(star, wavelength, np.array([0.5, 0.25]), self.cooled)
            half, quarter = strength * (1.0 - intensity).T
            # mu^alpha is x at mu = 1/2 and x^2 at 1/4, so what is lost there is as 1 - x to 1 - x^2.
            x = float((quarter / half).mean()) - 1.0
            c = np.minimum(half / (1.0 - x), _DARKEST)
            return DarkeningLaw(np.array([0.0, -np.log2(x)]), np.column_stack([1.0 - c, c]))
        c = atmosphere_coefficients(star, wavelength, self.cooled)
        c = c * np.minimum(strength, _DARKEST / c.sum(axis=1))[:, None]
        return DarkeningLaw(np.arange(5) / 2.0, np.column_stack([1.0 - c.sum(axis=1), c]))


def draw_darkening(fraction: float, rng: np.random.Generator) -> StarDarkening:
    """Draw a star's limb darkening; a ``fraction`` of the stars has the four-parameter law of an atmosphere."""
    kind = LAWS[int(rng.random() < fraction)]
    strength = {channel: float(np.exp(rng.normal(*_LN_STRENGTH))) for channel in (FGS1.name, AIRS.name)}
    return StarDarkening(kind, strength, float(rng.uniform(*_COOLED_Q)))


def atmosphere_coefficients(star: Star, wavelength: np.ndarray, cooled: float) -> np.ndarray:
    """Return the four-parameter law's coefficients of a model atmosphere, (n_wavelength, 4) [1]."""
    mu = (np.arange(_N_MU) + 1.0) / _N_MU
    intensity = atmosphere_intensity(star, wavelength, mu, cooled)
    basis = 1.0 - mu[:, None] ** (np.arange(1, 5) / 2.0)
    return np.linalg.lstsq(basis, 1.0 - intensity.T, rcond=None)[0].T


def atmosphere_intensity(star: Star, wavelength: np.ndarray, mu: np.ndarray, cooled: float) -> np.ndarray:
    """Return a model atmosphere's intensity over that of the centre, (n_wavelength, n_mu) [1].

    Args:
        star: its temperature and gravity count.
        wavelength: (n_wavelength,) [um].
        mu: (n_mu,) cosine of the angle to the surface.
        cooled: by how much q is less at the top than inside.
    """
    y, weight = np.polynomial.laguerre.laggauss(_N_DEPTH)
    depth = np.append(mu, 1.0)[:, None] * y / _opacity(star, wavelength)[:, None, None]
    local = star.temperature * (0.75 * (depth + _DEEP_Q - cooled * np.exp(-depth / _COOLED_TO))) ** 0.25
    intensity = planck_quotient(local, star.temperature, np.asarray(wavelength)[:, None, None]) @ weight
    return intensity[:, :-1] / intensity[:, -1:]


def _opacity(star: Star, wavelength: np.ndarray) -> np.ndarray:
    """Return the continuum's opacity over the Rosseland mean, (n_wavelength,) [1]."""
    bound_free = np.exp(-0.5 * (np.log(wavelength / _BOUND_FREE_PEAK) / _BOUND_FREE_WIDTH) ** 2)
    gravity = star.mass / star.radius**2
    return gravity**_GRAVITY_POWER * (_BOUND_FREE * bound_free + _FREE_FREE * wavelength**2)
