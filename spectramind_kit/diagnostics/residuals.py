"""What the residuals of a visit say about its noise: how it averages down, its power, and its ties to the pointing.

    beta(m) = std(means of m points) / (std(points) / sqrt(m)) sqrt((M - 1) / M),   M means

is 1 for white noise and above where residuals are correlated over m points (Winn et al. 2008, ApJ 683, 1076; in the
manner of Allan's deviation). The power is that of the residuals over their variance, whose mean is 1 for white noise.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from spectramind_kit.instruments import is_fgs1
from spectramind_kit.products import LightCurves, TransitFit
from spectramind_kit.shapes import Product

SCALES = np.array([2.5, 5.0, 10.0, 20.0, 40.0, 60.0])
"""Times that residuals are averaged over [min]."""
TYPICAL_SCALE = 3
"""Place of that which a planet is judged by: 20 min, about an ingress."""
FREQUENCY_EDGES = np.geomspace(0.12, 25.0, 17)
"""Of the bins of the power [1/h]: from a visit's length to twice a bin's."""
PHASE_EDGES = np.linspace(-2.0, 2.0, 41)
"""Of the bins of the mean residuals: time from mid-transit in half durations."""
WAVELENGTHS_IN_A_BIN = 4
_FEWEST_MEANS = 4
_WHITE_NOISE = 1e-12


@dataclass(frozen=True, repr=False)
class ResidualStatistics(Product):
    """The residuals of one visit; channels are FGS1 and AIRS-CH0, each at its weighted mean over wavelengths.

    Attributes:
        planet_id: of the planet.
        visit: its number.
        beta: (2, len(SCALES)) of the channels [1]; NaN where a visit is too short.
        beta_by_wavelength: (n_wavelength,) at the typical scale [1].
        power: (2, n_bin) over that of white noise [1]; NaN where a visit has no such frequency.
        pointing: (2,) correlation with each regressor, by its name.
        n_time: times that the correlations rest on.
        phase_map: (n_phase, n_wavelength_bin) sums of standardised residuals over the square root of their number;
            NaN where there is none.
    """

    planet_id: int
    visit: int
    beta: np.ndarray
    beta_by_wavelength: np.ndarray
    power: np.ndarray
    n_time: int
    phase_map: np.ndarray
    pointing: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def typical_beta(self) -> np.ndarray:
        """Beta of both channels at the typical scale, (2,)."""
        return self.beta[:, TYPICAL_SCALE]


def residual_statistics(fit: TransitFit, curves: LightCurves | None) -> ResidualStatistics:
    """Measure the residuals of a visit.

    Args:
        fit: of the visit.
        curves: its light curves, whose regressors follow the pointing; None where they are not at hand.
    """
    residual, seconds = fit.residual, float(np.median(np.diff(fit.time)))
    white = white_residuals(fit)
    wide = round(60.0 * SCALES[TYPICAL_SCALE] / seconds)
    return ResidualStatistics(
        planet_id=fit.planet_id,
        visit=fit.visit,
        beta=np.column_stack([beta(white, round(60.0 * minutes / seconds)) for minutes in SCALES]),
        beta_by_wavelength=beta(residual, wide),
        power=np.stack([power(series, seconds) for series in white.T]),
        n_time=int(np.isfinite(white).all(axis=1).sum()),
        phase_map=phase_map(fit),
        pointing={} if curves is None else pointing_correlation(white, curves),
    )


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean over wavelengths of what is finite, (n_time,); NaN where nothing is.

    Args:
        values: (n_time, n_wavelength).
        weight: (n_wavelength,).
    """
    used = np.isfinite(values) * weight
    total = used.sum(axis=1)
    return np.where(total > 0, (np.nan_to_num(values) * used).sum(axis=1) / np.where(total > 0, total, 1.0), np.nan)


def inverse_variance(residual: np.ndarray) -> np.ndarray:
    """Return the weights of wavelengths (n_wavelength,) that their scatter in time asks for; 0 where nothing is."""
    used = np.isfinite(residual)
    n = used.sum(axis=0)
    mean = np.where(used, residual, 0.0).sum(axis=0) / np.maximum(n, 1)
    variance = np.where(used, (residual - mean) ** 2, 0.0).sum(axis=0) / np.maximum(n, 1)
    return np.where(variance > _WHITE_NOISE**2, 1.0 / np.maximum(variance, _WHITE_NOISE**2), 0.0)


def white_residuals(fit: TransitFit) -> np.ndarray:
    """Return the residuals of FGS1 and of the weighted mean of AIRS-CH0, (n_time, 2) [1]; NaN where not used."""
    residual, fgs1 = fit.residual, is_fgs1(fit.wavelength)
    weight = inverse_variance(residual)
    return np.column_stack([weighted_mean(residual[:, part], weight[part]) for part in (fgs1, ~fgs1)])


