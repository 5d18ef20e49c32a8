"""From raw frames to the handful of input features of the public baselines.

The chain of the public notebooks that load the models "fgs1", "airs" and "deeper-airs" (2025 challenge), visit 0:

    electrons = counts / gain + offset, none below 0 -> linearity -> dark (nominal integration times) -> flat
    -> CDS -> mean over rows 10:22 of each AIRS-CH0 science column, and over FGS1's 10:22 x 10:22; dead pixels left
    out, hot ones kept -> bins of 144 s
    -> AIRS-CH0 columns clipped to the 5th to 95th percentile of their bin, weighted by inverse variance
    -> white light -> depth (``white_dip``) times a constant

The package's own calibration and photometry go other ways; here the steps are done as published. Two slips of the
notebooks are not repeated: FGS1 is cut out once, not twice, which would leave a corner of four pixels; and bins left
out near the flanks leave gaps in time, where the notebooks close them up before they fit the baseline.
"""

from dataclasses import dataclass

import numpy as np

from spectramind_kit.calibration.adc import counts_to_electrons
from spectramind_kit.calibration.cds import correlated_double_sampling, exposure_mid_times
from spectramind_kit.calibration.dark_current import subtract_dark
from spectramind_kit.calibration.flat_field import divide_flat
from spectramind_kit.calibration.linearity import linearise
from spectramind_kit.competition.frames import decode_pixels, empty_signal, read_calibration_frames
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1
from spectramind_kit.photometry.binning import bin_edges, bin_mean
from spectramind_kit.products import CalibrationFrames, PlanetObservation, RawCube
from spectramind_kit.public_baselines.white_dip import dip_depth, find_flanks, relative_noise, smooth_white

FEATURE_NAMES = ("depth", "stellar_radius", "inclination", "impact_parameter", "fgs1_noise", "airs_noise")
"""Columns of ``baseline_features``: depth [1e-4], star's radius [R_sun], inclination [deg], impact parameter a cos i
[R_star], and relative noise of both channels [1], which only rules for sigma use."""

SCALE = 0.946
"""What the public depth is multiplied by: limb darkening makes a dip deeper than the covered area."""
BIN_SECONDS = 144.0
_WINDOW = (10, 22)
"""Rows of both channels, and columns of FGS1, that are averaged."""
_PERCENTILES = (5.0, 95.0)
_COLUMNS_AT_A_TIME = 32
DEPTH_UNIT = 1e-4
"""Depths of the public networks, in and out, are counted in this."""


@dataclass(frozen=True)
class DipMeasurement:
    """The dip of the white light; NaN where there is none to measure.

    Attributes:
        depth: of the dip [1].
        fgs1_noise: relative noise of FGS1 [1].
        airs_noise: relative noise of white AIRS-CH0 [1].
    """

    depth: float
    fgs1_noise: float
    airs_noise: float


def baseline_features(observation: PlanetObservation) -> np.ndarray:
    """Return the input features of the public baselines for a planet, (n_feature,), in the order of ``FEATURE_NAMES``.

    Args:
        observation: visit 0 of the planet; later visits are not used by the public chain.

    Returns:
        NaN where the star table has no row or the light curve shows no dip that can be measured.

    Raises:
        CompetitionDataError: if the visit's files cannot be read.
    """
    star, orbit = observation.planet.star, observation.planet.orbit
    dip = measure_dip(*(binned_light(observation, name) for name in (FGS1.name, AIRS.name)))
    radius = star.radius if star else np.nan
    inclination = orbit.inclination if orbit else np.nan
    impact = orbit.semi_major_axis * np.cos(np.deg2rad(inclination)) if orbit else np.nan
    return np.array([dip.depth / DEPTH_UNIT, radius, inclination, impact, dip.fgs1_noise, dip.airs_noise])


def measure_dip(fgs1: np.ndarray, airs: np.ndarray) -> DipMeasurement:
    """Measure the dip in binned light of FGS1 (1, n_time) and of AIRS-CH0 (n_column, n_time)."""
    white = white_light(airs)
    flanks = find_flanks(white)
    if flanks is None:
        return DipMeasurement(np.nan, np.nan, np.nan)
    depth = SCALE * dip_depth(smooth_white(white), flanks)
    return DipMeasurement(depth, relative_noise(fgs1[0], flanks), relative_noise(white, flanks))


