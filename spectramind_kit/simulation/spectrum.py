"""Transmission spectra: a planet's depth at each wavelength, with molecular bands, haze and cloud.

Where the air is opaque lies higher by H for every e-fold of opacity (Lecavelier des Etangs et al. 2008):

    R(lambda) = R0 + H ln kappa(lambda),    depth = (R / Rs)^2,    H = k T / (mu g),    T = 0.7 Ts sqrt(Rs / 2a)

kappa is a sum of molecules (abundance times exp of a few Gaussian bands near their real places), haze and a
grey cloud. Band strengths are made up; places, widths and the resulting 20-250 ppm are those of hot Jupiters.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.products import Planet
from spectramind_kit.simulation.population_shift import PopulationShift, population_shift

# centre [um], width [um], strength [e-folds of opacity]
_BANDS = {
    "H2O": ((0.72, 0.02, 1.5), (0.94, 0.03, 2.0), (1.87, 0.09, 3.5), (2.66, 0.16, 5.0), (3.10, 0.20, 2.0)),
    "CO2": ((2.01, 0.035, 3.0), (2.70, 0.06, 5.0), (4.25, 0.20, 7.0)),
    "CH4": ((1.66, 0.05, 3.0), (2.32, 0.10, 4.0), (3.32, 0.15, 6.0)),
    "CO": ((2.34, 0.05, 4.0), (4.67, 0.15, 5.0)),
    "NH3": ((2.00, 0.06, 4.0), (2.25, 0.06, 3.0), (2.98, 0.10, 4.5)),
}
# ln of the abundance relative to a grey opacity of one, uniform between
_ABUNDANCE = {"H2O": (-4.0, 1.0), "CO2": (-7.0, -1.0), "CH4": (-8.0, -1.0), "CO": (-7.0, -1.0), "NH3": (-9.0, -2.0)}
_HAZE = (-6.0, 0.5)
_HAZE_SLOPE = (1.0, 4.5)
_CLOUD = (-2.5, 3.5)
_HAZE_WAVELENGTH = 2.5

_BOLTZMANN = 1.380649e-23
_GRAVITATION = 6.6743e-11
_MEAN_MOLECULAR_MASS = 2.33 * 1.66054e-27
_JUPITER_MASS = 1.898e27
_SOLAR_RADIUS = 6.957e8
_LIMB_COOLING = 0.7
"""Temperature of the air at the limb over the equilibrium temperature [1]."""
_LARGEST_SCALE_HEIGHT = 0.0025
"""Largest scale height, in planetary radii [1]: lighter air than that would not stay."""


@dataclass(frozen=True)
class Atmosphere:
    """What the light passes.

    Attributes:
        abundance: ln of each molecule's opacity relative to a grey one.
        haze: ln of its opacity at 2.5 um.
        haze_slope: power of wavelength with which it falls (4 is Rayleigh scattering).
        cloud: ln of a grey opacity.
        scale_height: in planetary radii [1].
    """

    abundance: dict[str, float]
    haze: float
    haze_slope: float
    cloud: float
    scale_height: float


def draw_atmosphere(
    planet: Planet, depth: float, rng: np.random.Generator, shift: PopulationShift | None = None
) -> Atmosphere:
    """Draw an atmosphere for a planet of known mass, orbit and depth, from a population that may be shifted."""
    shift = shift or population_shift()
    return Atmosphere(
        abundance={m: rng.uniform(*limits) + shift.abundance[m] for m, limits in _ABUNDANCE.items()},
        haze=rng.uniform(*_HAZE) + shift.haze,
        haze_slope=rng.uniform(*_HAZE_SLOPE),
        cloud=rng.uniform(*_CLOUD) + shift.cloud,
        scale_height=scale_height(planet, depth),
    )


def scale_height(planet: Planet, depth: float) -> float:
    """Return the scale height of the air at the limb, in planetary radii [1].

    Raises:
        ProductError: if star, orbit or mass of the planet are not known.
    """
    if planet.star is None or planet.orbit is None or planet.mass is None:
        raise ProductError(f"planet {planet.planet_id}", wanted="star, orbit and mass", got=planet)
    radius = np.sqrt(depth) * planet.star.radius * _SOLAR_RADIUS
    gravity = _GRAVITATION * planet.mass * _JUPITER_MASS / radius**2
    temperature = _LIMB_COOLING * planet.star.temperature * np.sqrt(0.5 / planet.orbit.semi_major_axis)
    height = _BOLTZMANN * temperature / (_MEAN_MOLECULAR_MASS * gravity) / radius
    return float(min(height, _LARGEST_SCALE_HEIGHT))


def log_opacity(atmosphere: Atmosphere, wavelength: np.ndarray) -> np.ndarray:
    """Return ln kappa at wavelengths [um], (n_wavelength,) [1]."""
    wavelength = np.asarray(wavelength, dtype=np.float64)
    opacity = np.exp(atmosphere.cloud) + np.exp(atmosphere.haze) * (wavelength / _HAZE_WAVELENGTH) ** (
        -atmosphere.haze_slope
    )
    for molecule, abundance in atmosphere.abundance.items():
        bands = sum(s * np.exp(-0.5 * ((wavelength - c) / w) ** 2) for c, w, s in _BANDS[molecule])
        opacity = opacity + np.exp(abundance + bands)
    return np.log(opacity)


def transmission_depth(atmosphere: Atmosphere, depth: float, wavelength: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """Return (Rp/Rs)^2 at wavelengths [um], (n_wavelength,) [1].

    Args:
        atmosphere: of the planet.
        depth: of the radius averaged over the anchor wavelengths.
        wavelength: where the depth is wanted [um].
        anchor: where the mean radius is taken [um].
    """
    height = log_opacity(atmosphere, wavelength) - log_opacity(atmosphere, anchor).mean()
    return depth * (1.0 + atmosphere.scale_height * height) ** 2
