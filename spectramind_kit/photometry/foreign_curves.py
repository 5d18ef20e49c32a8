"""Light curves from elsewhere: put in order, and refused in words where they cannot be fitted.

What a fit would swallow without a word is looked for here: times in days, wavelengths in nm, errors or a part of the
flux in another unit, flux around zero, arrays that do not belong together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spectramind_kit.errors import ProductError
from spectramind_kit.products import LightCurves
from spectramind_kit.robust_statistics import MAD_TO_SIGMA

_SHORTEST, _LONGEST = 1800.0, 10 * 86400.0
"""Of one visit with a transit [s]: shorter ones are in days, hours or minutes, longer ones in ms, or many visits."""
_WAVELENGTHS = 0.05, 100.0
"""Of any instrument for transits [um]: below they are in m, above in nm or angstroms."""
_MOST_MISSING = 0.5
"""Of the points of a wavelength: with more missing its light curve says nothing."""
_LARGEST_ERROR = 0.3
"""Of a point in the best wavelength, relative to the level: above, units differ, or there is no level [1]."""
_LARGEST_STEP = 2.0
"""Ratio of levels within a light curve: no transit covers half a star."""
_CHUNKS, _FEWEST_IN_A_CHUNK = 10, 5
_SPIKE = 5.0
"""Second differences beyond are none of the noise's [sigma]."""


def light_curves(
    time: Any,
    flux: Any,
    wavelength: Any,
    flux_err: Any = None,
    *,
    planet_id: int = 0,
    visit: int = 0,
    regressors: Mapping[str, Any] | None = None,
) -> LightCurves:
    """Take light curves from elsewhere: put in order, and refused in words where they cannot be fitted.

    Times are sorted, wavelengths put FGS1 first and ascending; any type of number, byte order or stride is read, and
    astropy's quantities are converted. Points that are masked or not finite, and those with an error that is not above
    zero, are left out of the fit.

    Args:
        time: (n_time,) middle of each exposure or bin [s].
        flux: (n_time, n_wavelength), or (n_time,) of one wavelength, in any linear unit.
        wavelength: (n_wavelength,) [um]; below 1 um it counts as FGS1's.
        flux_err: like ``flux``, in its unit, or (n_wavelength,); None to take the scatter from point to point.
        planet_id: of the planet.
        visit: its number.
        regressors: by name, (n_time,) each, such as "fgs1_row_centroid" [pixel].

    Raises:
        ProductError: if shapes do not fit together, times repeat or are not finite, hardly a point is usable, or units
            are not those, or mixed.
    """
    time, wavelength = _numbers("times", time, "s"), np.atleast_1d(_numbers("wavelengths", wavelength, "um"))
    flux = _numbers("flux", flux)
    flux = flux[:, None] if flux.ndim == 1 else flux
    error = None if flux_err is None else _numbers("errors", flux_err)
    _refuse_shapes(time, flux, wavelength)
    _refuse_times_and_wavelengths(time, wavelength)
    order, colours = np.argsort(time, kind="stable"), np.argsort(wavelength, kind="stable")
    error = _scatter(flux[order]) if error is None else _error_like(error, flux.shape)[order]
    time, wavelength = time[order], wavelength[colours]
    flux, error = flux[order][:, colours], error[:, colours].copy()
    usable = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    _refuse_missing(usable)
    _refuse_levels(flux, error, usable, wavelength)
    error[~usable] = np.inf
    names = tuple(regressors or ())
    columns = [_regressor(name, (regressors or {})[name], len(time))[order] for name in names]
    return LightCurves(
        planet_id=planet_id,
        visit=visit,
        time=time,
        bin_seconds=float(np.median(np.diff(time))),
        flux=np.where(usable, flux, np.nan),
        flux_err=error,
        wavelength=wavelength,
        regressors=np.column_stack(columns) if columns else np.empty((len(time), 0)),
        regressor_names=names,
    )


def _numbers(what: str, values: Any, unit: str = "") -> np.ndarray:
    """Return values as float64 of this machine's byte order; a masked one is NaN, a quantity is in ``unit``."""
    try:
        if hasattr(values, "to_value"):  # astropy's quantities, without astropy
            values = values.to_value(unit) if unit else values.value
        array = np.ma.asarray(values)
        if array.dtype.kind in "cmMSU":
            raise TypeError(f"values of type {array.dtype}")
        return np.ma.filled(array.astype(np.float64), np.nan)
    except (TypeError, ValueError) as error:
        wanted = f"real numbers{f' [{unit}]' if unit else ''}"
        raise ProductError(f"{what} of light curves", wanted=wanted, got=str(error)) from error


def _refuse_shapes(time: np.ndarray, flux: np.ndarray, wavelength: np.ndarray) -> None:
    for what, array in (("times", time), ("wavelengths", wavelength)):
        if array.ndim != 1:
            raise ProductError(f"{what} of light curves", wanted="one dimension", got=f"shape {array.shape}")
    if flux.shape != (len(time), len(wavelength)):
        wanted = f"shape (n_time, n_wavelength) = {(len(time), len(wavelength))}"
        remedy = "transpose it" if flux.T.shape == (len(time), len(wavelength)) else "take arrays that belong together"
        raise ProductError("flux of light curves", wanted=wanted, got=f"{flux.shape}", remedy=remedy)


