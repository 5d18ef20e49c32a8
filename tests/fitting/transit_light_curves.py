"""Synthetic light curves for the tests of the fit: batman transits, photon-like noise, drift."""

import math
from collections.abc import Callable
from typing import Any

import batman
import numpy as np

from spectramind_kit.products import LightCurves, Orbit, Planet, Star
from spectramind_kit.transit.limb_darkening import quadratic_coefficients

WAVELENGTH = np.concatenate(([0.7], np.linspace(1.952, 3.895, 282)))
TEMPERATURE = 5500.0
N_TIME, BIN_SECONDS = 225, 120.0
_FINE = 5


def spectrum(depth: float) -> np.ndarray:
    """Return a spectrum with a band, a slope and an FGS1 offset of some per cent (283,)."""
    x = np.linspace(0.0, 1.0, 282)
    airs = 1.0 + 0.02 * np.exp(-(((x - 0.4) / 0.1) ** 2)) - 0.015 * x
    return depth * np.concatenate(([1.02], airs))


def relative_noise() -> np.ndarray:
    """Return the noise per bin (283,) that gives depth sigmas of 75 (FGS1) and 80-500 ppm."""
    electrons = np.interp(WAVELENGTH, [0.7, 1.95, 2.2, 2.8, 3.4, 3.9], [1.0, 1.1e5, 1.1e5, 4.8e4, 2.7e4, 5.3e3])
    noise = np.sqrt((electrons + 32 * 169.0) / 25.0) / electrons
    noise[0] = 230e-6
    return noise


def limb_darkening(rng: np.random.Generator, scatter: float) -> np.ndarray:
    u = quadratic_coefficients(TEMPERATURE, WAVELENGTH)
    u[0] += scatter * rng.standard_normal(2)
    u[1:] += 0.5 * scatter * rng.standard_normal(2)
    return u


def drift(rng: np.random.Generator, n_time: int, size: float) -> np.ndarray:
    """Return 1 + f(t) g(lambda), cubic, half as strong at the red end; FGS1 has its own f."""
    x = np.linspace(-1.0, 1.0, n_time)
    f, fgs1 = (np.polynomial.legendre.legval(x, [0.0, *rng.standard_normal(3)]) for _ in range(2))
    f, fgs1 = size * f / np.ptp(f), size * fgs1 / np.ptp(fgs1)
    return 1.0 + np.column_stack([fgs1, f[:, None] * np.linspace(1.0, 0.5, 282)])


def light_curves(
    seed: int = 0,
    depth: float = 0.0147,
    semi_major_axis: float = 10.0,
    impact_parameter: float = 0.3,
    period: float = 4.0,
    mid_time: float = 13500.0,
    noise: float = 1.0,
    drift_size: float = 1e-3,
    darkening_scatter: float = 0.04,
    table_axis_factor: float = 1.0,
    darkening: float = 1.0,
) -> tuple[LightCurves, Planet, np.ndarray]:
    """Return light curves, planet with its table row, and the true spectrum."""
    rng = np.random.default_rng(seed)
    time = (np.arange(N_TIME) + 0.5) * BIN_SECONDS
    true = spectrum(depth)
    u = darkening * limb_darkening(rng, darkening_scatter)
    offsets = ((np.arange(_FINE) + 0.5) / _FINE - 0.5) * BIN_SECONDS
    fine = (time[:, None] + offsets).ravel()
    orbit: Any = batman.TransitParams()  # its attributes begin as None
    orbit.t0, orbit.per, orbit.a = mid_time / 86400.0, period, semi_major_axis
    orbit.inc, orbit.ecc, orbit.w = math.degrees(math.acos(impact_parameter / semi_major_axis)), 0.0, 90.0
    orbit.rp, orbit.u, orbit.limb_dark = 0.1, [0.1, 0.1], "quadratic"
    model = batman.TransitModel(orbit, fine / 86400.0)
    transit = np.empty((N_TIME, len(WAVELENGTH)))
    for i in range(len(WAVELENGTH)):
        orbit.rp, orbit.u = math.sqrt(true[i]), list(u[i])
        transit[:, i] = model.light_curve(orbit).reshape(N_TIME, _FINE).mean(axis=1)
    level = np.linspace(1e5, 5e3, len(WAVELENGTH))
    sigma = relative_noise()
    flux = transit * drift(rng, N_TIME, drift_size) + noise * sigma * rng.standard_normal(transit.shape)
    curves = LightCurves(
        planet_id=1,
        visit=0,
        time=time,
        bin_seconds=BIN_SECONDS,
        flux=level * flux,
        flux_err=np.tile(level * sigma, (N_TIME, 1)),
        wavelength=WAVELENGTH,
        regressors=np.zeros((N_TIME, 0)),
    )
    table_axis = semi_major_axis * table_axis_factor
    inclination = math.degrees(math.acos(min(1.0, impact_parameter / table_axis)))
    planet = Planet(1, Star(1.0, 1.0, TEMPERATURE), Orbit(period, table_axis, inclination))
    return curves, planet, true


def standardised_level_error(depth: np.ndarray, covariance: np.ndarray, true: np.ndarray) -> float:
    """Return the error of the mean AIRS-CH0 depth in its sigmas."""
    weight = np.full(282, 1.0 / 282)
    return float(weight @ (depth - true)[1:] / np.sqrt(weight @ covariance[1:, 1:] @ weight))


def red_covariance(time: np.ndarray) -> np.ndarray:
    """Return the covariance of red noise of 25 ppm, (n_time, n_time)."""
    # Exponential kernels whose memories are a factor of four apart: their power spectra add up to nearly 1/f.
    apart = np.abs(time[:, None] - time)
    return 2.5e-5**2 * np.mean([np.exp(-apart / memory) for memory in (300.0, 1200.0, 4800.0)], axis=0)


def ramps_and_cycles(time: np.ndarray) -> np.ndarray:
    """Return six ramps, twelve cosines and their sines of height 1 (30, n_time)."""
    phase = 2.0 * np.pi * time / np.geomspace(3600.0, 14_400.0, 12)[:, None]
    return np.concatenate([np.exp(-time / np.geomspace(600.0, 3600.0, 6)[:, None]), np.cos(phase), np.sin(phase)])


def usual_correlated_noise() -> Callable[[np.random.Generator], np.ndarray]:
    """Return what draws a channel's ramp, cycle and red noise of usual size, (n_time,)."""
    time, size = np.arange(N_TIME) * BIN_SECONDS, np.array([2e-4, 4e-5 / np.sqrt(2.0), 4e-5 / np.sqrt(2.0)])
    factor, shapes = np.linalg.cholesky(red_covariance(time) + 1e-14 * np.eye(N_TIME)), ramps_and_cycles(time)

    def draw(rng: np.random.Generator) -> np.ndarray:
        ramp, cycle = rng.integers(6), rng.integers(12)
        chosen = shapes[[ramp, 6 + cycle, 18 + cycle]]
        return factor @ rng.standard_normal(N_TIME) + (size * rng.standard_normal(3)) @ chosen

    return draw
