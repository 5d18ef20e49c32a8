"""One visit of one channel: the light that falls on every pixel, read out to counts.

    light(pixel, t) = star(column, t) [P(pixel) + x(t) dP/dx(pixel)] + foreground(column)
    star(column, t) = electrons(column) transit(column, t) [1 + f(t) g(column)] [1 + s(t) h(column)] [1 + r(t)]

with the image P, the pointing x, the drift f g, and if asked for ramps and cycles s h, and red noise r.
Jitter is drawn for every real exposure and averaged like the exposures; the transit is averaged over the time a stored
exposure spans.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.config import SimulationConfig
from spectramind_kit.instruments import AIRS, FGS1, FGS1_WAVELENGTH, Channel
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence, exposure_instants
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames
from spectramind_kit.simulation.detector import draw_cosmic_rays, read_out
from spectramind_kit.simulation.disturbances import ChannelDisturbances, Disturbances
from spectramind_kit.simulation.drift import draw_drift
from spectramind_kit.simulation.observed_transit import observed_transit
from spectramind_kit.simulation.optics import airs_image, fgs1_image
from spectramind_kit.simulation.pointing import oscillating_jitter, white_jitter
from spectramind_kit.simulation.star_spots import CrossedSpot
from spectramind_kit.simulation.starlight import (
    airs_electrons,
    airs_wavelengths,
    fgs1_electrons,
    foreground_per_pixel,
)
from spectramind_kit.simulation.system import SimulatedSystem

_INSTANTS = 5
"""Moments of a stored exposure over which the transit is averaged, if it is the mean of several."""
_HEADROOM = 0.88
"""Largest fraction of the full well, or of the converter's range, that the brightest pixel may fill."""
_FOREGROUND_SCATTER = 0.4
_FOREGROUND_TILT = 0.3


@dataclass(frozen=True)
class ChannelLight:
    """Light on a channel's pixels over a visit.

    Attributes:
        star: electrons per exposure summed over the rows, (n_column, n_pair), or (1, n_pair) for one spot [e-].
        image: fraction of the star's light in each pixel, (n_row, n_column).
        slopes: change of the image per pixel of shift, (n_axis, n_row, n_column).
        shift: pointing, (n_axis, n_pair) [pixel].
        foreground: (n_column,) [e- per pixel and exposure].
    """

    star: np.ndarray
    image: np.ndarray
    slopes: np.ndarray
    shift: np.ndarray
    foreground: np.ndarray

    def on_row(self, row: int) -> np.ndarray:
        """Return the light of one detector row, (n_column, n_pair) float32 [e- per exposure]."""
        fraction = self.image[row].astype(np.float32)[:, None]
        for slope, shift in zip(self.slopes, self.shift):
            fraction = fraction + slope[row].astype(np.float32)[:, None] * shift.astype(np.float32)
        light = fraction * self.star
        light += self.foreground.astype(np.float32)[:, None]
        return np.maximum(light, 0.0, out=light)


def simulate_channel(
    system: SimulatedSystem,
    mid_transit: float,
    cadence: Cadence,
    config: SimulationConfig,
    adc: tuple[float, float],
    rng: np.random.Generator,
    disturbances: Disturbances | None = None,
) -> tuple[np.ndarray, CalibrationFrames]:
    """Simulate one channel of one visit.

    Args:
        system: star and planet.
        mid_transit: when the middle of the transit falls in the visit [s].
        cadence: the channel's reads.
        config: sizes of the effects.
        adc: gain [ADU/e-] and offset [e-].
        rng: source of every random draw.
        disturbances: of the visit, if it has any.

    Returns:
        Counts (n_pixel, n_frame) uint16, pixels row by row, and the calibration tables the detector obeys.
    """
    channel = cadence.channel
    gain, offset = adc
    frames = draw_calibration_frames(channel, gain, offset, config.read_noise, rng)
    brightest = brightest_allowed(channel, gain, offset)
    light = channel_light(system, mid_transit, cadence, config, brightest, rng, disturbances)
    pixel, exposure = draw_cosmic_rays(channel.n_pixel, cadence.n_pair, config.cosmic_rays, rng)
    columns = np.arange(channel.n_column)
    counts = np.empty((channel.n_row, channel.n_column, 2 * cadence.n_pair), dtype=np.uint16)
    for row in range(channel.n_row):
        here = pixel // channel.n_column == row
        hits = pixel[here] % channel.n_column, exposure[here]
        pixels = frames.at(np.full(channel.n_column, row), columns)
        counts[row] = read_out(light.on_row(row), pixels, channel, hits, cadence.n_average, rng)
    return counts.reshape(channel.n_pixel, -1), frames


