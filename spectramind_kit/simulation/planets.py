"""Stars, orbits and sizes of planets as a star table has them, and as they are.

Real fits of published systems find the table's speed a / P right to a few per cent and its impact parameter wrong by
some .17; stars, periods and axes spread like those of the 1,100 real systems, sizes like the real labels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectramind_kit.products import Orbit, Star

DAY, HOUR = 86_400.0, 3_600.0
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
    """Sizes and masses of planets, and how wrong a star table is about them.

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


def draw_star(rng: np.random.Generator) -> Star:
    """Draw a main-sequence star."""
    radius = float(np.clip(np.exp(rng.normal(*_RADIUS)), 0.6, 2.9))
    mass = float(radius**_MASS_OF_RADIUS * np.exp(rng.normal(0.0, _MASS_SCATTER)))
    warm = _SUN * mass**_TEMPERATURE_OF_MASS * float(np.exp(rng.normal(0.0, _TEMPERATURE_SCATTER)))
    return Star(radius, float(np.clip(mass, 0.6, 1.9)), float(np.clip(warm, *_TEMPERATURES)))


def draw_published_impact(axis: float, rng: np.random.Generator) -> float:
    """Return the impact parameter of a table for a planet at ``axis`` [R_star], whatever that is."""
    return abs(float(rng.normal(0.0, 0.38)))


def draw_geometry(
    star: Star,
    population: Population,
    ratio: float,
    rng: np.random.Generator,
    published_impact: Callable[[float, np.random.Generator], float] = draw_published_impact,
) -> tuple[Orbit, float, float]:
    """Return the orbit of the table, the true semi-major axis [R_star] and impact parameter; a visit holds the transit.

    Args:
        star: the host.
        population: how wrong the table is.
        ratio: radius of the planet [R_star].
        rng: source of every random draw.
        published_impact: draws the table's impact parameter, given the semi-major axis [R_star].
    """
    while True:
        period = float(rng.uniform(*_PERIOD))
        scatter = float(np.exp(rng.normal(0.0, _AXIS_SCATTER)))
        axis = _AXIS_OF_KEPLER * star.mass ** (1 / 3) * period ** (2 / 3) / star.radius * scatter
        published = published_impact(axis, rng)
        # Student's t of 4 degrees of freedom has variance 2: few tables are very wrong.
        impact = abs(published + population.impact_error * float(rng.standard_t(4)) / np.sqrt(2.0))
        speed = float(np.exp(population.speed_error * rng.standard_normal()))
        if published >= _LARGEST_IMPACT or impact >= _LARGEST_IMPACT:
            continue
        half = float(np.sqrt((1.0 + ratio) ** 2 - impact**2))
        duration = period * DAY / np.pi * half / (axis * speed) / HOUR
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