def white_light(airs: np.ndarray) -> np.ndarray:
    """Return the public white curve (n_time,) of binned AIRS-CH0 light (n_column, n_time).

    In every bin columns are clipped to the 5th to 95th percentile over wavelength; then they are averaged with
    weights 1 / variance in time, which are clipped the same way. Columns that are NaN are left out.
    """
    airs = airs[np.isfinite(airs).all(axis=1)]
    if airs.size == 0:
        return np.full(airs.shape[1], np.nan)
    clipped = np.clip(airs, *np.percentile(airs, _PERCENTILES, axis=0))
    variance = clipped.var(axis=1)
    if not (variance > 0).any():
        return clipped.mean(axis=0)
    weight = 1.0 / np.where(variance > 0, variance, np.median(variance[variance > 0]))
    return np.average(clipped, axis=0, weights=np.clip(weight, *np.percentile(weight, _PERCENTILES)))


def binned_light(observation: PlanetObservation, channel: str) -> np.ndarray:
    """Return the calibrated light of a visit in bins of 144 s, or of one exposure where that is longer.

    Args:
        observation: the visit.
        channel: "AIRS-CH0" or "FGS1".

    Returns:
        (n_column, n_time) [e- per pixel and exposure]: the science columns of AIRS-CH0 in the detector's order, or one
        row for FGS1. NaN where every pixel of a column is dead, and in bins without exposures.

    Raises:
        CompetitionDataError: if the visit's files cannot be read, or hold no light at all.
    """
    first, stop = AIRS.science_columns if channel == AIRS.name else _WINDOW
    # Column after column, so that a block holds whole columns.
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(first, stop), np.arange(*_WINDOW), indexing="ij"))
    pixels = decode_pixels(observation, channel, row, column)
    frames = read_calibration_frames(observation, channel)
    n_row = _WINDOW[1] - _WINDOW[0]
    step, light, lit = n_row * _COLUMNS_AT_A_TIME, [], False
    for begin in range(0, len(row), step):
        cube = pixels.block(begin, min(begin + step, len(row)))
        lit |= bool(cube.counts.any())
        signal, good = calibrated_exposures(cube, frames)
        light.append(_column_sums(signal, good, n_row))
    if not lit:
        raise empty_signal(observation, channel)
    total, count = (np.concatenate(parts) for parts in zip(*light))
    if channel == FGS1.name:
        total, count = total.sum(axis=0, keepdims=True), count.sum(axis=0, keepdims=True)
    mean = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)
    mid_time = exposure_mid_times(pixels.time, CHANNELS[channel].exposure_time)
    return bin_mean(mean, mid_time, bin_edges(mid_time, BIN_SECONDS))[0]


def calibrated_exposures(cube: RawCube, frames: CalibrationFrames) -> tuple[np.ndarray, np.ndarray]:
    """Return exposures (n_pixel, n_exposure) [e-] by the public chain, and which pixels are not dead (n_pixel,)."""
    at = frames.at(cube.row, cube.column)
    electrons = counts_to_electrons(cube.counts, frames.gain, frames.offset)
    linear = linearise(np.maximum(electrons, 0), at.linearity)
    reads = CHANNELS[cube.channel].time_since_reset(linear.shape[1])
    signal = correlated_double_sampling(subtract_dark(linear, at.dark, reads))
    good = ~at.dead & (at.flat != 0)
    return divide_flat(signal, at.flat, good), good


def _column_sums(signal: np.ndarray, good: np.ndarray, n_row: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum the good pixels of each column: (n_column, n_exposure), and how many those are, (n_column,)."""
    signal = np.where(good[:, None], signal, 0.0).reshape(-1, n_row, signal.shape[1])
    return signal.sum(axis=1, dtype=np.float64), good.reshape(-1, n_row).sum(axis=1)
