"""Limb darkening by one of five laws whose coefficients follow the star's temperature and gravity.

    drop(lambda) = strength (lambda / 1 um)^-p (T / 5500 K)^-q (g / g_sun)^-s

is what the limb lacks of the centre's light. The laws spread it over mu: not at all (no darkening), quadratic, power-2
(Hestroffer 1997), four-parameter (Claret 2000), and a grey atmosphere in radiative equilibrium, whose light is
the transfer integral over the temperature T^4 = 3/4 Teff^4 (tau + 2/3) (Eddington's approximation).
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Star
from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.simulation.darkening_law import DarkeningLaw

KINDS = ("none", "quadratic", "power2", "four_parameter", "atmosphere")
OFFSETS = ("fgs1_strength", "airs_strength", "shape")
"""What each star has its own value of, beside what temperature and gravity say."""
_FOUR_POWERS = np.array([0.5, 1.0, 1.5, 2.0])
_SERIES_POWERS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
"""Powers of mu that an atmosphere's light is a sum of."""
_MU_FITTED = np.linspace(0.02, 1.0, 80) ** 1.5
_SECOND_RADIATION = 14_388.0
_LARGEST_DROP = 0.95


@dataclass(frozen=True)
class LimbDarkening:
    """The limb darkening of a world's stars.

    Attributes:
        kind: one of ``KINDS``.
        strength: drop of a star like the Sun at 1 um.
        wavelength_power: by which the drop falls with wavelength.
        temperature_power: by which it falls with the star's temperature.
        gravity_power: by which it falls with the star's gravity.
        shape: in (0, 1), how the drop is spread over mu.
        weights: of the four-parameter law, summing to one.
        scatter: standard deviations of each star's own ``OFFSETS``.
    """

    kind: str
    strength: float
    wavelength_power: float
    temperature_power: float
    gravity_power: float
    shape: float
    weights: tuple[float, ...]
    scatter: tuple[float, ...]

    def draw_offsets(self, rng: np.random.Generator) -> np.ndarray:
        """Return a star's own ``OFFSETS``, (3,)."""
        return np.array(self.scatter) * rng.standard_normal(len(OFFSETS))

    def law(self, star: Star, wavelength: np.ndarray, offsets: np.ndarray) -> DarkeningLaw:
        """Return the law of a star at wavelengths [um] (n_wavelength,)."""
        stronger = np.exp(np.where(is_fgs1(wavelength), offsets[0], offsets[1]))
        shape = float(np.clip(self.shape + offsets[2], 0.02, 0.98))
        if self.kind == "none":
            return DarkeningLaw(np.zeros(1), np.ones((len(wavelength), 1)))
        if self.kind == "atmosphere":
            return self._atmosphere(star, wavelength, stronger, shape)
        drop = np.minimum(stronger * self._drop(star, wavelength), _LARGEST_DROP)
        if self.kind == "quadratic":
            # 1 - u1 (1 - mu) - u2 (1 - mu)^2 with u2 = shape x drop, multiplied out.
            first, second = drop * (1.0 - shape), drop * shape
            return DarkeningLaw(np.arange(3.0), np.stack([1.0 - drop, first + 2.0 * second, -second], axis=1))
        if self.kind == "power2":
            return DarkeningLaw(np.array([0.0, 0.25 + 0.9 * shape]), np.stack([1.0 - drop, drop], axis=1))
        weights = np.array(self.weights) + (shape - self.shape) * np.array([1.0, -1.0, 0.5, -0.5])
        return DarkeningLaw(np.append(0.0, _FOUR_POWERS), np.column_stack([1.0 - drop, np.outer(drop, weights)]))

    def _drop(self, star: Star, wavelength: np.ndarray) -> np.ndarray:
        gravity = star.mass / star.radius**2
        warm, heavy = (star.temperature / 5500.0) ** -self.temperature_power, gravity**-self.gravity_power
        return self.strength * wavelength**-self.wavelength_power * warm * heavy

    def _atmosphere(self, star: Star, wavelength: np.ndarray, stronger: np.ndarray, shape: float) -> DarkeningLaw:
        """Solve the transfer integral on a grid of mu, and return the series of powers that fits it best."""
        # Opacity over the Rosseland mean: a minimum in the near infrared, more in the far; denser air, more of it.
        gravity = star.mass / star.radius**2
        opacity = 0.35 + shape * (1.0 - 0.6 * np.exp(-((np.log(wavelength / 1.6) / 0.5) ** 2)) + 0.05 * wavelength**2)
        opacity = opacity * gravity**self.gravity_power / stronger
        node, weight = np.polynomial.laguerre.laggauss(16)
        depth = node * _MU_FITTED[:, None] / opacity[:, None, None]  # (n_wavelength, n_mu, n_node) Rosseland
        temperature = star.temperature * (0.75 * (depth + 2.0 / 3.0)) ** 0.25
        source = 1.0 / np.expm1(_SECOND_RADIATION / (wavelength[:, None, None] * temperature))
        light = source @ weight
        light /= light[:, -1:]
        series = np.linalg.lstsq(_MU_FITTED[:, None] ** _SERIES_POWERS, light.T, rcond=None)[0].T
        return DarkeningLaw(_SERIES_POWERS, series / series.sum(axis=1, keepdims=True))


def draw_darkening_family(wanted: str | None, rng: np.random.Generator) -> LimbDarkening:
    """Draw the limb darkening of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    weights = rng.dirichlet(np.ones(4)) + 0.25 * np.array([1.0, -1.0, 1.0, -1.0]) * rng.normal()
    return LimbDarkening(
        kind=draw_kind("limb_darkening", KINDS, wanted, rng),
        strength=float(rng.uniform(0.3, 0.65)),
        wavelength_power=float(rng.uniform(0.5, 1.1)),
        temperature_power=float(rng.uniform(0.3, 1.5)),
        gravity_power=float(rng.uniform(-0.15, 0.15)),
        shape=float(rng.uniform(0.15, 0.75)),
        weights=tuple(float(w) for w in weights),
        scatter=tuple(float(s) for s in rng.uniform(0.02, 0.15, 3)),
    )
