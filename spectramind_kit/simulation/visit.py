"""One visit of one channel: the light that falls on every pixel, read out to counts.

    light(pixel, t) = star(column, t) [P(pixel) + x(t) dP/dx(pixel)] + foreground(column)
    star(column, t) = electrons(column) transit(column, t) [1 + f(t) g(column)]

with the image P, the pointing x, and the drift f g. Jitter is drawn for every real exposure and averaged like
the exposures; the transit is averaged over the time a stored exposure spans.
"""

from dataclasses import dataclass

import numpy as np
import torch

from spectramind_kit.config import SimulationConfig
from spectramind_kit.instruments import AIRS, FGS1, FGS1_WAVELENGTH, Channel
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.simulation.cadence import OBSERVATION_TIME, Cadence
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames
from spectramind_kit.simulation.detector import draw_cosmic_rays, read_out
from spectramind_kit.simulation.optics import airs_image, fgs1_image
from spectramind_kit.simulation.pointing import drift_colour, drift_shape, oscillating_jitter, white_jitter
from spectramind_kit.simulation.starlight import (
    airs_electrons,
    airs_wavelengths,
    fgs1_electrons,
    foreground_per_pixel,
)
from spectramind_kit.simulation.system import DAY, SimulatedSystem
from spectramind_kit.transit.light_curve import exposure_samples, transit_flux
from spectramind_kit.transit.limb_darkening import quadratic_coefficients
from spectramind_kit.transit.orbit import sky_separation

_INSTANTS = 5
"""Moments of a stored exposure over which the transit is averaged, if it is the mean of several."""
_HEADROOM = 0.88
"""Largest share of the full well, or of the converter's range, that the brightest pixel may fill."""
_DRIFT_SIZE_SCATTER = 0.3
_FOREGROUND_SCATTER = 0.4
_FOREGROUND_TILT = 0.3


@dataclass(frozen=True)
class ChannelLight:
    """Light on a channel's pixels over a visit.

    Attributes:
        star: electrons per exposure summed over the rows, (n_column, n_pair), or (1, n_pair) for one spot [e-].
        image: share of the star's light in each pixel, (n_row, n_column).
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
        share = self.image[row].astype(np.float32)[:, None]
        for slope, shift in zip(self.slopes, self.shift):
            share = share + slope[row].astype(np.float32)[:, None] * shift.astype(np.float32)
        light = share * self.star
        light += self.foreground.astype(np.float32)[:, None]
        return np.maximum(light, 0.0, out=light)


def simulate_channel(
    system: SimulatedSystem,
    mid_transit: float,
    cadence: Cadence,
    config: SimulationConfig,
    adc: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, CalibrationFrames]:
    """Simulate one channel of one visit.

    Args:
        system: star and planet.
        mid_transit: when the middle of the transit falls in the visit [s].
        cadence: the channel's reads.
        config: sizes of the effects.
        adc: gain [ADU/e-] and offset [e-].
        rng: source of every random draw.

    Returns:
        Counts (n_pixel, n_frame) uint16, pixels row by row, and the calibration tables the detector obeys.
    """
    channel = cadence.channel
    gain, offset = adc
    frames = draw_calibration_frames(channel, gain, offset, config.read_noise, rng)
    light = channel_light(system, mid_transit, cadence, config, brightest_allowed(channel, gain, offset), rng)
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
) -> ChannelLight:
    """Return the light on a channel's pixels; a star that would give a pixel more than ``brightest`` [e-] is dimmed."""
    channel = cadence.channel
    image, slopes = airs_image() if channel == AIRS else fgs1_image()
    electrons = star_electrons(system, channel)
    electrons = electrons * min(1.0, brightest / float((image * electrons).max()))
    share = config.foreground * np.exp(rng.normal(0.0, _FOREGROUND_SCATTER))
    n_pixel = channel.n_row if channel == AIRS else channel.n_pixel
    foreground = foreground_per_pixel(electrons, share, n_pixel, rng.uniform(-_FOREGROUND_TILT, _FOREGROUND_TILT))
    curves = transit_curves(system, channel, mid_transit, cadence) * draw_drift(channel, cadence, config.drift, rng)
    return ChannelLight(
        star=(electrons[:, None] * curves).astype(np.float32),
        image=image,
        slopes=slopes,
        shift=draw_pointing(cadence, config, rng),
        foreground=np.resize(foreground, channel.n_column),
    )


def star_electrons(system: SimulatedSystem, channel: Channel) -> np.ndarray:
    """Return the star's electrons per exposure out of transit: (356,) by column, or (1,) for FGS1's spot [e-]."""
    temperature, brightness = system.planet.star.temperature, system.brightness[channel.name]
    if channel == AIRS:
        return airs_electrons(temperature, brightness)
    return np.array([fgs1_electrons(temperature, brightness)])


def transit_curves(system: SimulatedSystem, channel: Channel, mid_transit: float, cadence: Cadence) -> np.ndarray:
    """Return the transit at the stored exposures, (n_column, n_pair) or (1, n_pair), 1 out of transit."""
    wavelength = airs_wavelengths() if channel == AIRS else np.array([FGS1_WAVELENGTH])
    expected = quadratic_coefficients(system.planet.star.temperature, wavelength)
    u = torch.from_numpy(np.clip(expected + system.limb_darkening[channel.name], 0.0, 0.6))
    depth = torch.from_numpy(system.depths(wavelength))
    n_instant = 1 if cadence.n_average == 1 else _INSTANTS
    time = exposure_samples(torch.from_numpy(cadence.mid_times()), cadence.stored_exposure, n_instant)
    separation = sky_separation(
        time,
        torch.tensor(mid_transit, dtype=torch.float64),
        system.orbit.period * DAY,
        torch.tensor(system.orbit.semi_major_axis, dtype=torch.float64),
        torch.tensor(system.impact_parameter, dtype=torch.float64),
    )
    flux = [transit_flux(s[None], depth[:, None], u[:, :1], u[:, 1:]) for s in separation.T]
    return torch.stack(flux).mean(dim=0).numpy()


def draw_drift(channel: Channel, cadence: Cadence, size: float, rng: np.random.Generator) -> np.ndarray:
    """Return the drift 1 + f(t) g(lambda), (n_column or 1, n_pair); each channel has an f of its own."""
    shape = drift_shape(cadence.mid_times(), OBSERVATION_TIME, rng)
    shape = size * np.exp(rng.normal(0.0, _DRIFT_SIZE_SCATTER)) * shape
    if channel == FGS1:
        return 1.0 + shape[None]
    wavelength = airs_wavelengths()
    first, stop = channel.science_columns
    return 1.0 + drift_colour(wavelength, wavelength[stop - 1], wavelength[first])[:, None] * shape


def draw_pointing(cadence: Cadence, config: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the pointing of each stored exposure, (n_axis, n_pair) [pixel], as the image's axes need it."""
    if cadence.channel == AIRS:
        return cadence.average(white_jitter(cadence.n_real, config.airs_jitter, rng))[None]
    spacing = cadence.channel.pair_period
    axes = [oscillating_jitter(cadence.n_real, config.fgs1_jitter, spacing, rng) for _ in range(2)]
    return np.stack([cadence.average(axis) for axis in axes])


def brightest_allowed(channel: Channel, gain: float, offset: float) -> float:
    """Return the light per exposure that the brightest pixel may have [e-].

    What it gathers until the second read, light from before the first one included, must stay below the full well
    and within the converter's range.
    """
    return _HEADROOM * min(FULL_WELL, 65535.0 / gain + offset) * channel.exposure_time / channel.read_times[1]
