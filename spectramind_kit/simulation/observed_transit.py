"""The transit as it is observed: before a limb-darkened star, which may have spots."""

import numpy as np

from spectramind_kit.simulation.darkening_law import DarkeningLaw
from spectramind_kit.simulation.planets import DAY
from spectramind_kit.simulation.radial_transit import radial_transit
from spectramind_kit.simulation.star_spots import CrossedSpot, crossed_area, spotted
from spectramind_kit.simulation.system import SimulatedSystem


def observed_transit(
    system: SimulatedSystem,
    channel: str,
    wavelength: np.ndarray,
    mid_transit: float,
    instants: np.ndarray,
    crossed: CrossedSpot | None = None,
) -> np.ndarray:
    """Return the transit averaged over exposures, (n_wavelength, n_time), 1 out of transit.

    Args:
        system: star and planet.
        channel: whose limb darkening counts.
        wavelength: (n_wavelength,) [um].
        mid_transit: middle of the transit [s].
        instants: (n_time, n_instant) [s].
        crossed: a spot on the planet's way.
    """
    star = system.star
    law = system.darkening.law(star, channel, wavelength)
    along, across = sky_position(system, mid_transit, instants)
    flux = radial_transit(np.hypot(along, across), system.depths(wavelength), law)
    if system.spots is None:
        return flux
    within = np.zeros_like(flux) if crossed is None else _crossed_light(system, crossed, law, along, across)
    deepening, contrast = (f(star.temperature, wavelength) for f in (system.spots.deepening, system.spots.contrast))
    return spotted(flux, deepening, contrast, within)


def sky_position(system: SimulatedSystem, mid_transit: float, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the planet's place along and across its way before the star [R_star]; infinite along it while behind."""
    phase = 2.0 * np.pi * (time - mid_transit) / (system.orbit.period * DAY)
    along = np.where(np.cos(phase) > 0.0, system.orbit.semi_major_axis * np.sin(phase), np.inf)
    return along, system.impact_parameter * np.cos(phase)


def _crossed_light(
    system: SimulatedSystem, crossed: CrossedSpot, law: DarkeningLaw, along: np.ndarray, across: np.ndarray
) -> np.ndarray:
    """Return the fraction of the star's light that planet and crossed spot both cover, (n_wavelength, n_time)."""
    area, mu = crossed_area(crossed, along, across, system.impact_parameter, np.sqrt(system.depth))
    return law.intensity(np.array([[mu]])) / law.disc_light[:, None] * area
