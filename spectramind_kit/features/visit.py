"""One visit as the network sees it: what the light curves show beyond their depths.

Everything is dimensionless and of order one: residuals in expected sigmas, times in half transits, flux in depths.
"""

import math
from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate, LightCurves, Planet, TransitFit, require_shape
from spectramind_kit.robust_statistics import MAD_TO_SIGMA

REGRESSORS = ("fgs1_row_centroid", "fgs1_column_centroid", "fgs1_row_width", "airs_row_centroid", "airs_row_width")
SEQUENCE = (
    *("fgs1_residual", "airs_residual", "colour_residual", "fgs1_transit", "airs_transit", "fgs1_flux", "airs_flux"),
    *REGRESSORS,
    *("time", "phase"),
)
"""Channels of the sequence. Residuals and regressors are in standard deviations, flux and transit in depths."""
TEMPLATES = ("curvature", "slope", "contacts", "step")
"""What the residuals in and around the transit are projected on."""
VISIT_NODE = ("ln_scatter_in", "ln_scatter_out", "ln_noise_scale", *TEMPLATES)
_PARAMETERS = ("fgs1_u1", "fgs1_u2", "airs_u1", "airs_u2", "airs_u1_slope", "airs_u2_slope")
VISIT_CONTEXT = (
    *("duration", "ln_axis_ratio", "axis_error", "impact", "impact_error", "mid_time"),
    *(f"{name}{part}" for name in _PARAMETERS for part in ("", "_error")),
    *(f"{channel}_{name}" for channel in ("fgs1", "airs") for name in ("lag_1", "lag_5", "lag_20", *TEMPLATES)),
    "n_flag",
)
"""Single numbers of a visit."""

_CLIP = 8.0
"""Residuals beyond are cut: one wild point must not outshine a transit [standard deviations]."""
_HALF_WINDOW = 13_500.0
"""Half of a visit [s]."""


@dataclass(frozen=True, eq=False)
class VisitFeatures:
    """One visit as the network sees it: sequence (n_time, n_channel), node (n_wavelength, n_channel), context (n,).

    ``stray_noise`` is the fit's (2, 2), FGS1 and AIRS-CH0: expected error of the depth and its variance [(Rp/Rs)^2].
    """

    sequence: np.ndarray
    node: np.ndarray
    context: np.ndarray
    stray_noise: np.ndarray

    def __post_init__(self):
        require_shape("VisitFeatures", "sequence", self.sequence, (None, len(SEQUENCE)))
        require_shape("VisitFeatures", "node", self.node, (None, len(VISIT_NODE)))
        require_shape("VisitFeatures", "context", self.context, (len(VISIT_CONTEXT),))
        require_shape("VisitFeatures", "stray_noise", self.stray_noise, (2, 2))


def visit_features(curves: LightCurves, fit: TransitFit, planet: Planet) -> VisitFeatures:
    """Return what one visit shows beyond its depths.

    Args:
        curves: light curves that were fitted; fit: their fit; planet: for the published orbit.
    """
    level = np.nanmedian(curves.flux, axis=0)
    error = curves.flux_err * fit.noise_scale / np.where(np.abs(level) > 0, level, np.inf)
    pull = np.nan_to_num(fit.residual / np.where(error > 0, error, np.inf)).clip(-_CLIP, _CLIP)
    used = np.isfinite(fit.flux) & np.isfinite(error) & (error > 0)
    weight = np.where(used, error, np.inf) ** -2.0
    phase = _phase(fit)
    fgs1, airs = (np.where(mask, weight, 0.0) for mask in (is_fgs1(fit.wavelength), ~is_fgs1(fit.wavelength)))
    white = [_white(fit.residual, part) for part in (fgs1, airs)]
    templates = _templates(phase)
    context = [*_orbit_context(fit, planet), *_darkening_context(fit)]
    for series in white:
        context += [*_autocorrelation(series), *_project(series[:, None], templates)[0]]
    context.append(math.log1p(len(fit.flags)))
    return VisitFeatures(
        sequence=_sequence(curves, fit, fgs1, airs, white, phase),
        node=np.column_stack(
            [*_scatter(pull, used, phase), np.log(np.maximum(fit.noise_scale, 1.0)), _project(pull, templates)]
        ).astype(np.float32),
        context=np.nan_to_num(np.array(context, dtype=np.float32)).clip(-20.0, 20.0),
        stray_noise=fit.depth_bias,
    )


def _phase(fit: TransitFit) -> np.ndarray:
    """Return time from mid-transit in half durations, (n_time,): contacts lie at -1 and 1."""
    half = max(fit.parameters["duration"].value / 2.0, 600.0)
    return ((fit.time - fit.parameters["mid_time"].value) / half).clip(-4.0, 4.0)


