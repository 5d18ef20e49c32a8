"""Planetary systems: what the star table holds, and what is really there (``planets`` says how the two differ)."""

from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.config import SimulationConfig
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.simulation import planets
from spectramind_kit.simulation.cadence import OBSERVATION_TIME
from spectramind_kit.simulation.limb_darkening_laws import StarDarkening, draw_darkening
from spectramind_kit.simulation.opacity import Air
from spectramind_kit.simulation.planets import Population
from spectramind_kit.simulation.population_shift import PopulationShift, population_shift
from spectramind_kit.simulation.spectrum import draw_air, nominal_airs
from spectramind_kit.simulation.star_spots import StarSpots, draw_spots
from spectramind_kit.simulation.starlight import airs_wavelengths, label_wavelengths

POPULATION = Population(
    radius=1.31, radius_scatter=0.18, mass=0.94, mass_scatter=0.95, speed_error=0.03, impact_error=0.22, cooler=0.7
)
"""Hot Jupiters whose sizes give the real labels' mean depth and most of its spread, with the real table's masses.

An impact parameter that is drawn too large is drawn again, which leaves an error of .17 rms.
"""
_NEPTUNES, _NEPTUNE_SLOPE = 0.414, 0.59
"""Planets lighter than that [Jupiter masses] are smaller, by that power of their mass (Chen & Kipping 2017)."""
# mean and Cholesky factor of the covariance of ln (radius, mass, temperature) in the real table
_STAR_MEAN = np.array([0.1898, 0.0661, 8.6684])
_STAR_FACTOR = np.array([[0.2707, 0.0, 0.0], [0.1695, 0.1039, 0.0], [0.0662, 0.0358, 0.0505]])
_STAR_RANGE = (np.log([0.65, 0.60, 4235.0]), np.log([2.9, 1.82, 6980.0]))
_INCLINATION = (88.5, 1.05)
_MASSES = (0.05, 25.0)
"""Of the real table [Jupiter masses]."""
_DEPTH_2024 = (np.log(1.92e-3), 0.69)
_DEPTHS_2024 = (3.5e-4, 8.0e-3)
_MEAN_DEPTH = 0.0147
_STARS_2024 = (Star(1.15, 1.08, 5900.0), Star(0.88, 0.86, 4900.0))
_LN_BRIGHTNESS = (np.log(0.9), 0.15)
_LN_FGS1_BRIGHTNESS = (np.log(0.7), 0.25)


@dataclass(frozen=True)
class SimulatedSystem:
    """One system: the table's view and the truth.

    Attributes:
        planet: as the star table gives it.
        orbit: the true one.
        depth: of the planet's mean radius in AIRS-CH0's science band [(Rp/Rs)^2].
        air: of the planet.
        brightness: electrons relative to the anchor star at the same temperature, by channel.
        darkening: the star's limb darkening.
        star_index: which of the two stars of the 2024 edition.
        spots: of the star, if it has any.
    """

    planet: Planet
    orbit: Orbit
    depth: float
    air: Air
    brightness: dict[str, float]
    darkening: StarDarkening
    star_index: int = 0
    spots: StarSpots | None = None

    @property
    def star(self) -> Star:
        """The host star, which a simulated planet always has."""
        assert self.planet.star is not None
        return self.planet.star

    @property
    def published_orbit(self) -> Orbit:
        """The star table's orbit, which a simulated planet always has."""
        assert self.planet.orbit is not None
        return self.planet.orbit

    @property
    def impact_parameter(self) -> float:
        """True impact parameter [R_star]."""
        return self.orbit.semi_major_axis * float(np.cos(np.radians(self.orbit.inclination)))

    def depths(self, wavelength: np.ndarray) -> np.ndarray:
        """Return the true (Rp/Rs)^2 at wavelengths [um]."""
        first, stop = AIRS.science_columns
        return nominal_airs().depths(self.air, self.depth, wavelength, airs_wavelengths()[first:stop])

    def label(self, edition: str = "2025") -> np.ndarray:
        """Return the true spectrum (283,) [(Rp/Rs)^2], FGS1 first, then AIRS-CH0 ascending."""
        return self.depths(label_wavelengths(edition))


