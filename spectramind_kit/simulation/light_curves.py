"""Light curves without pixels: what simulate, calibrate and extract would give, in a small part of the time.

The light is the pixel simulator's own (``visit.light_on_pixels``); detector, calibration and photometry are replaced by
what they do to means and noise (``aperture``). Left out: residuals of cosmic rays, bad pixels and the foreground's
error, which are small beside the noise. This is where training planets without end come from.
"""

from collections.abc import Iterator

import numpy as np

from spectramind_kit.config import Config, SimulationConfig
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.products import LightCurves, Planet
from spectramind_kit.settings.photometry import PhotometryConfig
from spectramind_kit.simulation.aperture import channel_aperture, extraction_weights, measured
from spectramind_kit.simulation.cadence import Cadence, exposure_instants
from spectramind_kit.simulation.disturbances import Disturbances, draw_disturbances
from spectramind_kit.simulation.observed_transit import observed_transit
from spectramind_kit.simulation.starlight import label_wavelengths
from spectramind_kit.simulation.system import SimulatedSystem, draw_mid_transit, draw_system
from spectramind_kit.simulation.tables import ADC
from spectramind_kit.simulation.visit import brightest_allowed, column_wavelengths, light_on_pixels

_INSTANTS = 3
"""Moments of a time bin over which the transit is averaged."""
_EDITION = "2025"
_STREAM = 3
"""Keeps these planets' random numbers apart from those of the splits of a folder."""


def simulate_light_curves(
    system: SimulatedSystem,
    mid_transit: float,
    simulation: SimulationConfig,
    photometry: PhotometryConfig,
    rng: np.random.Generator,
    disturbances: Disturbances | None = None,
    visit: int = 0,
) -> LightCurves:
    """Simulate the light curves of one visit, on the time bins that full frames would be binned to.

    Args:
        system: star and planet.
        mid_transit: when the middle of the transit falls in the visit [s].
        simulation: sizes of the effects; how frames are averaged does not matter.
        photometry: aperture, extraction and time bins.
        rng: source of every random draw.
        disturbances: what the fit's model leaves out, from ``draw_disturbances``; nothing if not given.
        visit: number of the visit.
    """
    n_airs = max(1, round(photometry.bin_seconds / AIRS.pair_period))
    seconds = n_airs * AIRS.pair_period
    cadences = [Cadence(channel, round(seconds / channel.pair_period)) for channel in (FGS1, AIRS)]
    parts = [_channel(system, mid_transit, c, simulation, photometry, rng, disturbances) for c in cadences]
    (fgs1, fgs1_error, fgs1_series), (airs, airs_error, airs_series) = parts
    series = fgs1_series | airs_series
    flux, error = np.vstack([fgs1, airs[::-1]]), np.concatenate([fgs1_error, airs_error[::-1]])
    return LightCurves(
        planet_id=system.planet.planet_id,
        visit=visit,
        time=cadences[1].mid_times(),
        bin_seconds=seconds,
        flux=flux.T,
        flux_err=np.tile(error, (flux.shape[1], 1)),
        wavelength=label_wavelengths(),
        regressors=np.column_stack(list(series.values())),
        regressor_names=tuple(series),
    )


def simulate_training_planets(
    n: int, config: Config, seed: int, first: int = 0
) -> Iterator[tuple[Planet, list[LightCurves], np.ndarray]]:
    """Yield planets as a training set has them: what the star table holds, light curves of each visit, label (283,).

    Every planet has random numbers of its own, derived from the seed and its number, so any range of them can be made
    anywhere. The population is the training planets': ``simulation.test_shift`` has no effect.

    Args:
        n: planets.
        config: simulation and photometry.
        seed: rules every random draw.
        first: number of the first planet.
    """
    for index in range(first, first + n):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_STREAM, index)))
        system = draw_system(index, rng, _EDITION, config.simulation)
        n_visit = 2 if rng.random() < config.simulation.two_visit_fraction else 1
        visits = [_visit(system, config, rng, visit) for visit in range(n_visit)]
        yield system.planet, visits, system.label(_EDITION)


def _visit(system: SimulatedSystem, config: Config, rng: np.random.Generator, visit: int) -> LightCurves:
    mid_transit, disturbances = draw_mid_transit(rng), draw_disturbances(system, config.simulation, rng)
    return simulate_light_curves(system, mid_transit, config.simulation, config.photometry, rng, disturbances, visit)


def _channel(
    system: SimulatedSystem,
    mid_transit: float,
    cadence: Cadence,
    simulation: SimulationConfig,
    photometry: PhotometryConfig,
    rng: np.random.Generator,
    disturbances: Disturbances | None,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return flux (n_wavelength, n_time) [e-] in detector order, its error (n_wavelength,), and the pointing series."""
    channel = cadence.channel
    transit = _transit(system, mid_transit, cadence, disturbances)
    own = disturbances.channels[channel.name] if disturbances else None
    brightest = brightest_allowed(channel, *ADC[_EDITION][channel.name])
    light = light_on_pixels(system, transit, cadence, simulation, brightest, rng, own)
    aperture = channel_aperture(light, cadence, photometry)
    variance = aperture.variance(simulation.read_noise) / cadence.n_average
    weights = extraction_weights(aperture, variance, photometry.extraction)
    flux, series = measured(aperture, channel.name, weights, variance, rng)
    return flux, np.sqrt((weights**2 * variance).sum(axis=0)), series


def _transit(
    system: SimulatedSystem, mid_transit: float, cadence: Cadence, disturbances: Disturbances | None
) -> np.ndarray:
    """Return the transit in the time bins, (n_column, n_time), or (1, n_time) for FGS1."""
    crossed = disturbances.crossed_spot if disturbances else None
    times = exposure_instants(cadence.mid_times(), cadence.stored_exposure, _INSTANTS)
    return observed_transit(
        system, cadence.channel.name, column_wavelengths(cadence.channel), mid_transit, times, crossed
    )
