"""A second reading of the real frames, without the kit's chain: do both see the same light, and the noise of photons?

Twenty-five exposures tell a standard deviation to 14 % (1 / sqrt(2 x 24)), and the median of n columns to
1.25 x 14 % / sqrt(n): 1 % over all of them.
"""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels
from spectramind_kit.config import load_config
from spectramind_kit.photometry.extraction import extract
from spectramind_kit.photometry.light_curves import bin_channel
from spectramind_kit.photometry.window import photometric_pixels

PLANET = 342072318
ROWS = slice(8, 24)
ONE_STD = (2 * 24) ** -0.5


@pytest.fixture(scope="module")
def exposures(real_data):
    """AIRS-CH0's aperture (25, 16, 282) [e-] in double precision, read without the kit; NaN where a pixel is dead."""
    folder = real_data / "train" / str(PLANET)
    converter = pl.read_csv(real_data / "adc_info.csv").row(0, named=True)
    tables = {
        name: pl.read_parquet(folder / "AIRS-CH0_calibration_0" / f"{name}.parquet").to_numpy().astype(float)
        for name in ("dark", "dead", "flat", "linear_corr")
    }
    counts = pl.read_parquet(folder / "AIRS-CH0_signal_0.parquet").to_numpy().reshape(-1, 32, 356)
    electrons = counts / converter["AIRS-CH0_adc_gain"] + converter["AIRS-CH0_adc_offset"]
    coefficients = tables["linear_corr"].reshape(6, 32, 356)
    linear = np.polynomial.polynomial.polyval(electrons[None], coefficients[:, None], tensor=False)[0]
    light = (linear[1::2] - linear[::2] - 4.5 * tables["dark"]) / tables["flat"]
    light[:, (tables["dead"] != 0) | (tables["flat"] < 0.5)] = np.nan
    return light[:, ROWS, 39:321]


@pytest.fixture(scope="module")
def ours(real_data):
    """The kit's light of the same columns, every exposure a bin of its own, (282, 25) [e-]; by kind of extraction."""
    (visit,) = open_competition(real_data).observations("train", PLANET)
    config = load_config(["photometry.background=false"])
    pixels = decode_pixels(visit, "AIRS-CH0", *photometric_pixels("AIRS-CH0", config.photometry))
    bins = bin_channel(visit, pixels, np.append(pixels.time[::2], np.inf), config.calibration, config.photometry)
    return {kind: extract(bins, replace(config.photometry, extraction=kind)).flux for kind in ("sum", "optimal")}


def test_both_readings_see_the_same_light(exposures, ours):
    columns = exposures.sum(axis=1).T
    whole = np.isfinite(columns).all(axis=1)
    assert whole.sum() > 270
    np.testing.assert_allclose(ours["sum"][whole], columns[whole], rtol=1e-5, atol=1.0)
    np.testing.assert_allclose(ours["optimal"][whole].mean(axis=1), columns[whole].mean(axis=1), rtol=1e-4)


def test_the_second_reading_has_the_noise_of_photons_and_reads(exposures):
    light = exposures.mean(axis=0)
    white = noise_ratio(np.nansum(exposures, axis=(1, 2))[None])
    assert abs(white - 1.0) < 2.5 * ONE_STD
    expected = np.sqrt((light + 2 * 13.0**2).sum(axis=0) / light.sum(axis=0))
    columns = noise_ratio(exposures.sum(axis=1).T) / expected
    assert np.nanmedian(columns) == pytest.approx(1.0, abs=0.04)


def noise_ratio(light):
    """Scatter of exposures (n_series, 25) over their photon noise (n_series,)."""
    return np.std(light, axis=1, ddof=1) / np.sqrt(np.mean(light, axis=1))