def draw_system(
    planet_id: int,
    rng: np.random.Generator,
    edition: str = "2025",
    config: SimulationConfig | None = None,
    shift: PopulationShift | None = None,
) -> SimulatedSystem:
    """Draw a system; the 2024 edition has two stars and smaller planets.

    Args:
        planet_id: of the planet.
        rng: source of every random draw.
        edition: "2025" or "2024".
        config: which stars have spots and which limb-darkening law; none and the first law if not given.
        shift: of the population's means; none if not given.
    """
    shift = shift or population_shift()
    law, spots, geometry = rng.spawn(3)  # what is drawn again until it fits moves no other draw
    star_index = int(rng.integers(0, len(_STARS_2024)))
    star = _draw_star(rng, shift) if edition == "2025" else _STARS_2024[star_index]
    mass = _draw_mass(rng)
    depth = _draw_depth(star, mass, edition, rng, shift)
    mass = mass * depth / _MEAN_DEPTH if edition == "2024" else mass  # as heavy on top as the larger planets of 2025
    published, axis, impact = planets.draw_geometry(
        star, POPULATION, float(np.sqrt(depth)), geometry, _draw_published_impact
    )
    height = planets.scale_height(star, mass, depth, axis, POPULATION.cooler)
    return SimulatedSystem(
        planet=Planet(planet_id, star=star, orbit=published, mass=mass),
        orbit=replace(published, semi_major_axis=axis, inclination=float(np.degrees(np.arccos(impact / axis)))),
        depth=depth,
        air=draw_air(height, shift, rng),
        brightness=_draw_brightness(rng),
        darkening=draw_darkening(config.limb_darkening_laws if config else 0.0, law),
        star_index=star_index,
        spots=draw_spots(star.temperature, config.star_spots if config else 0.0, spots),
    )


def draw_mid_transit(rng: np.random.Generator) -> float:
    """Return when the middle of the transit falls in a visit [s]."""
    return planets.draw_mid_time(rng, OBSERVATION_TIME)


def _draw_star(rng: np.random.Generator, shift: PopulationShift) -> Star:
    mean = _STAR_MEAN + np.array([0.0, 0.0, shift.log_temperature])
    logs = np.clip(mean + _STAR_FACTOR @ rng.standard_normal(3), *_STAR_RANGE)
    return Star(*(float(x) for x in np.exp(logs)))


def _draw_depth(star: Star, mass: float, edition: str, rng: np.random.Generator, shift: PopulationShift) -> float:
    if edition == "2024":
        depth = np.exp(rng.normal(*_DEPTH_2024) + 2.0 * shift.log_planet_radius)
        return float(np.clip(depth, *_DEPTHS_2024))
    smaller = min(1.0, mass / _NEPTUNES) ** _NEPTUNE_SLOPE
    radius = POPULATION.radius * smaller * float(np.exp(shift.log_planet_radius))
    return planets.draw_depth(star, replace(POPULATION, radius=radius), rng)


def _draw_published_impact(axis: float, rng: np.random.Generator) -> float:
    """Draw an impact parameter from the real table's inclinations."""
    return axis * float(np.cos(np.radians(min(90.0, rng.normal(*_INCLINATION)))))


def _draw_mass(rng: np.random.Generator) -> float:
    """Draw a mass [Jupiter masses]."""
    mass = POPULATION.mass * np.exp(POPULATION.mass_scatter * rng.standard_normal())
    return float(np.clip(mass, *_MASSES))


def _draw_brightness(rng: np.random.Generator) -> dict[str, float]:
    """Draw how bright the star is; FGS1 varies more than the temperature explains."""
    airs = float(np.exp(rng.normal(*_LN_BRIGHTNESS)))
    return {AIRS.name: airs, FGS1.name: airs * float(np.exp(rng.normal(*_LN_FGS1_BRIGHTNESS)))}
