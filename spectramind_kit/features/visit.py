"""One visit as the network's input: what the light curves show beyond their depths.

Everything is dimensionless and of order one: residuals in expected sigmas, times in half transits, flux in depths.
"""

import math
from dataclasses import dataclass

import numpy as np

from spectramind_kit.flags import SAME_IN_EVERY_FOLDER
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import Estimate, LightCurves, Planet, TransitFit
from spectramind_kit.robust_statistics import MAD_TO_SIGMA
from spectramind_kit.shapes import require_shape

REGRESSORS = ("fgs1_row_centroid", "fgs1_column_centroid", "fgs1_row_width", "airs_row_centroid", "airs_row_width")
SEQUENCE = (
    *("fgs1_residual", "airs_residual", "colour_residual", "fgs1_transit", "airs_transit", "fgs1_flux", "airs_flux"),
    *REGRESSORS,
    *("time", "phase"),
)
"""Channels of the sequence. Residuals and regressors are in standard deviations, flux and transit in depths."""
TEMPLATES = ("curvature", "slope", "contacts", "jump")
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
_PRIOR_WEIGHT = 5.0
"""Pseudo-count of points with the expected scatter."""
_SHORTEST_HALF = 600.0
"""Half of a transit is taken to last so long at least, or a failed fit's phases would all be cut [s]."""
_LARGEST_PHASE = 4.0
_CURVED, _CONTACT = 0.85, 0.15
"""Phase up to which limb darkening curves the floor of a transit, and half width of a contact [half durations]."""


@dataclass(frozen=True, eq=False)
class VisitFeatures:
    """One visit as the network's input.

    Attributes:
        sequence: (n_time, len(SEQUENCE)) float32.
        node: (n_wavelength, len(VISIT_NODE)) float32.
        context: (len(VISIT_CONTEXT),) float32.
        depth_bias: (2, 2) of the fit, FGS1 and AIRS-CH0: depth bias to expect from correlated noise [(Rp/Rs)^2], and
            its variance [(Rp/Rs)^4].
    """

    sequence: np.ndarray
    node: np.ndarray
    context: np.ndarray
    depth_bias: np.ndarray

    def __post_init__(self):
        require_shape("VisitFeatures", "sequence", self.sequence, (None, len(SEQUENCE)))
        require_shape("VisitFeatures", "node", self.node, (None, len(VISIT_NODE)))
        require_shape("VisitFeatures", "context", self.context, (len(VISIT_CONTEXT),))
        require_shape("VisitFeatures", "depth_bias", self.depth_bias, (2, 2))


def visit_features(curves: LightCurves, fit: TransitFit, planet: Planet) -> VisitFeatures:
    """Return what one visit shows beyond its depths.

    Args:
        curves: light curves that were fitted.
        fit: their fit.
        planet: for the published orbit.
    """
    level = np.nanmedian(curves.flux, axis=0)
    error = curves.flux_err * fit.noise_scale / np.where(np.abs(level) > 0, level, np.inf)
    residual = np.nan_to_num(fit.residual / np.where(error > 0, error, np.inf)).clip(-_CLIP, _CLIP)
    used = np.isfinite(fit.flux) & np.isfinite(error) & (error > 0)
    weight = np.where(used, error, np.inf) ** -2.0  # zero where nothing was measured
    phase = _phase(fit)
    fgs1, airs = (np.where(mask, weight, 0.0) for mask in (is_fgs1(fit.wavelength), ~is_fgs1(fit.wavelength)))
    white = [_white(fit.residual, part) for part in (fgs1, airs)]
    templates = _templates(phase)
    context = [*_orbit_context(fit, planet), *_darkening_context(fit)]
    for series in white:
        context += [*_autocorrelation(series), *_project(series[:, None], templates)[0]]
    context.append(math.log1p(len(fit.flags.keys() - SAME_IN_EVERY_FOLDER)))
    return VisitFeatures(
        sequence=_sequence(curves, fit, fgs1, airs, white, phase),
        node=np.column_stack(
            [*_scatter(residual, used, phase), np.log(np.maximum(fit.noise_scale, 1.0)), _project(residual, templates)]
        ).astype(np.float32),
        context=np.nan_to_num(np.array(context, dtype=np.float32)).clip(-20.0, 20.0),
        depth_bias=fit.depth_bias,
    )


