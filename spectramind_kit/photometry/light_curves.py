"""From one visit's files to light curves of 283 wavelengths: decode, calibrate, bin, extract, join.

Read this first to see the way of the data: nothing here is more than a list of steps.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import polars as pl

from spectramind_kit.calibration.cds import exposure_mid_times
from spectramind_kit.calibration.paths import bin_decoded_pixels, working_path
from spectramind_kit.calibration.pixel_bins import PixelBins
from spectramind_kit.competition.frames import DecodedPixels, dark_signal, decode_pixels, read_calibration_frames
from spectramind_kit.config import CalibrationConfig, PhotometryConfig
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.instruments import AIRS, CHANNELS, FGS1, FGS1_WAVELENGTH
from spectramind_kit.photometry.binning import bin_edges, bin_mean
from spectramind_kit.photometry.extraction import ExtractedLight, extract
from spectramind_kit.photometry.jitter import image_series, moment_weights
from spectramind_kit.photometry.window import photometric_pixels
from spectramind_kit.products import LightCurves, PlanetObservation


def extract_light_curves(
    observation: PlanetObservation, calibration: CalibrationConfig, photometry: PhotometryConfig
) -> LightCurves:
    """Calibrate one visit and measure its light curves.

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
    """Calibrate one channel's pixels and bin them between ``edges`` (n_time + 1,) [s].

    Raises:
        CompetitionDataError: if the calibration tables are missing or damaged, or every count is zero.
    """
    bins = bin_decoded_pixels(
        pixels,
        read_calibration_frames(observation, pixels.channel),
        calibration,
        np.searchsorted(_mid_times(pixels), edges),
        moment_weights(pixels.channel, pixels.row, pixels.column, photometry),
        photometry.path,
        pl.thread_pool_size(),
    )
    if bins is None:
        raise dark_signal(observation, pixels.channel)
    return bins


def join_channels(
    observation: PlanetObservation, fgs1: PixelBins, airs: PixelBins, edges: np.ndarray, photometry: PhotometryConfig
) -> LightCurves:
    """Extract both channels' light and lay it side by side in the bins that both cover."""
    n_time = _common_bins(fgs1, airs, observation.name)
    edges = edges[: n_time + 1]
    fgs1_light, airs_light = extract(fgs1, photometry), extract(airs, photometry)
    series = {name: bin_mean(values[None], mid_time, edges)[0][0] for name, values, mid_time in _regressors(fgs1, airs)}
    first, stop = AIRS.science_columns
    return LightCurves(
        planet_id=observation.planet.planet_id,
        visit=observation.visit,
        time=0.5 * (edges[1:] + edges[:-1]),
        bin_seconds=float(edges[1] - edges[0]),
        flux=np.vstack([fgs1_light.flux, airs_light.flux[::-1]])[:, :n_time].T,
        flux_err=np.vstack([_bin_error(fgs1_light, fgs1.count), _bin_error(airs_light, airs.count)[::-1]])[
            :, :n_time
        ].T,
        wavelength=np.concatenate([[FGS1_WAVELENGTH], observation.axis.wavelength[first:stop][::-1]]),
        regressors=np.column_stack(list(series.values())),
        regressor_names=tuple(series),
        flags=(*observation.planet.notes, *fgs1_light.flags, *airs_light.flags),
    )


def _mid_times(pixels: DecodedPixels) -> np.ndarray:
    return exposure_mid_times(pixels.time, CHANNELS[pixels.channel].exposure_time)


def _regressors(*channels: PixelBins):
    """Yield name, values (n_exposure,) and times (n_exposure,) of the image's centroids and widths."""
    for bins in channels:
        for name, values in image_series(bins.channel, bins.moments).items():
            yield name, values, bins.mid_time


def _common_bins(fgs1: PixelBins, airs: PixelBins, name: str) -> int:
    """Return how many bins, from the first on, have exposures of both channels."""
    covered = (fgs1.count > 0) & (airs.count > 0)
    n_time = len(covered) if covered.all() else int(np.argmin(covered))
    if n_time == 0:
        raise CompetitionDataError(
            f"light curves of {name}",
            wanted="FGS1 and AIRS-CH0 exposures at the same time",
            got=", ".join(f"{b.channel} {b.mid_time[0]:.0f}-{b.mid_time[-1]:.0f} s" for b in (fgs1, airs)),
        )
    return n_time


def _bin_error(light: ExtractedLight, count: np.ndarray) -> np.ndarray:
    """Return the standard error (n_wavelength, n_time) of bin means; infinite where there is nothing to average."""
    with np.errstate(divide="ignore"):
        return np.sqrt(light.variance[:, None] / count)
