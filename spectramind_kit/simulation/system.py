"""Planetary systems: what the star table holds, and what is really there.

Stars, orbits and planets are drawn with the ranges, scatters and correlations of the 1,100 real systems of
``train_star_info.csv``. As in the real data the table is only roughly true: real transits last up to twice as
long or short as the published orbit implies, so the true semi-major axis scatters around the table's.
"""

from dataclasses import dataclass, replace

import numpy as np

from spectramind_kit.config import SimulationConfig
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import Orbit, Planet, Star
from spectramind_kit.simulation.limb_darkening_laws import OTHER_LAWS
from spectramind_kit.simulation.population_shift import PopulationShift, population_shift
from spectramind_kit.simulation.spectrum import Atmosphere, draw_atmosphere, transmission_depth
from spectramind_kit.simulation.star_spots import StarSpots, draw_spots
from spectramind_kit.simulation.starlight import airs_wavelengths, label_wavelengths
from spectramind_kit.transit.orbit import semi_major_axis_from_duration, transit_duration

DAY = 86_400.0
HOUR = 3_600.0

# mean and Cholesky factor of the covariance of ln (radius, mass, temperature)
_STAR_MEAN = np.array([0.1898, 0.0661, 8.6684])
_STAR_FACTOR = np.array([[0.2707, 0.0, 0.0], [0.1695, 0.1039, 0.0], [0.0662, 0.0358, 0.0505]])
_STAR_RANGE = (np.log([0.65, 0.60, 4235.0]), np.log([2.9, 1.82, 6980.0]))
_PERIOD = (2.78, 7.62)
_SEMI_MAJOR_AXIS_SCATTER = 0.064
_SEMI_MAJOR_AXIS_RANGE = (4.2, 21.0)
_KEPLER = 4.2083
"""a [R_sun] = 4.2083 M^(1/3) P^(2/3), M in solar masses and P in days."""
_INCLINATION = (88.5, 1.05)
_LN_PLANET_MASS = (np.log(0.937), 0.9)
_PLANET_MASS_RANGE = (0.05, 25.0)
_PLANET_MASS_RANGE_2024 = (0.01, 5.0)
_LN_PLANET_RADIUS = (np.log(0.1318), 0.18)
"""[R_sun]: hot Jupiters of 1.28 R_Jupiter, which give the real mean depth and most of its spread."""
_DEPTH_RANGE = (1.2e-3, 0.06)
_MEAN_DEPTH = 0.0147
_DEPTH_2024 = (np.log(1.92e-3), 0.69)
_DEPTH_RANGE_2024 = (4.0e-4, 8.0e-3)

_TRUE_AXIS_SCATTER = 0.15
_FAR_OFF = (0.06, 0.5)
_REDRAWN_IMPACT = (0.4, 0.12)
_LARGEST_IMPACT = 0.85
_DURATION_RANGE = (1.2, 6.5)
_LN_BRIGHTNESS = (np.log(0.9), 0.15)
_LN_FGS1_BRIGHTNESS = (np.log(0.7), 0.25)
_LIMB_DARKENING_SCATTER = 0.03
_MID_TRANSIT = (2.5, 5.0)

_STARS_2024 = (Star(1.15, 1.08, 5900.0), Star(0.88, 0.86, 4900.0))