def beta(residual: np.ndarray, n_point: int) -> np.ndarray:
    """Return by how much means of some points scatter more than white noise would make them, (n_series,) [1].

    Args:
        residual: (n_time, n_series); NaN where a point was not used.
        n_point: in a mean.

    Returns:
        NaN where there are too few means.
    """
    n_point = max(1, n_point)
    n_mean = len(residual) // n_point
    if n_mean < _FEWEST_MEANS:
        return np.full(residual.shape[1], np.nan)
    parts = residual[: n_mean * n_point].reshape(n_mean, n_point, -1)
    used = np.isfinite(parts)
    count = used.sum(axis=1)  # (n_mean, n_series)
    means = np.where(used, parts, 0.0).sum(axis=1) / np.maximum(count, 1)
    enough = 2 * count > n_point
    means[~enough] = np.nan
    scatter, n = _scatter(means)
    single, _ = _scatter(residual)
    points = np.where(enough, count, 0).sum(axis=0) / np.maximum(n, 1)
    with np.errstate(all="ignore"):
        factor = scatter / (single / np.sqrt(points))
    return np.where((n >= _FEWEST_MEANS) & (single > _WHITE_NOISE), factor, np.nan)


def _scatter(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the unbiased standard deviation over time (n_series,), and how many points it rests on."""
    used = np.isfinite(series)
    n = used.sum(axis=0)
    mean = np.where(used, series, 0.0).sum(axis=0) / np.maximum(n, 1)
    square = np.where(used, (series - mean) ** 2, 0.0).sum(axis=0)
    return np.sqrt(square / np.maximum(n - 1, 1)), n


def power(series: np.ndarray, seconds: float) -> np.ndarray:
    """Return the power of a series in bins of frequency (n_bin,), over that of white noise [1]; NaN in empty bins.

    Args:
        series: (n_time,); NaN where a point was not used, which counts as its mean.
        seconds: between two points [s].
    """
    used = np.isfinite(series)
    centred = np.where(used, series - series[used].mean(), 0.0) if used.any() else np.zeros(len(series))
    total = float(centred @ centred)
    if total <= _WHITE_NOISE**2:
        return np.full(len(FREQUENCY_EDGES) - 1, np.nan)
    density = np.abs(np.fft.rfft(centred))[1:] ** 2 / total
    place = np.digitize(np.fft.rfftfreq(len(centred), seconds / 3600.0)[1:], FREQUENCY_EDGES) - 1
    inside = (place >= 0) & (place < len(FREQUENCY_EDGES) - 1)
    n = np.bincount(place[inside], minlength=len(FREQUENCY_EDGES) - 1)
    summed = np.bincount(place[inside], density[inside], minlength=len(FREQUENCY_EDGES) - 1)
    return np.where(n > 0, summed / np.maximum(n, 1), np.nan)


def pointing_correlation(white: np.ndarray, curves: LightCurves) -> dict[str, np.ndarray]:
    """Return the correlation of white residuals (n_time, 2) with each regressor, (2,) by its name."""
    found = {}
    for name, regressor in zip(curves.regressor_names, curves.regressors.T):
        if len(regressor) == len(white) and np.isfinite(regressor).any():
            found[name] = np.array([_correlation(series, regressor) for series in white.T])
    return found


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    used = np.isfinite(first) & np.isfinite(second)
    if used.sum() < _FEWEST_MEANS:
        return math.nan
    x, y = first[used] - first[used].mean(), second[used] - second[used].mean()
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0 else math.nan


def phase_map(fit: TransitFit) -> np.ndarray:
    """Return standardised residuals summed in bins of phase and wavelength, over the square root of their number.

    White noise gives numbers of mean 0 and variance 1, whatever the size of a bin.

    Args:
        fit: of a visit; phase is time from its mid-transit in half durations.
    """
    middle, duration = (fit.parameters[name].value for name in ("mid_time", "duration"))
    phase = (fit.time - middle) / max(duration / 2.0, 1.0)
    return binned_residuals(fit.residual, np.digitize(phase, PHASE_EDGES) - 1, len(PHASE_EDGES) - 1)


def binned_residuals(residual: np.ndarray, time_bin: np.ndarray, n_time_bin: int) -> np.ndarray:
    """Return standardised residuals summed in bins, over the square root of their number; NaN in empty bins.

    Args:
        residual: (n_time, n_wavelength); NaN where a point was not used.
        time_bin: (n_time,) bin of each time; other numbers than 0 .. n_time_bin - 1 are left out.
        n_time_bin: number of bins.

    Returns:
        (n_time_bin, n_wavelength_bin); FGS1 is the first bin of wavelengths, the last one may be narrower.
    """
    z = residual * np.sqrt(inverse_variance(residual))
    used = np.isfinite(z)
    starts = np.r_[0, np.arange(1, z.shape[1], WAVELENGTHS_IN_A_BIN)]
    summed = np.add.reduceat(np.where(used, z, 0.0), starts, axis=1)
    count = np.add.reduceat(used.astype(float), starts, axis=1)
    inside = (time_bin >= 0) & (time_bin < n_time_bin)
    total, n = np.zeros((2, n_time_bin, len(starts)))
    np.add.at(total, time_bin[inside], summed[inside])
    np.add.at(n, time_bin[inside], count[inside])
    return np.where(n > 0, total / np.sqrt(np.maximum(n, 1.0)), np.nan)
