"""Predictions, fits and light curves whose errors and noise are known."""

import numpy as np
import pytest

from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.products import Estimate, LightCurves, TransitFit

N_WAVELENGTH = 283
NAIVE = 0.0147, 0.0107
"""Mean and spread of the labels that scores start from."""


@pytest.fixture(scope="session")
def wavelength():
    """The 283 wavelengths of a label [um]."""
    return np.concatenate([[0.7], np.linspace(1.95, 3.9, N_WAVELENGTH - 1)])


@pytest.fixture(scope="session")
def predicted():
    """A maker of predictions whose errors are so many sigmas."""

    def make(n_planet=60, error=1.0, split="test", sigma=5e-5, known=True):
        rng = np.random.default_rng(n_planet)
        truth = rng.uniform(0.004, 0.03, (n_planet, 1)) * (1.0 + 0.01 * rng.standard_normal((n_planet, N_WAVELENGTH)))
        mean = truth + error * sigma * rng.standard_normal(truth.shape)
        ids = 100 + np.arange(n_planet)
        sigmas = np.full(truth.shape, sigma)
        return Predictions(split, ids, mean, sigmas, truth if known else None, "2025", NAIVE)

    return make


@pytest.fixture(scope="session")
def fitted(wavelength):
    """A maker of a visit's fit and light curves, with noise of one's own: (n_time, n_wavelength) [1]."""

    def make(noise, planet=100, visit=0, flags=None, depth=0.01, seconds=120.0):
        n_time, n = noise.shape
        time = seconds * np.arange(n_time)
        middle, duration = float(time.mean()), 9000.0
        model = 1.0 - depth * np.repeat((np.abs(time - middle) < duration / 2.0)[:, None], n, axis=1)
        parameters = {
            "mid_time": Estimate(middle, 3.0),
            "duration": Estimate(duration, 40.0),
            "semi_major_axis": Estimate(10.03, 0.0321),
            "impact_parameter": Estimate(0.31, 0.052),
        }
        covariance = np.diag(np.full(n, 1e-8))
        fit = TransitFit(
            planet_id=planet,
            visit=visit,
            wavelength=wavelength[:n],
            depth=np.full(n, depth),
            covariance=covariance,
            parameters=parameters,
            time=time,
            flux=model + noise,
            model=model,
            noise_scale=np.ones(n),
            flags=flags or {},
            correlation_names=("mid_time", "semi_major_axis"),
            correlation=np.array([[1.0, -0.4], [-0.4, 1.0]]),
        )
        pointing = np.random.default_rng(visit).standard_normal((n_time, 2))
        curves = LightCurves(
            planet_id=planet,
            visit=visit,
            time=time,
            bin_seconds=seconds,
            flux=1e5 * (model + noise),
            flux_err=np.full(noise.shape, 10.0),
            wavelength=wavelength[:n],
            regressors=pointing,
            regressor_names=("fgs1_row_centroid", "airs_row_centroid"),
            applied=("linearity", "flat"),
        )
        return fit, curves

    return make


@pytest.fixture
def white_noise():
    """Noise (225, 283) that is white [1]."""
    return 2e-4 * np.random.default_rng(7).standard_normal((225, N_WAVELENGTH))
