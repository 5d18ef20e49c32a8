"""The detectors of a random world: images, foreground, reads, cosmic rays, bad pixels, brightness.

AIRS-CH0's column is a Gaussian core and Moffat wings along the rows; FGS1's spot two elliptical Gaussians and wings.
The chain from light to counts is the detector simulation's own (``simulation.detector``), which no fit knows.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import erf

from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, Channel
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.random_world.kinds import draw_kind
from spectramind_kit.simulation.calibration_frames import FULL_WELL, draw_calibration_frames
from spectramind_kit.simulation.distributions import log_uniform, log_uniform_array
from spectramind_kit.simulation.starlight import airs_electrons, airs_wavelengths, fgs1_electrons

KINDS = ("sharp", "broad", "lopsided")
_CORE = {"sharp": (0.6, 1.0), "broad": (1.2, 2.0), "lopsided": (0.8, 1.5)}
"""Standard deviation of the cores, by kind [pixel]."""
_SECOND_READS = (4.6, 4.7)
_FILLED = 0.86
"""Largest share of what a pixel and the converter can hold that the brightest pixel takes at its second read."""
_HOT_DARK = (0.1, 25.0)
_STEP = 0.02
_MIDDLE = 15.5


@dataclass(frozen=True)
class Image:
    """An image and how it moves.

    Attributes:
        share: of the star's light in each pixel, (n_row, n_column).
        slopes: change of the share per pixel of motion along rows and columns, (n_axis, n_row, n_column) [1/pixel].
    """

    share: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True)
class Instrument:
    """The detectors of a world.

    Attributes:
        kind: one of ``KINDS``.
        core: standard deviations of AIRS-CH0's core at its blue and red end, of FGS1's along rows and columns [pixel].
        wing_share: of the light that is in the Moffat wings (1 + (d / width)^2)^-power, AIRS-CH0 then FGS1.
        wing_width: of the same [pixel].
        wing_power: of the same.
        lobe: place of FGS1's second Gaussian from the first, rows and columns [pixel], and its share.
        centre: rows of the two images [pixel].
        foreground: additive light over the star's.
        cosmic_rays: hits per visit and channel.
        linearity: size of the non-linearity over that of the real detectors.
        hot: share of pixels that are hot beside those of the real detectors.
        dead: likewise of dead ones.
        second_read: time of AIRS-CH0's second read since reset [s].
        read_noise: [e-].
        brightness: median electrons over those of the anchor star of the same temperature.
        brightness_scatter: of its logarithm.
        tilt: relative change of AIRS-CH0's throughput from end to end.
    """

    kind: str
    core: tuple[float, float, float, float]
    wing_share: tuple[float, float]
    wing_width: tuple[float, float]
    wing_power: tuple[float, float]
    lobe: tuple[float, float, float]
    centre: tuple[float, float]
    foreground: float
    cosmic_rays: float
    linearity: float
    hot: float
    dead: float
    second_read: float
    read_noise: float
    brightness: float
    brightness_scatter: float
    tilt: float

    def channel(self, name: str) -> Channel:
        """Return a channel with the world's own read times."""
        channel = CHANNELS[name]
        return replace(channel, read_times=(channel.read_times[0], self.second_read)) if name == AIRS.name else channel

    def image(self, name: str) -> Image:
        """Return the image on a channel's pixels and its slopes; only FGS1 moves along columns."""
        shape = self._airs if name == AIRS.name else self._fgs1
        moves = ((_STEP, 0.0),) if name == AIRS.name else ((_STEP, 0.0), (0.0, _STEP))
        slopes = [(shape(row, column) - shape(-row, -column)) / (2.0 * _STEP) for row, column in moves]
        return Image(shape(0.0, 0.0), np.array(slopes))

    def _airs(self, row: float, column: float) -> np.ndarray:
        blueness = np.linspace(1.0, 0.0, AIRS.n_column)  # columns descend in wavelength
        sigma = self.core[1] + (self.core[0] - self.core[1]) * blueness[::-1]
        rows = np.arange(AIRS.n_row)[:, None]
        core = _on_pixels(rows, self.centre[0] + row, sigma)
        wing = self._wing(rows - self.centre[0] - row, 0.0, 0)
        norm = self._wing(rows - self.centre[0], 0.0, 0).sum(axis=0)
        return (1.0 - self.wing_share[0]) * core + self.wing_share[0] * wing / norm

    def _fgs1(self, row: float, column: float) -> np.ndarray:
        pixel = np.arange(FGS1.n_row)
        y, x = self.centre[1] + row, _MIDDLE + column
        along, across, lobe_share = self.lobe
        core = np.outer(_on_pixels(pixel, y, self.core[2]), _on_pixels(pixel, x, self.core[3]))
        lobe = np.outer(
            _on_pixels(pixel, y + along, 1.2 * self.core[2]), _on_pixels(pixel, x + across, 1.2 * self.core[3])
        )
        rows, columns = pixel[:, None], pixel[None, :]
        wing = self._wing(rows - y, columns - x, 1)
        norm = self._wing(rows - self.centre[1], columns - _MIDDLE, 1).sum()
        bright = (1.0 - lobe_share) * core + lobe_share * lobe
        return (1.0 - self.wing_share[1]) * bright + self.wing_share[1] * wing / norm

    def _wing(self, y: np.ndarray, x: np.ndarray | float, place: int) -> np.ndarray:
        return (1.0 + (y**2 + x**2) / self.wing_width[place] ** 2) ** -self.wing_power[place]

    def draw_brightness(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return a star's electrons over the anchor's, at FGS1 and AIRS-CH0."""
        airs = self.brightness * float(np.exp(self.brightness_scatter * rng.standard_normal()))
        return airs * float(np.exp(self.brightness_scatter * rng.standard_normal())), airs

    def electrons(
        self, name: str, temperature: float, brightness: tuple[float, float], adc: tuple[float, float]
    ) -> np.ndarray:
        """Return a star's electrons per exposure in each column summed over rows, or in FGS1's spot, (n,) [e-].

        Args:
            name: of the channel.
            temperature: of the star [K].
            brightness: see ``draw_brightness``.
            adc: gain [ADU/e-] and offset [e-]; stars that would fill a pixel are dimmed.
        """
        channel = self.channel(name)
        if name == AIRS.name:
            wavelength = airs_wavelengths()
            slope = self.tilt * (wavelength - wavelength.mean()) / np.ptp(wavelength)
            light = airs_electrons(temperature, brightness[1]) * (1.0 + slope)
        else:
            light = np.array([fgs1_electrons(temperature, brightness[0])])
        holds = _FILLED * min(FULL_WELL, 65_535.0 / adc[0] + adc[1]) * channel.exposure_time / channel.read_times[1]
        return light * min(1.0, holds / float((self.image(name).share * light).max()))

    def draw_frames(self, name: str, adc: tuple[float, float], rng: np.random.Generator) -> CalibrationFrames:
        """Return the calibration tables that a channel obeys."""
        frames = draw_calibration_frames(CHANNELS[name], *adc, self.read_noise, rng)
        straight = np.zeros_like(frames.linearity)
        straight[1] = 1.0
        shape = CHANNELS[name].shape
        hot, dead = rng.random(shape) < self.hot, rng.random(shape) < self.dead
        glow = log_uniform_array(_HOT_DARK, shape, rng)
        return replace(
            frames,
            dark=np.where(hot, glow, frames.dark),
            dead=frames.dead | dead,
            linearity=straight + self.linearity * (frames.linearity - straight),
        )


def _on_pixels(pixel: np.ndarray, centre: float, sigma: np.ndarray | float) -> np.ndarray:
    """Return the share of a normal distribution in each pixel."""
    scale = np.sqrt(2.0) * sigma
    return 0.5 * (erf((pixel + 0.5 - centre) / scale) - erf((pixel - 0.5 - centre) / scale))


def draw_instrument_family(wanted: str | None, rng: np.random.Generator) -> Instrument:
    """Draw the detectors of a world.

    Args:
        wanted: kind asked for, if any.
        rng: source of every random draw.
    """
    kind = draw_kind("detector", KINDS, wanted, rng)
    low, high = _CORE[kind]
    core = [low + (high - low) * float(place) for place in rng.random(4)]
    place, share = rng.uniform(-2.5, 2.5, 2), float(rng.uniform(0.1, 0.4))
    return Instrument(
        kind=kind,
        core=(core[0], core[1], core[2], core[3]),
        wing_share=_pair(rng.uniform(0.05, 0.35, 2)),
        wing_width=_pair(rng.uniform(0.8, 3.0, 2)),
        wing_power=_pair(rng.uniform(1.1, 2.2, 2)),
        lobe=(float(place[0]), float(place[1]), share if kind == "lopsided" else 0.0),
        centre=_pair(_MIDDLE + rng.uniform(-0.8, 0.8, 2)),
        foreground=log_uniform(1e-3, 2e-2, rng),
        cosmic_rays=log_uniform(20.0, 150.0, rng),
        linearity=float(rng.uniform(0.3, 1.2)),
        hot=log_uniform(2e-4, 1e-2, rng),
        dead=log_uniform(2e-4, 6e-3, rng),
        second_read=_SECOND_READS[int(rng.integers(2))],
        read_noise=float(rng.uniform(9.0, 20.0)),
        brightness=float(rng.uniform(0.5, 1.1)),
        brightness_scatter=float(rng.uniform(0.05, 0.3)),
        tilt=float(rng.uniform(-0.4, 0.4)),
    )


def _pair(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