def _refuse_times_and_wavelengths(time: np.ndarray, wavelength: np.ndarray) -> None:
    if not (np.isfinite(time).all() and np.isfinite(wavelength).all() and (wavelength > 0).all()):
        raise ProductError("times and wavelengths of light curves", wanted="finite, wavelengths above 0", got="others")
    low, high = wavelength.min(), wavelength.max()
    if low < _WAVELENGTHS[0] or high > _WAVELENGTHS[1]:
        remedy = "divide nm by 1000, multiply m by 1e6"
        raise ProductError("wavelengths of light curves", wanted="um", got=f"{low:g} to {high:g}", remedy=remedy)
    step = np.diff(np.sort(time))
    if len(time) < 2 or (step <= 0).any():
        got = f"{int((step <= 0).sum())} that repeat" if len(time) > 1 else f"{len(time)} times"
        raise ProductError("times of light curves", wanted="two or more, each once", got=got, remedy="average repeats")
    length = float(np.ptp(time))
    if not _SHORTEST <= length <= _LONGEST:
        remedy = "multiply days by 86400, hours by 3600" if length < _SHORTEST else "cut out one transit"
        wanted = f"seconds of one visit, {_SHORTEST:g} to {_LONGEST:g} from first to last"
        raise ProductError("times of light curves", wanted=wanted, got=f"{length:g}", remedy=remedy)


def _error_like(error: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return errors in the shape of the flux."""
    if error.ndim == 1 and shape[1] == 1 and len(error) == shape[0]:
        error = error[:, None]
    # A row a wavelength would be taken for a row a time where there are as many of both.
    if error.shape not in (shape, shape[1:], (shape[0], 1), ()):
        wanted = f"shape {shape} as the flux, or ({shape[1]},), one a wavelength"
        raise ProductError("errors of light curves", wanted=wanted, got=f"{error.shape}")
    return np.broadcast_to(error, shape)


def _refuse_missing(usable: np.ndarray) -> None:
    if (missing := 1.0 - usable.mean(axis=0).max()) > _MOST_MISSING:
        got = f"{100 * missing:.0f} % missing in the best wavelength"
        raise ProductError("flux of light curves", wanted="finite numbers with errors above 0", got=got)


def _refuse_levels(flux: np.ndarray, error: np.ndarray, usable: np.ndarray, wavelength: np.ndarray) -> None:
    """Refuse flux without a level above zero, errors in another unit, and a light curve of several units."""
    known = usable.mean(axis=0) >= 1.0 - _MOST_MISSING
    level = np.array([np.median(f[u]) if u.any() else 0.0 for f, u in zip(flux.T, usable.T)])
    typical = np.array([np.median(e[u]) if u.any() else np.inf for e, u in zip(error.T, usable.T)])
    relative = np.where(known & (level > 0), typical / np.where(level > 0, level, 1.0), np.inf)
    best = int(np.argmin(relative))
    if not relative[best] < _LARGEST_ERROR:
        wanted = f"levels above zero, and errors in the same unit, below {_LARGEST_ERROR:g} of them"
        best = int(np.argmin(np.where(known, typical, np.inf)))
        got = f"level {level[best]:.3g}, error {typical[best]:.3g} at {wavelength[best]:g} um"
        remedy = "add 1 to deviations from 1, make flux of magnitudes, give errors in the unit of the flux"
        raise ProductError("flux of light curves", wanted=wanted, got=got, remedy=remedy)
    for place in np.flatnonzero(relative < _LARGEST_ERROR):
        curve = flux[usable[:, place], place]
        parts = np.array_split(curve, min(_CHUNKS, max(1, len(curve) // _FEWEST_IN_A_CHUNK)))
        low, high = np.quantile([np.median(part) for part in parts], [0.0, 1.0])
        if low <= 0 or high / low > _LARGEST_STEP:
            wanted, got = "one unit all along", f"levels of {low:.3g} to {high:.3g} at {wavelength[place]:g} um"
            raise ProductError("flux of light curves", wanted=wanted, got=got, remedy="bring all to one unit")


def _regressor(name: str, values: Any, n_time: int) -> np.ndarray:
    column = _numbers(f"regressor {name}", values)
    if column.shape != (n_time,):
        raise ProductError(f"regressor {name} of light curves", wanted=f"shape ({n_time},)", got=f"{column.shape}")
    return column


def _scatter(flux: np.ndarray) -> np.ndarray:
    """Return the white noise of every wavelength in the shape of the flux, from second differences in time.

    Drift and transit hardly enter them. The median says which are spikes, the mean square of the others how large the
    noise is: of a few hundred points the median alone would know it to 8 % only.
    """
    second = np.diff(np.where(np.isfinite(flux), flux, np.nan), n=2, axis=0)
    known = np.isfinite(second)
    size = np.where(known, np.abs(second), 0.0)
    typical = MAD_TO_SIGMA * np.array([np.median(s[k]) if k.any() else 0.0 for s, k in zip(size.T, known.T)])
    # Rounded flux may repeat so often that the median is zero.
    used = known & ((size < _SPIKE * typical) | (typical == 0.0))
    scatter = np.sqrt((size**2).sum(axis=0, where=used) / np.maximum(used.sum(axis=0), 1) / 6.0)
    return np.broadcast_to(scatter, flux.shape)
