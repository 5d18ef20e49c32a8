"""The prior of orbit and limb darkening, from the star table.

The star table is a loose guide: real durations differ from it by up to a factor of two. Without a usable row the
prior is that of a typical transiting giant, and only a/Rs over period matters for a light curve, so that an unknown
period may be set to anything. The impact parameter enters as b^2, in which the light curve is smooth through b = 0;
the moments are those of the square of a normal b,

    E[b^2] = b0^2 + s^2,   Var[b^2] = 4 b0^2 s^2 + 2 s^4.

The fit's orbit is circular. Where the table gives an eccentricity, a/Rs is that of the circular orbit of the same speed
at transit: its prior is shifted and widened by what an unknown periastron does to the speed, and that of b, which is
the distance at transit and goes with 1 / speed, is widened by as much.
"""

import math
from dataclasses import dataclass

from spectramind_kit.flags import Flag, Flags
from spectramind_kit.products import Planet
from spectramind_kit.settings.fit import FitConfig
from spectramind_kit.transit.orbit import transit_speed

DAY = 86400.0
_TYPICAL_PERIOD = 4.0
"""[d]"""
_TYPICAL_SEMI_MAJOR_AXIS = 10.0
"""[R_star]"""
_TYPICAL_IMPACT_PARAMETER = 0.3
_TYPICAL_TEMPERATURE = 5500.0
"""[K]"""
_LOOSER = 1.6
"""Scatter of a typical planet's prior over that of a tabulated one."""


@dataclass(frozen=True)
class TransitPrior:
    """Gaussian prior of the orbit, and what to expect of the limb darkening.

    Attributes:
        period: [s], held fixed.
        log_axis: mean and standard deviation of ln(a/Rs) [1].
        impact_squared: mean and standard deviation of b^2 [R_star^2].
        temperature: of the star [K].
        darkening_scatter: of the quadratic coefficients [1].
        flags: what was missing.
    """

    period: float
    log_axis: tuple[float, float]
    impact_squared: tuple[float, float]
    temperature: float
    darkening_scatter: float
    flags: Flags


def transit_prior(planet: Planet, config: FitConfig) -> TransitPrior:
    """Return the prior of one planet; numbers that are missing or impossible are replaced and flagged."""
    flags = {}
    period, axis, inclination = _orbit_numbers(planet)
    looser = 1.0
    if period is None:
        flags[Flag.ORBIT_UNKNOWN] = ""
        period, axis, impact, looser = _TYPICAL_PERIOD, _TYPICAL_SEMI_MAJOR_AXIS, _TYPICAL_IMPACT_PARAMETER, _LOOSER
    else:
        impact = min(abs(axis * math.cos(math.radians(inclination))), 1.0)
    temperature = planet.star.temperature if planet.star else math.nan
    darkening_scatter = config.limb_darkening_scatter
    if not (math.isfinite(temperature) and temperature > 0):
        flags[Flag.TEMPERATURE_UNKNOWN] = ""
        temperature, darkening_scatter = _TYPICAL_TEMPERATURE, _LOOSER * darkening_scatter
    # The speed at transit is as uncertain as the periastron; independent errors add in quadrature.
    log_speed, speed_scatter = transit_speed(planet.orbit.eccentricity if planet.orbit else 0.0)
    scatter = math.hypot(looser * config.impact_parameter_scatter, impact * speed_scatter)
    return TransitPrior(
        period=period * DAY,
        log_axis=(math.log(axis) + log_speed, math.hypot(looser * config.semi_major_axis_scatter, speed_scatter)),
        impact_squared=(impact**2 + scatter**2, math.sqrt(4 * impact**2 * scatter**2 + 2 * scatter**4)),
        temperature=temperature,
        darkening_scatter=darkening_scatter,
        flags=flags,
    )


def _orbit_numbers(planet: Planet) -> tuple[float | None, float, float]:
    """Return period [d], a/Rs and inclination [deg]; the period is None where the three make no transiting orbit."""
    if planet.orbit is None:
        return None, math.nan, math.nan
    orbit = planet.orbit
    numbers = (orbit.period, orbit.semi_major_axis, orbit.inclination)
    good = all(math.isfinite(n) and n > 0 for n in numbers) and orbit.semi_major_axis > 1.0
    return numbers if good else (None, math.nan, math.nan)