@dataclass(frozen=True)
class SimulatedSystem:
    """One system: the table's view and the truth.

    Attributes:
        planet: as the star table gives it.
        orbit: the true one.
        depth: of the planet's mean radius in AIRS-CH0's science band [(Rp/Rs)^2].
        atmosphere: of the planet.
        brightness: electrons relative to the anchor star at the same temperature, by channel.
        limb_darkening: offset of (u1, u2) from that of the star's temperature, by channel.
        star_index: which of the two stars of the 2024 edition.
        law: of the star's limb darkening, see ``limb_darkening_laws``.
        spots: of the star, if it has any.
    """

    planet: Planet
    orbit: Orbit
    depth: float
    atmosphere: Atmosphere
    brightness: dict[str, float]
    limb_darkening: dict[str, tuple[float, float]]
    star_index: int = 0
    law: str = "quadratic"
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
        return transmission_depth(self.atmosphere, self.depth, wavelength, airs_wavelengths()[first:stop])

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
        config: which stars have spots and other limb-darkening laws; none if not given.
        shift: of the population's means; none if not given.
    """
    shift = shift or population_shift()
    star_index = int(rng.integers(0, len(_STARS_2024)))
    star = _draw_star(rng, shift.log_temperature) if edition == "2025" else _STARS_2024[star_index]
    depth = _draw_depth(star, edition, rng, shift.log_planet_radius)
    published = _draw_orbit(star, rng)
    planet = Planet(planet_id, star=star, orbit=published, mass=_draw_mass(depth, edition, rng))
    surface = rng.spawn(2)
    return SimulatedSystem(
        planet=planet,
        orbit=_draw_true_orbit(published, depth, rng),
        depth=depth,
        atmosphere=draw_atmosphere(planet, depth, rng, shift),
        brightness=_draw_brightness(rng),
        limb_darkening={c: tuple(rng.normal(0.0, _LIMB_DARKENING_SCATTER, 2)) for c in (FGS1.name, AIRS.name)},
        star_index=star_index,
        law=_draw_law(config.limb_darkening_laws if config else 0.0, surface[0]),
        spots=draw_spots(star.temperature, config.star_spots if config else 0.0, surface[1]),
    )


def draw_mid_transit(rng: np.random.Generator) -> float:
    """Return when the middle of the transit falls in a visit [s]."""
    return rng.uniform(*_MID_TRANSIT) * HOUR


def _draw_law(fraction: float, rng: np.random.Generator) -> str:
    """Draw a limb-darkening law; a ``fraction`` of them is not quadratic."""
    other = str(rng.choice(OTHER_LAWS))
    return other if rng.random() < fraction else "quadratic"


def _draw_star(rng: np.random.Generator, hotter: float) -> Star:
    mean = _STAR_MEAN + np.array([0.0, 0.0, hotter])
    logs = np.clip(mean + _STAR_FACTOR @ rng.standard_normal(3), *_STAR_RANGE)
    return Star(*(float(x) for x in np.exp(logs)))


def _draw_orbit(star: Star, rng: np.random.Generator) -> Orbit:
    period = rng.uniform(*_PERIOD)
    kepler = _KEPLER * star.mass ** (1 / 3) * period ** (2 / 3) / star.radius
    axis = np.clip(kepler * np.exp(rng.normal(0.0, _SEMI_MAJOR_AXIS_SCATTER)), *_SEMI_MAJOR_AXIS_RANGE)
    return Orbit(period, float(axis), float(min(90.0, rng.normal(*_INCLINATION))))


def _draw_mass(depth: float, edition: str, rng: np.random.Generator) -> float:
    """Draw a mass [M_Jupiter]; the smaller planets of 2024 have the gravity of the larger ones, not their mass."""
    mass = np.exp(rng.normal(*_LN_PLANET_MASS)) * (depth / _MEAN_DEPTH if edition == "2024" else 1.0)
    return float(np.clip(mass, *(_PLANET_MASS_RANGE if edition == "2025" else _PLANET_MASS_RANGE_2024)))


def _draw_depth(star: Star, edition: str, rng: np.random.Generator, larger: float) -> float:
    """Draw a depth; ``larger`` is added to ln of the planet's radius."""
    if edition == "2024":
        return float(np.clip(np.exp(rng.normal(*_DEPTH_2024) + 2.0 * larger), *_DEPTH_RANGE_2024))
    return float(np.clip((np.exp(rng.normal(*_LN_PLANET_RADIUS) + larger) / star.radius) ** 2, *_DEPTH_RANGE))


def _draw_true_orbit(published: Orbit, depth: float, rng: np.random.Generator) -> Orbit:
    """Scatter the orbit around the published one, within transits that a visit can hold."""
    impact = published.semi_major_axis * np.cos(np.radians(published.inclination))
    redrawn, scatter = _REDRAWN_IMPACT
    if rng.random() < redrawn:
        impact = abs(impact + rng.normal(0.0, scatter))
    impact = min(impact, _LARGEST_IMPACT)
    far_off, far_scatter = _FAR_OFF
    scatter = far_scatter if rng.random() < far_off else _TRUE_AXIS_SCATTER
    axis = published.semi_major_axis * np.exp(rng.normal(0.0, scatter))
    period, ratio = published.period * DAY, np.sqrt(depth)
    duration = float(transit_duration(period, axis, impact, ratio)) / HOUR
    if not _DURATION_RANGE[0] <= duration <= _DURATION_RANGE[1]:
        duration = float(np.clip(duration, *_DURATION_RANGE)) * HOUR
        axis = float(semi_major_axis_from_duration(period, duration, impact, ratio))
    return replace(published, semi_major_axis=float(axis), inclination=float(np.degrees(np.arccos(impact / axis))))


def _draw_brightness(rng: np.random.Generator) -> dict[str, float]:
    """Draw how bright the star is; FGS1 varies more than the temperature explains."""
    airs = float(np.exp(rng.normal(*_LN_BRIGHTNESS)))
    return {AIRS.name: airs, FGS1.name: airs * float(np.exp(rng.normal(*_LN_FGS1_BRIGHTNESS)))}
