"""From one visit's files to light curves of 283 wavelengths: calibrate, extract, bin, join.

Read this first to see the way of the data: nothing here is more than a list of steps.
"""

import numpy as np

from spectramind_kit.calibration.pipeline import calibrate
from spectramind_kit.competition.frames import read_calibration_frames, read_raw_cube
from spectramind_kit.config import CalibrationConfig, PhotometryConfig
from spectramind_kit.errors import CompetitionDataError
from spectramind_kit.instruments import AIRS, FGS1, FGS1_WAVELENGTH
from spectramind_kit.photometry.binning import bin_edges, bin_mean
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.jitter import moments
from spectramind_kit.photometry.window import aperture, photometric_pixels
from spectramind_kit.products import CalibratedCube, LightCurves, PlanetObservation


def extract_light_curves(
    observation: PlanetObservation, calibration: CalibrationConfig, photometry: PhotometryConfig
) -> LightCurves:
    """Calibrate one visit and measure its light curves.

    Returns:
        Light curves on the time bins that both channels cover, FGS1 first, then AIRS-CH0 ascending.

    Raises:
        CompetitionDataError: if a file is missing or damaged, or the channels have no time in common.
    """
    fgs1 = calibrate_channel(observation, FGS1.name, calibration)
    fgs1_flux, fgs1_variance = extract(fgs1, photometry)
    fgs1_moments = _regressors(fgs1, photometry)
    fgs1_time = fgs1.mid_time
    del fgs1  # a full-size cube is the largest thing here: hold one at a time
    airs = calibrate_channel(observation, AIRS.name, calibration)
    airs_flux, airs_variance = extract(airs, photometry)
    edges = _common_bins(airs.mid_time, fgs1_time, photometry.bin_seconds, observation.name)

    fgs1_rows = _bin(np.vstack([fgs1_flux, *fgs1_moments.values()]), fgs1_time, edges)
    airs_moments = _regressors(airs, photometry)
    airs_rows = _bin(np.vstack([airs_flux[::-1], *airs_moments.values()]), airs.mid_time, edges)
    n_airs = len(airs_flux)
    errors = [_bin_error(fgs1_variance, fgs1_time, edges), _bin_error(airs_variance[::-1], airs.mid_time, edges)]
    first, stop = AIRS.science_columns
    return LightCurves(
        planet_id=observation.planet.planet_id,
        visit=observation.visit,
        time=0.5 * (edges[1:] + edges[:-1]),
        bin_seconds=float(edges[1] - edges[0]),
        flux=np.vstack([fgs1_rows[:1], airs_rows[:n_airs]]).T,
        flux_err=np.vstack(errors).T,
        wavelength=np.concatenate([[FGS1_WAVELENGTH], observation.axis.wavelength[first:stop][::-1]]),
        regressors=np.vstack([fgs1_rows[1:], airs_rows[n_airs:]]).T,
        regressor_names=(*fgs1_moments, *airs_moments),
        flags=observation.planet.notes,
    )


def calibrate_channel(observation: PlanetObservation, channel: str, config: CalibrationConfig) -> CalibratedCube:
    """Read and calibrate the pixels that the photometry of one channel needs."""
    cube = read_raw_cube(observation, channel, *photometric_pixels(channel))
    return calibrate(cube, read_calibration_frames(observation, channel), config)


def _regressors(cube: CalibratedCube, config: PhotometryConfig) -> dict[str, np.ndarray]:
    """Return centroids and width of the image per exposure, by name."""
    weight = (aperture(cube.channel, config).ravel() & cube.good).astype(np.float64)
    name = "fgs1" if cube.channel == FGS1.name else "airs"
    centre, width = moments(cube.signal, cube.row, weight)
    series = {f"{name}_row_centroid": centre, f"{name}_row_width": width}
    if cube.channel == FGS1.name:
        series["fgs1_column_centroid"], series["fgs1_column_width"] = moments(cube.signal, cube.column, weight)
    return series


def _common_bins(airs_time: np.ndarray, fgs1_time: np.ndarray, bin_seconds: float, name: str) -> np.ndarray:
    """Return the edges of the bins in which both channels have exposures."""
    edges = bin_edges(airs_time, bin_seconds)
    covered = np.diff(np.searchsorted(fgs1_time, edges)) > 0
    n_time = len(covered) if covered.all() else int(np.argmin(covered))
    if n_time == 0:
        raise CompetitionDataError(
            f"light curves of {name}",
            wanted="FGS1 and AIRS-CH0 exposures at the same time",
            got=f"FGS1 {fgs1_time[0]:.0f}-{fgs1_time[-1]:.0f} s, AIRS-CH0 {airs_time[0]:.0f}-{airs_time[-1]:.0f} s",
        )
    return edges[: n_time + 1]


def _bin(series: np.ndarray, mid_time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return bin_mean(series, mid_time, edges)[0]


def _bin_error(variance: np.ndarray, mid_time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the standard error (n_series, n_time) of bin means from exposure variances (n_series, n_exposure)."""
    dead = ~np.isfinite(variance).all(axis=1)
    mean, count = bin_mean(np.where(dead[:, None], 0.0, variance), mid_time, edges)
    return np.where(dead[:, None], np.inf, np.sqrt(mean / count))
