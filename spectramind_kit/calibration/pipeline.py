"""The calibration chain, in order: ADC, linearity, dark, CDS, cosmic rays, flat.

The host's reference notebook and ExoSim's detector, read backwards, give the order.
"""

import numpy as np

from spectramind_kit.calibration.adc import counts_to_electrons
from spectramind_kit.calibration.bad_pixels import find_hot_pixels, trusted_pixels
from spectramind_kit.calibration.cds import cds_variance, correlated_double_sampling, exposure_mid_times
from spectramind_kit.calibration.cosmic_rays import find_cosmic_rays, remove_cosmic_rays
from spectramind_kit.calibration.dark_current import subtract_dark
from spectramind_kit.calibration.flat_field import divide_flat
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.calibration.saturation import full_count, saturated_pixels
from spectramind_kit.instruments import CHANNELS, Channel
from spectramind_kit.products import CalibratedCube, CalibrationFrames, RawCube
from spectramind_kit.settings.calibration import CalibrationConfig


def calibrate(cube: RawCube, frames: CalibrationFrames, config: CalibrationConfig) -> CalibratedCube:
    """Turn raw counts into calibrated exposures.

    Args:
        cube: counts of the pixels that were read.
        frames: calibration tables of the whole detector.
        config: which corrections to make, and how.

    Returns:
        Exposures with variances; ``applied`` names the corrections.
    """
    detector = CHANNELS[cube.channel]
    pixels = frames.at(cube.row, cube.column)
    good = good_pixels(frames, cube.row, cube.column, config)
    saturated = good & saturated_pixels(cube.counts, full_count(frames, config))
    electrons = counts_to_electrons(cube.counts, frames.gain, frames.offset, config.adc_sign)
    if config.linearity:
        electrons = linearise(electrons, pixels.linearity)
    if config.dark:
        time_since_reset = detector.time_since_reset(electrons.shape[1], config.dark_time_base)
        electrons = subtract_dark(electrons, pixels.dark, time_since_reset)
    signal = correlated_double_sampling(electrons)
    variance = cds_variance(signal, pixels.read_noise, averaged_pairs(cube.time, detector))
    if config.cosmic_rays:
        hit = find_cosmic_rays(signal, variance, config.cosmic_ray_sigma)
        signal, variance = remove_cosmic_rays(signal, hit), remove_cosmic_rays(variance, hit)
    if config.flat:
        signal = divide_flat(signal, pixels.flat, good)
        variance = divide_flat(divide_flat(variance, pixels.flat, good), pixels.flat, good)
    return CalibratedCube(
        channel=cube.channel,
        signal=signal,
        variance=variance,
        row=cube.row,
        column=cube.column,
        good=good & ~saturated,
        saturated=saturated,
        mid_time=exposure_mid_times(cube.time, detector.exposure_time),
        applied=corrections(config),
    )


def corrections(config: CalibrationConfig) -> tuple[str, ...]:
    """Return the names of the corrections that a configuration asks for, in the order in which they are made.

    Every path through the chain stores these names with what it made, so that a product's history is the same
    whichever path it came by.
    """
    steps = (
        (True, f"adc ({config.adc_sign})"),
        (config.hot_pixels == "mask", "hot pixels masked"),
        (True, "saturated pixels masked"),
        (config.linearity, "linearity"),
        (config.dark, f"dark ({config.dark_time_base})"),
        (True, "cds"),
        (config.cosmic_rays, "cosmic rays"),
        (config.flat, "flat"),
    )
    return tuple(name for made, name in steps if made)


def good_pixels(
    frames: CalibrationFrames, row: np.ndarray, column: np.ndarray, config: CalibrationConfig
) -> np.ndarray:
    """Return which pixels at some positions (n_pixel,) can be trusted by their tables, (n_pixel,) bool."""
    pixels = frames.at(row, column)
    good = trusted_pixels(pixels.dead, pixels.flat, config.flat_minimum)
    if config.hot_pixels == "mask":
        good &= ~find_hot_pixels(frames.dark, config.hot_pixel_sigma)[row, column]
    return good


def averaged_pairs(frame_time: np.ndarray, detector: Channel) -> int:
    """Return how many detector pairs one stored pair is the mean of: its spacing over the detector's own."""
    if len(frame_time) < 4:
        return 1
    spacing = float(np.median(np.diff(frame_time[::2])))
    return max(1, round(spacing / detector.pair_period))
