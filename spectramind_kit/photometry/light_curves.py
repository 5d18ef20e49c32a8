"""From one visit's files to light curves of 283 wavelengths: decode, calibrate, bin, extract, join.

Read this first to see the way of the data: nothing here is more than a list of steps.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from spectramind_kit.calibration.adc import zero_point_flags
from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.paths import bin_decoded_pixels, working_path
from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.calibration.saturation import saturation_flags
from spectramind_kit.competition.frames import DecodedPixels, decode_pixels, empty_signal, read_calibration_frames
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.flags import Flag, Flags
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, FGS1_WAVELENGTH, Channel
from spectramind_kit.photometry.binning import bin_edges, bin_mean
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.jitter import image_series, moment_weights
from spectramind_kit.photometry.lost_exposures import (
    bins_with,
    lost_exposure_flags,
    lost_exposures,
    without_spoiled_bins,
)
from spectramind_kit.photometry.window import photometric_pixels
from spectramind_kit.products import LightCurves, PlanetObservation
from spectramind_kit.settings.calibration import CalibrationConfig
from spectramind_kit.settings.photometry import PhotometryConfig

_MISSING = {FGS1.name: Flag.FGS1_MISSING, AIRS.name: Flag.AIRS_MISSING}


def extract_light_curves(
    observation: PlanetObservation, calibration: CalibrationConfig, photometry: PhotometryConfig
) -> LightCurves:
    """Calibrate one visit and measure its light curves.

    Args:
        observation: the visit.
        calibration: which corrections to make, and how.
        photometry: aperture, background, kind of extraction and time bins.

    Returns:
        Light curves on the time bins that both channels cover, FGS1 first, then AIRS-CH0 ascending.

    Raises:
        CompetitionDataError: if a file is missing or damaged, or the channels have no time in common.
    """
    decode = partial(_decode, observation, photometry)
    with ThreadPoolExecutor(1) as ahead:
        airs_pixels = decode(AIRS.name)
        edges = bin_edges(_mid_times(airs_pixels), photometry.bin_seconds)
        # Counts are the largest thing here: only where a device does the work is the next channel decoded meanwhile.
        waiting = ahead.submit(decode, FGS1.name) if working_path(photometry.path) == "gpu" else None
        airs = bin_channel(observation, airs_pixels, edges, calibration, photometry)
        del airs_pixels
        fgs1_pixels = waiting.result() if waiting else decode(FGS1.name)
    fgs1 = bin_channel(observation, fgs1_pixels, edges, calibration, photometry)
    return join_channels(observation, fgs1, airs, edges, photometry)


def _decode(observation: PlanetObservation, photometry: PhotometryConfig, channel: str) -> DecodedPixels:
    return decode_pixels(observation, channel, *photometric_pixels(channel, photometry))


def bin_channel(
    observation: PlanetObservation,
    pixels: DecodedPixels,
    edges: np.ndarray,
    calibration: CalibrationConfig,
    photometry: PhotometryConfig,
) -> PixelBins:
    """Calibrate one channel's pixels and bin them in time.

    Args:
        observation: the visit.
        pixels: decoded counts of the channel.
        edges: (n_time + 1,) of the time bins [s].
        calibration: which corrections to make, and how.
        photometry: aperture, whose image moments are taken, and path.

    Raises:
        CompetitionDataError: if the calibration tables are missing or damaged, or every count is zero.
    """
    frames = read_calibration_frames(observation, pixels.channel)
    bins = bin_decoded_pixels(
        pixels,
        frames,
        calibration,
        np.searchsorted(_mid_times(pixels), edges),
        moment_weights(pixels.channel, pixels.row, pixels.column, photometry),
        photometry.path,
        pl.thread_pool_size(),
    )
    if bins is None:
        raise empty_signal(observation, pixels.channel)
    # An exposure of which one read was lost may look nearly as bright as others: it is made to look as it is.
    moments = np.where(pixels.unread_exposures(), 0.0, bins.moments)
    found = saturation_flags(pixels.channel, bins.saturated)
    zero_point = zero_point_flags(pixels.channel, pixels.dark_count(), frames.gain, frames.offset)
    return replace(bins, moments=moments, flags={**frames.flags, **found, **zero_point})


def join_channels(
    observation: PlanetObservation, fgs1: PixelBins, airs: PixelBins, edges: np.ndarray, photometry: PhotometryConfig
) -> LightCurves:
    """Extract both channels' light and lay it side by side in the bins that both cover.

    Args:
        observation: the visit.
        fgs1: binned pixels of FGS1.
        airs: binned pixels of AIRS-CH0.
        edges: (n_time + 1,) of the time bins [s].
        photometry: aperture, background and kind of extraction.

    Raises:
        CompetitionDataError: if no bin has exposures of both channels.
    """
    edges = edges[: _common_bins(fgs1, airs, observation.name) + 1]
    white, spectrum = channel_curves(fgs1, edges, photometry), channel_curves(airs, edges, photometry)
    return _side_by_side(observation, white, spectrum, edges, (*airs.applied, *_photometric_corrections(photometry)))


def extract_one_channel(
    observation: PlanetObservation, channel: str, calibration: CalibrationConfig, photometry: PhotometryConfig
) -> LightCurves:
    """Measure the light curves of one channel where the files of the other are no use.

    The wavelengths of the other channel have infinite errors, and a flag says that they are missing.

    Args:
        observation: the visit.
        channel: the one that is measured, "AIRS-CH0" or "FGS1".
        calibration: which corrections to make, and how.
        photometry: aperture, background, kind of extraction and time bins.

    Raises:
        CompetitionDataError: if its files are missing or damaged as well.
    """
    pixels = _decode(observation, photometry, channel)
    edges = bin_edges(_mid_times(pixels), photometry.bin_seconds)
    bins = bin_channel(observation, pixels, edges, calibration, photometry)
    edges = edges[: _covered_bins(bins.count > 0) + 1]
    measured = channel_curves(bins, edges, photometry)
    other = FGS1 if channel == AIRS.name else AIRS
    missing = _no_light(other, len(edges) - 1)
    white, spectrum = (missing, measured) if other is FGS1 else (measured, missing)
    return _side_by_side(observation, white, spectrum, edges, (*bins.applied, *_photometric_corrections(photometry)))


def _side_by_side(
    observation: PlanetObservation,
    white: "ChannelCurves",
    spectrum: "ChannelCurves",
    edges: np.ndarray,
    applied: tuple[str, ...],
) -> LightCurves:
    """Lay FGS1's light curve and the spectrum's, which come in detector order, in the order of the wavelengths."""
    series = white.series | spectrum.series
    first, stop = AIRS.science_columns
    return LightCurves(
        planet_id=observation.planet.planet_id,
        visit=observation.visit,
        time=0.5 * (edges[1:] + edges[:-1]),
        bin_seconds=float(edges[1] - edges[0]),
        flux=np.vstack([white.flux, spectrum.flux[::-1]]).T,
        flux_err=np.vstack([white.error, spectrum.error[::-1]]).T,
        wavelength=np.concatenate([[FGS1_WAVELENGTH], observation.axis.wavelength[first:stop][::-1]]),
        regressors=np.column_stack(list(series.values())),
        regressor_names=tuple(series),
        flags={**observation.planet.flags, **white.flags, **spectrum.flags},
        applied=applied,
        saturated=np.concatenate([white.saturated, spectrum.saturated[::-1]]),
    )


def _no_light(channel: Channel, n_time: int) -> "ChannelCurves":
    """Return the light curves of a channel that was not measured: any flux, known to infinite errors."""
    first, stop = channel.science_columns
    n = 1 if channel is FGS1 else stop - first
    return ChannelCurves(
        flux=np.ones((n, n_time)),
        error=np.full((n, n_time), np.inf),
        series={},
        saturated=np.zeros(n, dtype=np.int64),
        flags={_MISSING[channel.name]: ""},
    )


def _photometric_corrections(photometry: PhotometryConfig) -> tuple[str, ...]:
    """Return the names of what is done to the light of the pixels, in order."""
    return (*(("foreground",) if photometry.background else ()), f"{photometry.extraction} extraction")


@dataclass(frozen=True)
class ChannelCurves:
    """Light curves of one channel.

    Attributes:
        flux: (n_wavelength, n_time) [e- per exposure], wavelengths in detector order.
        error: (n_wavelength, n_time), its standard error; infinite where an exposure of the bin was lost.
        series: centroids and widths of the image by name, (n_time,) each [pixel].
        saturated: (n_wavelength,) saturated pixels in the aperture.
        flags: what is wrong with calibration tables, pixels, aperture or exposures.
    """

    flux: np.ndarray
    error: np.ndarray
    series: dict[str, np.ndarray]
    saturated: np.ndarray
    flags: Flags


def channel_curves(bins: PixelBins, edges: np.ndarray, photometry: PhotometryConfig) -> ChannelCurves:
    """Extract one channel's light in the bins between ``edges`` (n_time + 1,) [s]; none of them may be empty."""
    n_time = len(edges) - 1
    lost = lost_exposures(bins.moments[0])
    spoiled = bins_with(lost, bins.mid_time, edges)
    light = extract(without_spoiled_bins(bins, spoiled), photometry)
    error = np.sqrt(light.variance[:, None] / bins.count[:n_time])
    error[:, spoiled] = np.inf
    image = image_series(bins.channel, bins.moments)
    return ChannelCurves(
        flux=light.flux[:, :n_time],
        error=error,
        series={name: bin_mean(values[None], bins.mid_time, edges)[0][0] for name, values in image.items()},
        saturated=light.saturated,
        flags={**bins.flags, **light.flags, **lost_exposure_flags(bins.channel, lost)},
    )


def _mid_times(pixels: DecodedPixels) -> np.ndarray:
    return exposure_mid_times(pixels.time, CHANNELS[pixels.channel].exposure_time)


def _common_bins(fgs1: PixelBins, airs: PixelBins, name: str) -> int:
    """Return how many bins, from the first on, have exposures of both channels."""
    n_time = _covered_bins((fgs1.count > 0) & (airs.count > 0))
    if n_time == 0:
        raise CompetitionDataError(
            f"light curves of {name}",
            wanted="FGS1 and AIRS-CH0 exposures at the same time",
            got=", ".join(f"{b.channel} {b.mid_time[0]:.0f}-{b.mid_time[-1]:.0f} s" for b in (fgs1, airs)),
        )
    return n_time


def _covered_bins(covered: np.ndarray) -> int:
    """Return how many bins, from the first on, are covered (n_time,)."""
    return len(covered) if covered.all() else int(np.argmin(covered))
