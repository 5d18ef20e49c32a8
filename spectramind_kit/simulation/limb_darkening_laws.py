"""Limb darkening by other laws than the quadratic one, which is all that the fit knows.

- quadratic: I = 1 - u1 (1 - mu) - u2 (1 - mu)^2.
- power2: I = 1 - c (1 - mu^alpha) (Hestroffer 1997), the law that suits model atmospheres and Kepler's transits best
  among those with two coefficients (Maxted 2018); alpha falls with temperature.
- atmosphere: radiative equilibrium with outer layers that spectral lines cool, T^4(tau) = 3/4 Teff^4 (tau + q(tau)), q
  from 0.36 at the top (T = 0.72 Teff, as in Kurucz's models of the Sun) to the grey 0.71 (Mihalas 1978, ch. 3). The
  intensity is the mean of the Planck function over depth, I(mu) = int B(T(mu y)) exp(-y) dy, and falls steeply at the
  limb; it is laid down as a four-parameter law, I = 1 - sum_n c_n (1 - mu^(n/2)) (Claret 2000).

A star is as dark at mu = 1/2 by each law: what differs is how the darkness is spread, which no pair of quadratic
coefficients follows.
"""

import numpy as np

from spectramind_kit.simulation.radial_transit import RadialLaw
from spectramind_kit.simulation.starlight import planck_quotient
from spectramind_kit.transit.limb_darkening import REFERENCE_TEMPERATURE

OTHER_LAWS = ("power2", "atmosphere")
_ALPHA = 0.65
_ALPHA_SLOPE = -0.7
"""Exponent of the power-2 law at the reference temperature, and its power of temperature."""
_DARKEST = 0.98
"""A limb is never darker than 1 minus that [1]."""
_DEEP_Q, _COOLED_Q, _COOLED_TO = 0.71, 0.35, 0.1
"""The function q(tau): its value deep inside, how much less it is at the top, and down to which optical depth."""
_N_MU, _N_DEPTH = 40, 40


def radial_law(kind: str, temperature: float, wavelength: np.ndarray, quadratic: np.ndarray) -> RadialLaw:
    """Return the limb darkening of a star.

    Args:
        kind: "quadratic", "power2" or "atmosphere".
        temperature: effective temperature [K].
        wavelength: (n_wavelength,) [um].
        quadratic: (n_wavelength, 2), the coefficients u1, u2 of a star as dark.
    """
    if kind == "quadratic":
        u1, u2 = quadratic.T
        return RadialLaw(np.array([0.0, 1.0, 2.0]), np.column_stack([1.0 - u1 - u2, u1 + 2.0 * u2, -u2]))
    lost = quadratic @ [0.5, 0.25]  # at mu = 1/2
    if kind == "power2":
        alpha = _ALPHA * (temperature / REFERENCE_TEMPERATURE) ** _ALPHA_SLOPE
        c = np.minimum(lost / (1.0 - 0.5**alpha), _DARKEST)
        return RadialLaw(np.array([0.0, alpha]), np.column_stack([1.0 - c, c]))
    c = atmosphere_coefficients(temperature, wavelength)
    powers = np.arange(1, 5) / 2.0
    c = c * np.minimum(lost / (c @ (1.0 - 0.5**powers)), _DARKEST / c.sum(axis=1))[:, None]
    return RadialLaw(np.concatenate([[0.0], powers]), np.column_stack([1.0 - c.sum(axis=1), c]))


def atmosphere_coefficients(temperature: float, wavelength: np.ndarray) -> np.ndarray:
    """Return the four-parameter law's coefficients of a model atmosphere, (n_wavelength, 4) [1]."""
    mu = (np.arange(_N_MU) + 1.0) / _N_MU
    intensity = atmosphere_intensity(temperature, wavelength, mu)
    basis = 1.0 - mu[:, None] ** (np.arange(1, 5) / 2.0)
    return np.linalg.lstsq(basis, 1.0 - intensity.T, rcond=None)[0].T


def atmosphere_intensity(temperature: float, wavelength: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return a model atmosphere's intensity over that of the centre (mu = 1), (n_wavelength, n_mu) [1]."""
    y, weight = np.polynomial.laguerre.laggauss(_N_DEPTH)
    cosine = np.append(mu, 1.0)
    tau = cosine[:, None] * y
    local = temperature * (0.75 * (tau + _DEEP_Q - _COOLED_Q * np.exp(-tau / _COOLED_TO))) ** 0.25
    intensity = planck_quotient(local, temperature, np.asarray(wavelength)[:, None, None]) @ weight
    return intensity[:, :-1] / intensity[:, -1:]
