"""A world: one choice from every family of physics, a pure function of its seed.

Every family draws from a stream of its own, so that asking for another kind of one leaves the others as they are:
worlds that differ by one family can be compared.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from spectramind_kit.errors import ConfigurationError
from spectramind_kit.products import Planet
from spectramind_kit.random_world import drifts, instrument, limb_darkening, molecules, noise, pointing, spots
from spectramind_kit.random_world.drifts import Drift
from spectramind_kit.random_world.instrument import Instrument
from spectramind_kit.random_world.limb_darkening import LimbDarkening
from spectramind_kit.random_world.noise import Noise
from spectramind_kit.random_world.planets import WorldPlanet, draw_population
from spectramind_kit.random_world.pointing import Pointing
from spectramind_kit.random_world.spots import Spots
from spectramind_kit.simulation import opacity, planets
from spectramind_kit.simulation.competition_writer import SPLITS, draw_planet_ids
from spectramind_kit.simulation.opacity import Airs
from spectramind_kit.simulation.planets import Population

FAMILIES = {
    "drift": drifts.KINDS,
    "pointing": pointing.KINDS,
    "noise": noise.KINDS,
    "limb_darkening": limb_darkening.KINDS,
    "spots": spots.KINDS,
    "detector": instrument.KINDS,
    "planets": opacity.KINDS,
}
"""Kinds of every family, by name."""
_WORLD, _POPULATION, _IDS, _PLANET, _VISIT = 101, 102, 103, 104, 105
"""Streams of random numbers."""


@dataclass(frozen=True)
class World:
    """One world.

    Attributes:
        seed: that it was drawn from.
        drift: slow changes of the gain.
        pointing: how the telescope moves.
        noise: correlated noise.
        limb_darkening: of the stars.
        spots: of the stars.
        detector: images, reads, bad pixels, brightness.
        planets: what their limbs absorb.
        population: sizes of the planets, and errors of the star table.
    """

    seed: int
    drift: Drift
    pointing: Pointing
    noise: Noise
    limb_darkening: LimbDarkening
    spots: Spots
    detector: Instrument
    planets: Airs
    population: Population

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of every family."""
        return {family: getattr(self, family).kind for family in FAMILIES}

    def as_dict(self) -> dict:
        """Return everything that was drawn, as plain values; ``kinds`` first."""
        return {"kinds": self.kinds} | asdict(self)


def draw_world(seed: int, asked: Sequence[str] = ()) -> World:
    """Draw a world.

    Args:
        seed: rules every random draw.
        asked: kinds to take instead of those drawn, each ``family=kind``.

    Raises:
        ConfigurationError: on an unknown family or kind.
    """
    wanted = _parse(asked)
    rng = {name: _stream(seed, _WORLD, place) for place, name in enumerate(FAMILIES)}
    return World(
        seed=seed,
        drift=drifts.draw_drift_family(wanted.get("drift"), rng["drift"]),
        pointing=pointing.draw_pointing_family(wanted.get("pointing"), rng["pointing"]),
        noise=noise.draw_noise_family(wanted.get("noise"), rng["noise"]),
        limb_darkening=limb_darkening.draw_darkening_family(wanted.get("limb_darkening"), rng["limb_darkening"]),
        spots=spots.draw_spot_family(wanted.get("spots"), rng["spots"]),
        detector=instrument.draw_instrument_family(wanted.get("detector"), rng["detector"]),
        planets=molecules.draw_air_family(wanted.get("planets"), rng["planets"]),
        population=draw_population(_stream(seed, _POPULATION)),
    )


def draw_planets(world: World, n_train: int, n_test: int) -> dict[str, list[WorldPlanet]]:
    """Return the planets of each split; a longer split starts with the same ones."""
    ids = draw_planet_ids(n_train + n_test, _stream(world.seed, _IDS))
    splits = {"train": ids[:n_train], "test": ids[n_train:]}
    return {
        split: [draw_planet(world, planet_id, split, index) for index, planet_id in enumerate(own)]
        for split, own in splits.items()
    }


def draw_planet(world: World, planet_id: int, split: str, index: int) -> WorldPlanet:
    """Return one planet of a split, by its place there; the id is a name only."""
    rng = _stream(world.seed, _PLANET, SPLITS.index(split), index)
    population, surface = world.population, rng.spawn(1)[0]
    star = planets.draw_star(rng)
    depth = planets.draw_depth(star, population, rng)
    orbit, axis, impact = planets.draw_geometry(star, population, float(np.sqrt(depth)), rng)
    mass = population.mass * float(np.exp(population.mass_scatter * rng.standard_normal()))
    height = planets.scale_height(star, mass, depth, axis, population.cooler)
    return WorldPlanet(
        planet=Planet(planet_id, star=star, orbit=orbit, mass=mass),
        semi_major_axis=axis,
        impact=impact,
        depth=depth,
        air=world.planets.draw_air(height, rng),
        airs=world.planets,
        darkening=tuple(float(o) for o in world.limb_darkening.draw_offsets(surface)),
        covering=world.spots.draw_covering(surface),
        brightness=world.detector.draw_brightness(surface),
    )


def visit_stream(world: World, split: str, index: int, visit: int) -> np.random.Generator:
    """Return the source of everything that happens in one visit of a planet."""
    return _stream(world.seed, _VISIT, SPLITS.index(split), index, visit)


def number_of_visits(world: World, split: str, index: int, two_visit_fraction: float) -> int:
    """Return how often a planet was observed: once or twice."""
    return 2 if visit_stream(world, split, index, 99).random() < two_visit_fraction else 1


def _parse(asked: Sequence[str]) -> dict[str, str]:
    pairs = {item.partition("=")[0]: item.partition("=")[2] for item in asked}
    for family in pairs:
        if family not in FAMILIES:
            raise ConfigurationError("family of a random world", wanted=sorted(FAMILIES), got=repr(family))
    return pairs


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
