"""A population of test planets that is not the training planets': hotter stars, smaller planets, other air.

The 2024 edition did this on purpose (other stars, molecules that no training planet had), and nobody outside
knows whether a hidden test set does. At strength 1 every mean moves by about half to one of the spreads that
``system`` and ``spectrum`` draw with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_LOG_TEMPERATURE = 0.05
_LOG_PLANET_RADIUS = -0.10
_CLOUD = 1.0
_HAZE = 1.0
_ABUNDANCE = {"H2O": -1.5, "CO2": 2.0, "CH4": -2.0, "CO": 2.0, "NH3": 1.5}


@dataclass(frozen=True)
class PopulationShift:
    """What is added to the means of a population.

    Attributes:
        log_temperature: to ln of the star's effective temperature.
        log_planet_radius: to ln of the planet's radius.
        cloud: to ln of its opacity.
        haze: to ln of its opacity.
        abundance: to ln of each molecule's opacity.
    """

    log_temperature: float
    log_planet_radius: float
    cloud: float
    haze: float
    abundance: Mapping[str, float]


def population_shift(strength: float = 0.0) -> PopulationShift:
    """Return a shift; strength 0 moves nothing."""
    return PopulationShift(
        log_temperature=strength * _LOG_TEMPERATURE,
        log_planet_radius=strength * _LOG_PLANET_RADIUS,
        cloud=strength * _CLOUD,
        haze=strength * _HAZE,
        abundance={molecule: strength * change for molecule, change in _ABUNDANCE.items()},
    )