def channel_light(
    system: SimulatedSystem,
    mid_transit: float,
    cadence: Cadence,
    config: SimulationConfig,
    brightest: float,
    rng: np.random.Generator,
    disturbances: Disturbances | None = None,
) -> ChannelLight:
    """Return the light on a channel's pixels; a star that would give a pixel more than ``brightest`` [e-] is dimmed."""
    crossed = disturbances.crossed_spot if disturbances else None
    transit = transit_curves(system, cadence.channel, mid_transit, cadence, crossed)
    own = disturbances.channels[cadence.channel.name] if disturbances else None
    return light_on_pixels(system, transit, cadence, config, brightest, rng, own)


def light_on_pixels(
    system: SimulatedSystem,
    transit: np.ndarray,
    cadence: Cadence,
    config: SimulationConfig,
    brightest: float,
    rng: np.random.Generator,
    disturbances: ChannelDisturbances | None = None,
) -> ChannelLight:
    """Return the light on a channel's pixels during a transit (n_column, n_pair), as ``channel_light`` does."""
    channel = cadence.channel
    image, slopes = airs_image() if channel == AIRS else fgs1_image()
    electrons = star_electrons(system, channel)
    electrons = electrons * min(1.0, brightest / float((image * electrons).max()))
    fraction = config.foreground * np.exp(rng.normal(0.0, _FOREGROUND_SCATTER))
    n_pixel = channel.n_row if channel == AIRS else channel.n_pixel
    foreground = foreground_per_pixel(electrons, fraction, n_pixel, rng.uniform(-_FOREGROUND_TILT, _FOREGROUND_TILT))
    curves = transit * draw_drift(channel, config.drift, rng).gain(
        cadence.mid_times() / OBSERVATION_TIME, channel_redness(channel)
    )
    shift = draw_pointing(cadence, config, rng)
    if disturbances is not None:
        curves = curves * disturbances.gain(cadence.mid_times(), cadence.stored_exposure, channel_redness(channel))
        shift = shift + _excursions(disturbances, cadence, config)[: len(shift)]
    return ChannelLight(
        star=(electrons[:, None] * curves).astype(np.float32),
        image=image,
        slopes=slopes,
        shift=shift,
        foreground=np.resize(foreground, channel.n_column),
    )


def star_electrons(system: SimulatedSystem, channel: Channel) -> np.ndarray:
    """Return the star's electrons per exposure out of transit: (356,) by column, or (1,) for FGS1's spot [e-]."""
    temperature, brightness = system.star.temperature, system.brightness[channel.name]
    if channel == AIRS:
        return airs_electrons(temperature, brightness)
    return np.array([fgs1_electrons(temperature, brightness)])


def transit_curves(
    system: SimulatedSystem, channel: Channel, mid_transit: float, cadence: Cadence, crossed: CrossedSpot | None = None
) -> np.ndarray:
    """Return the transit at the stored exposures, (n_column, n_pair) or (1, n_pair), 1 out of transit."""
    n_instant = 1 if cadence.n_average == 1 else _INSTANTS
    instants = exposure_instants(cadence.mid_times(), cadence.stored_exposure, n_instant)
    return observed_transit(system, channel.name, column_wavelengths(channel), mid_transit, instants, crossed)


def column_wavelengths(channel: Channel) -> np.ndarray:
    """Return the wavelength of each column of AIRS-CH0, (356,), or of FGS1's spot, (1,) [um]."""
    return airs_wavelengths() if channel == AIRS else np.array([FGS1_WAVELENGTH])


def channel_redness(channel: Channel) -> np.ndarray:
    """Return each column's place from AIRS-CH0's bluest science column, 0, to its reddest, 1, (356,); (1,) for FGS1."""
    if channel == FGS1:
        return np.zeros(1)
    wavelength = airs_wavelengths()
    first, stop = channel.science_columns
    return (wavelength - wavelength[stop - 1]) / (wavelength[first] - wavelength[stop - 1])


def draw_pointing(cadence: Cadence, config: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the pointing of each stored exposure, (n_axis, n_pair) [pixel], as the image's axes need it."""
    if cadence.channel == AIRS:
        return cadence.average(white_jitter(cadence.n_real, config.airs_jitter, rng))[None]
    spacing = cadence.channel.pair_period
    axes = [oscillating_jitter(cadence.n_real, config.fgs1_jitter, spacing, rng) for _ in range(2)]
    return np.stack([cadence.average(axis) for axis in axes])


def _excursions(disturbances: ChannelDisturbances, cadence: Cadence, config: SimulationConfig) -> np.ndarray:
    """Return the shift by pointing excursions at each stored exposure, (2, n_pair) [pixel]."""
    sigma = config.airs_jitter if cadence.channel == AIRS else config.fgs1_jitter
    time = cadence.channel.pair_period * np.arange(cadence.n_real)
    return sigma * cadence.average(disturbances.excursions.at(time))


def brightest_allowed(channel: Channel, gain: float, offset: float) -> float:
    """Return the light per exposure that the brightest pixel may have [e-].

    What it gathers until the second read, light from before the first one included, must stay below the full well
    and within the converter's range.
    """
    return _HEADROOM * min(FULL_WELL, 65535.0 / gain + offset) * channel.exposure_time / channel.read_times[1]