def _phase(fit: TransitFit) -> np.ndarray:
    """Return time from mid-transit in half durations, (n_time,): contacts lie at -1 and 1."""
    half = max(fit.parameters["duration"].value / 2.0, _SHORTEST_HALF)
    return ((fit.time - fit.parameters["mid_time"].value) / half).clip(-_LARGEST_PHASE, _LARGEST_PHASE)


def _white(residual: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean residual in units of its expected sigma, (n_time,)."""
    total = weight.sum(axis=1)
    summed = (np.nan_to_num(residual) * weight).sum(axis=1)
    return (summed / np.sqrt(np.where(total > 0, total, np.inf))).clip(-_CLIP, _CLIP)


def _templates(phase: np.ndarray) -> np.ndarray:
    """Return time series of unit norm (n_time, len(TEMPLATES)) that errors of the model leave in residuals.

    Curvature of the transit's floor: wrong limb darkening, whose quadratic law is even about mid-transit. Slope inside:
    a spot crossing off the middle. Contacts: wrong impact parameter or orbit, which changes how long ingress and egress
    last. Jump: the level before against that after the transit, from drifts and flux jumps that the baseline missed.
    """
    inside, middle = np.abs(phase) < 1.0, np.abs(phase) < _CURVED
    curvature = np.where(middle, phase**2 - 0.25, 0.0)  # about free of a mean, which the depth has absorbed
    contacts = (np.abs(np.abs(phase) - 1.0) < _CONTACT).astype(float)
    raw = [curvature, np.where(inside, phase, 0.0), contacts, np.sign(phase) * ~inside]
    return np.column_stack([series / max(np.sqrt(np.square(series).sum()), 1e-9) for series in raw])


def _project(residual: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Return the projections of standardised residuals (n_time, n) on the templates, (n, n_template).

    White noise projects with variance one on a template of unit norm, whatever the length of the visit.
    """
    return residual.T @ templates


def _scatter(residual: np.ndarray, used: np.ndarray, phase: np.ndarray) -> list[np.ndarray]:
    """Return ln of the scatter over the expected one in and out of transit, (n_wavelength,) each.

    Args:
        residual: (n_time, n_wavelength) standardised residuals.
        used: (n_time, n_wavelength) bool, where there was light to fit.
        phase: (n_time,) [half durations].
    """
    parts = []
    for part in (np.abs(phase) <= 1.0, np.abs(phase) > 1.0):
        n = (used & part[:, None]).sum(axis=0)
        square = (np.square(residual) * used * part[:, None]).sum(axis=0)
        # The expected scatter has a prior weight of five points, for a short transit has few of its own.
        parts.append(0.5 * np.log((square + _PRIOR_WEIGHT) / (n + _PRIOR_WEIGHT)))
    return parts


def _autocorrelation(series: np.ndarray) -> list[float]:
    """Return the correlation of a series with itself, summed over lags up to 1, 5 and 20 points.

    The sum up to a lag tells by how much averages over that time scatter more than white noise would.
    """
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
    """Return the channels ``SEQUENCE``, (n_time, len(SEQUENCE)) float32.

    Args:
        curves: light curves that were fitted.
        fit: their fit.
        fgs1: (n_time, n_wavelength) inverse variance, zero outside FGS1.
        airs: (n_time, n_wavelength) inverse variance, zero outside AIRS-CH0.
        white: standardised white-light residuals of both channels, (n_time,) each.
        phase: (n_time,) [half durations].
    """
    middle = np.median(fit.wavelength[~is_fgs1(fit.wavelength)]) if (~is_fgs1(fit.wavelength)).any() else 0.0
    short = np.where(fit.wavelength < middle, airs, 0.0)
    blue, red = _white(fit.residual, short), _white(fit.residual, airs - short)
    depth = max(float(np.average(fit.depth, weights=1.0 / np.diag(fit.covariance))), 1e-4)
    # The halves are independent, so that their difference has the variance of two: spots and limb darkening have a
    # colour, drifts of the pointing hardly any.
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
    """Return the fitted orbit, the axis relative to the published one; all of order one."""
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
    """Return fitted limb darkening and its errors, in tenths: offsets from a model atmosphere are about so large."""
    estimates = [_parameter(fit, name) for name in _PARAMETERS]
    return [10.0 * number for estimate in estimates for number in (estimate.value, estimate.error)]
