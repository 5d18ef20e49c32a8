"""What the chain needs to know of every pixel, gathered once for the paths that do all steps at a time.

A correction that is switched off becomes its neutral element: the polynomial x, no dark, a flat of one, a
threshold for cosmic rays that nothing reaches.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.calibration.pipeline import averaged_pairs, corrections, good_pixels
from spectramind_kit.calibration.saturation import full_count
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.products import CalibrationFrames
from spectramind_kit.settings.calibration import CalibrationConfig

N_COEFFICIENT = 6
"""Linearity coefficients for which the paths at a time are written out; the competition's tables have as many."""


@dataclass(frozen=True)
class PixelConstants:
    """Constants of some pixels, (n_pixel,) each unless another shape is given.

    Attributes:
        electrons_per_count: [e-/ADU], a scalar.
        offset: [e-], a scalar.
        linearity: (n_coefficient, n_pixel), ascending powers.
        dark: electrons that gather in the dark between the two reads [e-].
        flat: response [1]; one where the flat is not applied.
        read_variance: of the two reads of an exposure [e-^2].
        good: bool.
        full_count: count from which a read is that of a full pixel [ADU]; a scalar.
        n_average: detector exposures that one stored exposure is the mean of.
        cosmic_ray_sigma: threshold [sigma]; infinite where cosmic rays are left in.
        applied: names of the corrections that the constants make, in order.
    """

    electrons_per_count: np.float32
    offset: np.float32
    linearity: np.ndarray
    dark: np.ndarray
    flat: np.ndarray
    read_variance: np.ndarray
    good: np.ndarray
    full_count: int
    n_average: int
    cosmic_ray_sigma: float
    applied: tuple[str, ...] = ()

    def block(self, first: int, stop: int) -> "PixelConstants":
        """Return the constants of the pixels ``first`` to ``stop`` (exclusive)."""
        return PixelConstants(
            self.electrons_per_count,
            self.offset,
            self.linearity[:, first:stop],
            self.dark[first:stop],
            self.flat[first:stop],
            self.read_variance[first:stop],
            self.good[first:stop],
            self.full_count,
            self.n_average,
            self.cosmic_ray_sigma,
            self.applied,
        )


def pixel_constants(
    channel: str,
    row: np.ndarray,
    column: np.ndarray,
    time: np.ndarray,
    frames: CalibrationFrames,
    config: CalibrationConfig,
) -> PixelConstants:
    """Gather the constants of some pixels.

    Args:
        channel: "AIRS-CH0" or "FGS1".
        row: (n_pixel,) detector row.
        column: (n_pixel,) detector column.
        time: (n_frame,) [s] of the frames; their spacing gives how many exposures a stored one is the mean of.
        frames: calibration tables of the whole detector.
        config: which corrections to make, and how.
    """
    detector = CHANNELS[channel]
    pixels = frames.at(row, column)
    good = good_pixels(frames, row, column, config)
    first_read, second_read = detector.time_since_reset(2, config.dark_time_base)
    identity = np.array([[0.0], [1.0]]) * np.ones(len(row))
    return PixelConstants(
        electrons_per_count=np.float32(1.0 / frames.gain),
        offset=np.float32(frames.offset if config.adc_sign == "official" else -frames.offset),
        linearity=(pixels.linearity if config.linearity else identity).astype(np.float32),
        dark=(pixels.dark * (second_read - first_read) * config.dark).astype(np.float32),
        flat=np.where(good & config.flat, pixels.flat, 1.0).astype(np.float32),
        read_variance=2.0 * pixels.read_noise**2,
        good=good,
        full_count=full_count(frames, config),
        n_average=averaged_pairs(time, detector),
        cosmic_ray_sigma=config.cosmic_ray_sigma if config.cosmic_rays else np.inf,
        applied=corrections(config),
    )
