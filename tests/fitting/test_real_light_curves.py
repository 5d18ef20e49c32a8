"""The real light curves of planet 1103775: white residuals, with a table whose orbit is wrong by a factor of two."""

import numpy as np
import polars as pl
import pytest

from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.instruments import AIRS, FGS1_WAVELENGTH
from spectramind_kit.products import LightCurves, Orbit, Planet, Star

BIN_SECONDS = 72.0


@pytest.fixture(scope="module")
def fit(real_data, config):
    first, stop = AIRS.science_columns
    stored = np.load(real_data / "light_curves_1103775.npy").astype(np.float64)
    science = np.r_[0, 1 + AIRS.n_column - stop : 1 + AIRS.n_column - first]
    flux = stored[:, science]
    column_wavelength = pl.read_parquet(real_data / "axis_info.parquet")["AIRS-CH0-axis2-um"].drop_nulls().to_numpy()
    second_difference = np.diff(flux, n=2, axis=0) / np.sqrt(6.0)
    curves = LightCurves(
        planet_id=1103775,
        visit=0,
        time=(np.arange(len(flux)) + 0.5) * BIN_SECONDS,
        bin_seconds=BIN_SECONDS,
        flux=flux,
        flux_err=np.tile(np.sqrt((second_difference**2).mean(axis=0)), (len(flux), 1)),
        wavelength=np.concatenate(([FGS1_WAVELENGTH], column_wavelength[first:stop][::-1])),
        regressors=np.zeros((len(flux), 0)),
    )
    row = pl.read_csv(real_data / "test_star_info.csv").filter(pl.col("planet_id") == 1103775).row(0, named=True)
    star, orbit = Star(row["Rs"], row["Ms"], row["Ts"]), Orbit(row["P"], row["sma"], row["i"])
    return fit_transit(curves, Planet(1103775, star, orbit), config.fit)


def white_residual(fit):
    """Return the mean AIRS-CH0 residual (n_time,) and its noise if wavelengths were independent."""
    residual = fit.residual[:, 1:]
    weight = np.where(np.isfinite(residual), np.nanvar(residual, axis=0) ** -1.0, 0.0)
    white = np.nansum(weight * residual, axis=1) / weight.sum(axis=1)
    return white, float(np.median(weight.sum(axis=1))) ** -0.5


def test_transit_is_the_one_seen_by_eye(fit):
    assert fit.flags == {}
    assert fit.depth[1:].mean() == pytest.approx(0.016, abs=0.0007)  # the light curve's dip is 1.7 %: limb darkening
    assert fit.depth[0] == pytest.approx(fit.depth[1:].mean(), rel=0.05)
    assert 1.0 - fit.model[:, 1:].min(axis=0).mean() == pytest.approx(0.017, abs=0.0005)
    assert fit.parameters["duration"].value / 3600.0 == pytest.approx(1.98, abs=0.05)


def test_orbit_is_twice_as_wide_as_in_the_table(fit):
    assert fit.parameters["semi_major_axis"].value == pytest.approx(29.65, abs=0.3)
    assert fit.parameters["impact_parameter"].value == pytest.approx(0.126, abs=0.08)


def test_limb_darkening_is_the_measured_one(fit):
    for name, expected in (("fgs1_u1", 0.43), ("fgs1_u2", 0.11), ("airs_u1", 0.15), ("airs_u2", 0.08)):
        estimate = fit.parameters[name]
        assert abs(estimate.value - expected) < 3 * estimate.error + 0.01, name


def test_residuals_are_white(fit):
    white, independent = white_residual(fit)
    assert white.std() == pytest.approx(independent, rel=0.1)
    for series in (white, fit.residual[:, 0]):
        series = np.nan_to_num(series)
        for lag in (1, 2, 3, 5):
            assert abs(np.corrcoef(series[:-lag], series[lag:])[0, 1]) < 0.13  # 2.5 / sqrt(375)
        binned = series[: 24 * 15].reshape(-1, 15).mean(axis=1).std() * np.sqrt(15)
        assert binned < 1.25 * series.std()
    assert np.median(fit.noise_scale) == pytest.approx(1.0, abs=0.05)
