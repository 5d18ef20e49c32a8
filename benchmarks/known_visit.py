"""A simulated visit in memory whose light is known: what benchmarks compare measurements with.

Everything the simulator puts in is drawn as for a folder on disk, but the light that fell on the detector is kept,
and only the pixels that the photometry reads are exposed.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.paths import bin_decoded_pixels
from spectramind_kit.calibration.pixel_bins import PixelBins, mean_between
from spectramind_kit.competition.frames import DecodedPixels
from spectramind_kit.config import Config
from spectramind_kit.instruments import AIRS, FGS1
from spectramind_kit.photometry.binning import bin_edges
from spectramind_kit.photometry.jitter import moment_weights
from spectramind_kit.photometry.window import aperture, photometric_pixels
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.cadence import Cadence
from spectramind_kit.simulation.calibration_frames import draw_calibration_frames
from spectramind_kit.simulation.detector import draw_cosmic_rays, read_out
from spectramind_kit.simulation.simulated_folder import channel_cadences
from spectramind_kit.simulation.system import SimulatedSystem, draw_mid_transit, draw_system
from spectramind_kit.simulation.tables import ADC
from spectramind_kit.simulation.visit import ChannelLight, brightest_allowed, channel_light, transit_curves


@dataclass(frozen=True)
class KnownChannel:
    """One channel of a visit: what was read, and what fell on it.

    Attributes:
        cadence: its reads.
        frames: calibration tables.
        light: on every pixel of the detector.
        transit: (n_column or 1, n_exposure), 1 out of transit.
        pixels: the counts of the pixels that the photometry reads.
    """

    cadence: Cadence
    frames: CalibrationFrames
    light: ChannelLight
    transit: np.ndarray
    pixels: DecodedPixels

    @property
    def mid_times(self) -> np.ndarray:
        """(n_exposure,) [s]."""
        return exposure_mid_times(self.pixels.time, self.cadence.channel.exposure_time)

    def binned_truth(self, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the star's light [e-] and the transit in time bins, (n_wavelength, n_time) each."""
        bounds = np.searchsorted(self.mid_times, edges)
        window = slice(*AIRS.science_columns) if self.cadence.channel == AIRS else slice(None)
        return mean_between(self.light.star[window], bounds), mean_between(self.transit[window], bounds)

    def aperture_noise(self, config: Config) -> np.ndarray:
        """Return the relative noise of one exposure summed over the aperture, photons and reads, (n_wavelength,)."""
        channel, window = self.cadence.channel, slice(*self.cadence.channel.science_columns)
        inside = aperture(channel.name, config.photometry)
        star = self.light.star.mean(axis=1)
        image = self.light.image[:, window] * (star[window] if channel == AIRS else star)
        dark = self.frames.dark[:, window] * channel.exposure_time
        noise = image + self.light.foreground[window] + dark + 2.0 * self.frames.read_noise[:, window] ** 2
        total, variance = (np.where(inside, values, 0.0).sum(axis=0) for values in (image, noise))
        if channel == FGS1:
            total, variance = total.sum(keepdims=True), variance.sum(keepdims=True)
        return np.sqrt(variance / self.cadence.n_average) / total


class MirroredNoise(np.random.Generator):
    """A source of random numbers whose normal ones have the other sign."""

    def standard_normal(self, *args, **options) -> np.ndarray:
        return -super().standard_normal(*args, **options)


def simulate_known_visit(
    config: Config, seed: int, edition: str = "2025", mirrored: bool = False
) -> dict[str, KnownChannel]:
    """Simulate both channels of one visit of a random planet of an edition.

    Visits of the same seed, one of them mirrored, differ in the sign of photon and read noise alone: what is
    linear in the noise cancels in their mean, and a bias shows that would drown in the noise of either.
    """
    rng = np.random.default_rng(seed)
    system = draw_system(seed + 10_000, rng, edition)
    mid_transit = draw_mid_transit(rng)
    return {
        name: _simulate_channel(system, mid_transit, cadence, config, ADC[edition][name], rng, mirrored)
        for name, cadence in channel_cadences(config.simulation).items()
    }


def visit_edges(visit: dict[str, KnownChannel], config: Config) -> np.ndarray:
    """Return the edges of the time bins (n_time + 1,) [s]."""
    return bin_edges(visit[AIRS.name].mid_times, config.photometry.bin_seconds)


def bin_known(known: KnownChannel, edges: np.ndarray, config: Config) -> PixelBins:
    """Calibrate and bin a channel as the pipeline does."""
    pixels = known.pixels
    weight = moment_weights(pixels.channel, pixels.row, pixels.column, config.photometry)
    bounds = np.searchsorted(known.mid_times, edges)
    return bin_decoded_pixels(pixels, known.frames, config.calibration, bounds, weight, config.photometry.path)


def _simulate_channel(
    system: SimulatedSystem,
    mid_transit: float,
    cadence: Cadence,
    config: Config,
    adc: tuple[float, float],
    rng: np.random.Generator,
    mirrored: bool,
) -> KnownChannel:
    channel, simulation, (gain, offset) = cadence.channel, config.simulation, adc
    frames = draw_calibration_frames(channel, gain, offset, simulation.read_noise, rng)
    light = channel_light(system, mid_transit, cadence, simulation, brightest_allowed(channel, gain, offset), rng)
    hits = draw_cosmic_rays(channel.n_pixel, cadence.n_pair, simulation.cosmic_rays, rng)
    row, column = photometric_pixels(channel.name, config.photometry)
    noise = (MirroredNoise if mirrored else np.random.Generator)(rng.spawn(1)[0].bit_generator)
    series = []
    for r in np.unique(row):
        columns = column[row == r]
        pixels = frames.at(np.full(len(columns), r), columns)
        exposed = light.on_row(r)[columns]
        counts = read_out(
            exposed, pixels, channel, _hits_on(hits, r, columns, channel.n_column), cadence.n_average, noise
        )
        series += [pl.Series(f"column_{r * channel.n_column + c}", pixel) for c, pixel in zip(columns, counts)]
    decoded = DecodedPixels(channel.name, pl.DataFrame(series), row, column, cadence.frame_times())
    return KnownChannel(cadence, frames, light, transit_curves(system, channel, mid_transit, cadence), decoded)


def _hits_on(hits: tuple[np.ndarray, np.ndarray], row: int, columns: np.ndarray, n_column: int) -> tuple:
    """Return index into ``columns`` and exposure of the cosmic rays that hit some pixels of a row."""
    pixel, exposure = hits
    struck = (pixel // n_column == row) & np.isin(pixel % n_column, columns)
    return np.searchsorted(columns, pixel[struck] % n_column), exposure[struck]
