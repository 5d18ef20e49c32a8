"""Planets of a random world: what the star table says about them, and what is there."""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS
from spectramind_kit.products import Planet, Star
from spectramind_kit.simulation.distributions import log_uniform
from spectramind_kit.simulation.opacity import Air, Airs
from spectramind_kit.simulation.planets import DAY, Population
from spectramind_kit.simulation.starlight import airs_wavelengths, label_wavelengths


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
        return self.planet.orbit.period * DAY

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
