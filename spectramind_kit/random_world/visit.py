"""One visit in a random world: what happens to the light, and the counts that are read.

    light(pixel, t) = star(column, t) [P(pixel) + sum_axis x(t) dP/dx(pixel)] + foreground(column)
    star(column, t) = electrons(column) transit(column, t) (1 + drift) (1 + pointing) (1 + noise)

with the image P and the motion x.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import AIRS, CHANNELS, FGS1_WAVELENGTH
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.random_world.disc import transit_flux
from spectramind_kit.random_world.planets import WorldPlanet
from spectramind_kit.random_world.spots import Crossing
from spectramind_kit.random_world.timeline import exposure_middles, on_exposures, pointing_on_exposures
from spectramind_kit.random_world.world import World
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence, exposure_instants
from spectramind_kit.simulation.detector import draw_cosmic_rays, read_out
from spectramind_kit.simulation.planets import draw_mid_time
from spectramind_kit.simulation.starlight import airs_wavelengths

_INSTANTS = 7
"""Moments of a stored exposure over which the transit is averaged, if it is the mean of several."""
_FOREGROUND_SCATTER = 0.4


@dataclass(frozen=True)
class VisitTruth:
    """What happens in one visit.

    Attributes:
        mid_time: middle of the transit [s].
        drift: curves in units of the world's size, (n_curve, N_SLOW) [1].
        noise: series in units of the world's size, (n_series, N_SLOW) [1].
        motion: pointing by channel, (2, N_FAST) [pixel].
        foreground: additive light over the star's, by channel.
        crossing: the spot that is crossed, if one is.
    """

    mid_time: float
    drift: np.ndarray
    noise: np.ndarray
    motion: dict[str, np.ndarray]
    foreground: dict[str, float]
    crossing: Crossing | None

    def gain(self, world: World, wavelength: np.ndarray, cadence: Cadence) -> np.ndarray:
        """Return what multiplies the star's light, (n_wavelength, n_pair) [1]."""
        drift = world.drift.colours(wavelength).T @ on_exposures(self.drift, cadence)
        noise = world.noise.colours(wavelength).T @ on_exposures(self.noise, cadence)
        moved = pointing_on_exposures(self.motion[cadence.channel.name], cadence)
        coupling = world.pointing.couplings(cadence.channel.name, wavelength)
        return (1.0 + drift) * (1.0 + noise) * (1.0 + coupling.T @ moved)


def draw_visit(world: World, planet: WorldPlanet, rng: np.random.Generator) -> VisitTruth:
    """Draw what happens in one visit; every effect has a stream of its own."""
    drift, noise, pointing, spot, rest = rng.spawn(5)
    scatter = np.exp(_FOREGROUND_SCATTER * rest.standard_normal(2))
    return VisitTruth(
        mid_time=draw_mid_time(rest, OBSERVATION_TIME),
        drift=world.drift.draw_curves(world.drift.n_curve, drift),
        noise=world.noise.draw_series(world.noise.n_series, noise),
        motion=world.pointing.draw_motion(pointing),
        foreground={name: float(world.detector.foreground * s) for name, s in zip(CHANNELS, scatter)},
        crossing=world.spots.draw_crossing(planet.impact, float(np.sqrt(planet.depth)), spot),
    )


def column_wavelengths(name: str) -> np.ndarray:
    """Return the wavelength of each column of AIRS-CH0, or of FGS1's spot, (n,) [um]."""
    return airs_wavelengths() if name == AIRS.name else np.array([FGS1_WAVELENGTH])


def observed_transit(
    world: World,
    planet: WorldPlanet,
    mid_time: float,
    wavelength: np.ndarray,
    instants: np.ndarray,
    crossing: Crossing | None = None,
) -> np.ndarray:
    """Return the transit averaged over exposures, (n_wavelength, n_time), one out of transit.

    Args:
        world: says how stars are darkened and spotted.
        planet: that passes.
        mid_time: middle of the transit [s].
        wavelength: (n_wavelength,) [um].
        instants: moments of each exposure (n_time, n_instant) [s].
        crossing: a spot on the way.
    """
    phase = 2.0 * np.pi * (instants - mid_time) / planet.period
    x = np.where(np.cos(phase) > 0.0, planet.semi_major_axis * np.sin(phase), np.inf)
    y = planet.impact * np.cos(phase)
    law = world.limb_darkening.law(planet.star, wavelength, np.array(planet.darkening))
    flux = transit_flux(np.hypot(x, y), np.sqrt(planet.depths(wavelength)), law)
    if crossing is not None:
        dark = 1.0 - world.spots.contrast(planet.star.temperature, wavelength)
        flux = flux + dark[:, None] * crossing.hidden_share(x, y, float(np.sqrt(planet.depth)), law)
    if planet.covering == 0.0:
        return flux
    return world.spots.dimmed(flux, planet.covering, planet.star.temperature, wavelength)


def simulate_counts(
    world: World,
    planet: WorldPlanet,
    truth: VisitTruth,
    cadence: Cadence,
    adc: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, CalibrationFrames]:
    """Simulate one channel of one visit.

    Args:
        world: whose physics holds.
        planet: that is observed.
        truth: what happens in the visit.
        cadence: the channel's reads.
        adc: gain [ADU/e-] and offset [e-].
        rng: source of photons, reads, cosmic rays and calibration tables.

    Returns:
        Counts (n_pixel, n_frame) uint16, pixels row by row, and the calibration tables.
    """
    channel, name = cadence.channel, cadence.channel.name
    wavelength = column_wavelengths(name)
    electrons = world.detector.electrons(name, planet.star.temperature, planet.brightness, adc)
    n_instant = 1 if cadence.n_average == 1 else _INSTANTS
    instants = exposure_instants(exposure_middles(cadence), cadence.stored_exposure, n_instant)
    transit = observed_transit(world, planet, truth.mid_time, wavelength, instants, truth.crossing)
    star = (electrons[:, None] * transit * truth.gain(world, wavelength, cadence)).astype(np.float32)
    image, motion = world.detector.image(name), pointing_on_exposures(truth.motion[name], cadence).astype(np.float32)
    # FGS1's whole detector shares one spot's light; a column of AIRS-CH0 has its own.
    n_lit = channel.n_row if name == AIRS.name else channel.n_pixel
    foreground = np.resize(truth.foreground[name] * electrons / n_lit, channel.n_column).astype(np.float32)
    frames = world.detector.draw_frames(name, adc, rng)
    pixel, exposure = draw_cosmic_rays(channel.n_pixel, cadence.n_pair, world.detector.cosmic_rays, rng)
    columns = np.arange(channel.n_column)
    counts = np.empty((channel.n_row, channel.n_column, 2 * cadence.n_pair), dtype=np.uint16)
    for row in range(channel.n_row):
        share = image.share[row].astype(np.float32)[:, None]
        for slope, shift in zip(image.slopes, motion):
            share = share + slope[row].astype(np.float32)[:, None] * shift
        light = np.maximum(share * star + foreground[:, None], 0.0)
        here = pixel // channel.n_column == row
        hits = pixel[here] % channel.n_column, exposure[here]
        pixels = frames.at(np.full(channel.n_column, row), columns)
        counts[row] = read_out(light, pixels, channel, hits, cadence.n_average, rng)
    return counts.reshape(channel.n_pixel, -1), frames
