"""Planets of a random world: what the star table says about them, and what is there.

The table's speed a / P is right to a few per cent and its impact parameter wrong by about .17, as real fits of
published systems find; the planets' sizes spread like the real labels.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS
from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.random_world.kinds import log_uniform
from spectramind_kit.random_world.opacity import Air, Airs
from spectramind_kit.simulation.starlight import airs_wavelengths, label_wavelengths

_DAY, _HOUR = 86_400.0, 3_600.0
_RADIUS = (np.log(1.2), 0.27)
_MASS_OF_RADIUS, _MASS_SCATTER = 0.62, 0.10
_TEMPERATURE_OF_MASS, _TEMPERATURE_SCATTER = 0.40, 0.055
_SUN = 5_700.0
_TEMPERATURES = (4_200.0, 7_000.0)
_PERIOD = (2.7, 7.7)
_AXIS_OF_KEPLER = 4.21
_AXIS_SCATTER = 0.06
_LARGEST_IMPACT = 0.88
_DURATIONS = (1.0, 5.6)
"""Of transits that a visit can hold [h]."""
_DEPTHS = (1.0e-3, 0.065)
_JUPITER_OVER_SUN = 0.1028
_MOLECULAR = 2.3
_MID_TIME = (0.33, 0.67)


@dataclass(frozen=True)
class Population:
    """The planets of a world.

    Attributes:
        radius: median of the planets [Jupiter radii].
        radius_scatter: of its logarithm.
        mass: median [Jupiter masses].
        mass_scatter: of its logarithm.
        speed_error: of ln a/P in the table, standard deviation.
        impact_error: of the impact parameter in the table, rms.
        cooler: temperature of the air over that of equilibrium.
    """

    radius: float
    radius_scatter: float
    mass: float
    mass_scatter: float
    speed_error: float
    impact_error: float
    cooler: float


@dataclass(frozen=True)
class WorldPlanet:
    """One planet of a random world.

    Attributes:
        planet: as the star table gives it.
        semi_major_axis: the true one [R_star].
        impact: the true impact parameter [R_star].
        depth: at the mean radius in AIRS-CH0's science band [(Rp/Rs)^2].
        air: of the planet.
        airs: of the world.
        darkening: the star's own offsets, see ``limb_darkening.OFFSETS``.
        covering: fraction of the star's disc in spots.
        brightness: of the star over that of the anchor, at FGS1 and AIRS-CH0.
    """

    planet: Planet
    semi_major_axis: float
    impact: float
    depth: float
    air: Air
    airs: Airs
    darkening: tuple[float, ...]
    covering: float
    brightness: tuple[float, float]
    star_index: int = 0

    @property
    def star(self) -> Star:
        """The host."""
        assert self.planet.star is not None
        return self.planet.star

    @property
    def period(self) -> float:
        """[s]"""
        assert self.planet.orbit is not None
        return self.planet.orbit.period * _DAY

    def depths(self, wavelength: np.ndarray) -> np.ndarray:
        """Return the true (Rp/Rs)^2 at wavelengths [um]."""
        first, stop = AIRS.science_columns
        return self.airs.depths(self.air, self.depth, wavelength, airs_wavelengths()[first:stop])

    def label(self, edition: str = "2025") -> np.ndarray:
        """Return the true spectrum (283,) [(Rp/Rs)^2], FGS1 first, then AIRS-CH0 ascending."""
        return self.depths(label_wavelengths(edition))


def draw_population(rng: np.random.Generator) -> Population:
    """Draw the population of a world."""
    return Population(
        radius=float(rng.uniform(1.15, 1.4)),
        radius_scatter=float(rng.uniform(0.15, 0.3)),
        mass=log_uniform(0.8, 2.0, rng),
        mass_scatter=float(rng.uniform(0.4, 0.8)),
        speed_error=float(rng.uniform(0.015, 0.05)),
        impact_error=float(rng.uniform(0.08, 0.25)),
        cooler=float(rng.uniform(0.6, 0.9)),
    )


def draw_star(rng: np.random.Generator) -> Star:
    """Draw a main-sequence star."""
    radius = float(np.clip(np.exp(rng.normal(*_RADIUS)), 0.6, 2.9))
    mass = float(radius**_MASS_OF_RADIUS * np.exp(rng.normal(0.0, _MASS_SCATTER)))
    warm = _SUN * mass**_TEMPERATURE_OF_MASS * float(np.exp(rng.normal(0.0, _TEMPERATURE_SCATTER)))
    return Star(radius, float(np.clip(mass, 0.6, 1.9)), float(np.clip(warm, *_TEMPERATURES)))


def draw_geometry(
    star: Star, population: Population, ratio: float, rng: np.random.Generator
) -> tuple[Orbit, float, float]:
    """Return the orbit of the table, the true semi-major axis [R_star] and impact parameter; a visit holds the transit.

    Args:
        star: the host.
        population: how wrong the table is.
        ratio: radius of the planet [R_star].
        rng: source of every random draw.
    """
    while True:
        period = float(rng.uniform(*_PERIOD))
        scatter = float(np.exp(rng.normal(0.0, _AXIS_SCATTER)))
        axis = _AXIS_OF_KEPLER * star.mass ** (1 / 3) * period ** (2 / 3) / star.radius * scatter
        published = abs(float(rng.normal(0.0, 0.38)))
        # Student's t of 4 degrees of freedom has variance 2: few tables are very wrong.
        impact = abs(published + population.impact_error * float(rng.standard_t(4)) / np.sqrt(2.0))
        speed = float(np.exp(population.speed_error * rng.standard_normal()))
        if published >= _LARGEST_IMPACT or impact >= _LARGEST_IMPACT:
            continue
        half = float(np.sqrt((1.0 + ratio) ** 2 - impact**2))
        duration = period * _DAY / np.pi * half / (axis * speed) / _HOUR
        if _DURATIONS[0] < duration < _DURATIONS[1]:
            return Orbit(period, axis, float(np.degrees(np.arccos(published / axis)))), axis * speed, impact


def draw_depth(star: Star, population: Population, rng: np.random.Generator) -> float:
    """Return the depth of a planet at its mean radius [(Rp/Rs)^2]."""
    radius = population.radius * float(np.exp(population.radius_scatter * rng.standard_normal()))
    return float(np.clip((radius * _JUPITER_OVER_SUN / star.radius) ** 2, *_DEPTHS))


def scale_height(star: Star, mass: float, depth: float, axis: float, cooler: float) -> float:
    """Return the scale height over the planet's radius [1], H / R = k T R / (mu G M)."""
    radius = np.sqrt(depth) * star.radius * 6.957e8
    temperature = cooler * star.temperature * np.sqrt(0.5 / axis)
    return float(1.380649e-23 * temperature * radius / (_MOLECULAR * 1.6605e-27 * 6.674e-11 * mass * 1.898e27))


def draw_mid_time(rng: np.random.Generator, length: float) -> float:
    """Return when the middle of a transit falls in a visit [s]."""
    return length * float(rng.uniform(*_MID_TIME))