def _white(residual: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean residual in units of its expected sigma, (n_time,)."""
    total = weight.sum(axis=1)
    summed = (np.nan_to_num(residual) * weight).sum(axis=1)
    return (summed / np.sqrt(np.where(total > 0, total, np.inf))).clip(-_CLIP, _CLIP)


def _templates(phase: np.ndarray) -> np.ndarray:
    """Return orthonormal time series (n_time, len(TEMPLATES)): what wrong limb darkening, spots and drifts leave."""
    inside, middle = np.abs(phase) < 1.0, np.abs(phase) < 0.85
    curvature = np.where(middle, phase**2 - 0.25, 0.0)
    contacts = (np.abs(np.abs(phase) - 1.0) < 0.15).astype(float)
    raw = [curvature, np.where(inside, phase, 0.0), contacts, np.sign(phase) * ~inside]
    return np.column_stack([series / max(np.sqrt(np.square(series).sum()), 1e-9) for series in raw])


def _project(pull: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Return the projections of residuals (n_time, n) on the templates, (n, n_template), of order one for noise."""
    return pull.T @ templates


def _scatter(pull: np.ndarray, used: np.ndarray, phase: np.ndarray) -> list[np.ndarray]:
    """Return ln of the scatter over the expected one in and out of transit, (n_wavelength,) each."""
    parts = []
    for part in (np.abs(phase) <= 1.0, np.abs(phase) > 1.0):
        n = (used & part[:, None]).sum(axis=0)
        square = (np.square(pull) * used * part[:, None]).sum(axis=0)
        parts.append(0.5 * np.log((square + 5.0) / (n + 5.0)))  # five points' belief in the expected scatter
    return parts


def _autocorrelation(series: np.ndarray) -> list[float]:
    """Return the correlation of a series with itself, summed over lags up to 1, 5 and 20 times."""
    n, power = len(series), max(float(series @ series), 1e-9)
    lags = np.array([float(series[lag:] @ series[: n - lag]) / power for lag in range(1, min(21, n - 1))])
    return [float(lags[:stop].sum()) for stop in (1, 5, 20)]


def _sequence(
    curves: LightCurves,
    fit: TransitFit,
    fgs1: np.ndarray,
    airs: np.ndarray,
    white: list[np.ndarray],
    phase: np.ndarray,
) -> np.ndarray:
    middle = np.median(fit.wavelength[~is_fgs1(fit.wavelength)]) if (~is_fgs1(fit.wavelength)).any() else 0.0
    short = np.where(fit.wavelength < middle, airs, 0.0)
    blue, red = _white(fit.residual, short), _white(fit.residual, airs - short)
    depth = max(float(np.average(fit.depth, weights=1.0 / np.diag(fit.covariance))), 1e-4)
    columns = [white[0], white[1], (blue - red) / math.sqrt(2.0)]
    columns += [_mean((1.0 - fit.model) / depth, weight) for weight in (fgs1, airs)]
    star = curves.flux / np.nanmedian(np.where(np.abs(phase)[:, None] > 1.0, curves.flux, np.nan), axis=0)
    columns += [_mean((1.0 - star) / depth, weight) for weight in (fgs1, airs)]
    columns += [_regressor(curves, name) for name in REGRESSORS]
    columns += [(fit.time - fit.time.mean()) / _HALF_WINDOW, phase]
    return np.nan_to_num(np.column_stack(columns), posinf=0.0, neginf=0.0).clip(-_CLIP, _CLIP).astype(np.float32)


def _mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean over wavelengths, (n_time,); 0 where nothing has weight."""
    total = weight.sum(axis=1)
    return (np.nan_to_num(values) * weight).sum(axis=1) / np.where(total > 0, total, np.inf)


def _regressor(curves: LightCurves, name: str) -> np.ndarray:
    """Return a regressor in robust standard deviations; zeros where the photometry has none of the name."""
    if name not in curves.regressor_names:
        return np.zeros(len(curves.time))
    series = curves.regressors[:, curves.regressor_names.index(name)]
    series = series - np.nanmedian(series)
    return series / max(MAD_TO_SIGMA * float(np.nanmedian(np.abs(series))), 1e-9)


def _parameter(fit: TransitFit, name: str) -> Estimate:
    return fit.parameters.get(name, Estimate(0.0, 0.0))


def _orbit_context(fit: TransitFit, planet: Planet) -> list[float]:
    axis, impact = _parameter(fit, "semi_major_axis"), _parameter(fit, "impact_parameter")
    published = planet.orbit.semi_major_axis if planet.orbit else axis.value
    ratio = axis.value / published if axis.value > 0 and published > 0 else 1.0
    return [
        _parameter(fit, "duration").value / 1e4,
        math.log(ratio),
        axis.error / max(axis.value, 1e-9),
        impact.value,
        impact.error,
        (_parameter(fit, "mid_time").value - float(fit.time.mean())) / _HALF_WINDOW,
    ]


def _darkening_context(fit: TransitFit) -> list[float]:
    estimates = [_parameter(fit, name) for name in _PARAMETERS]
    return [10.0 * number for estimate in estimates for number in (estimate.value, estimate.error)]
