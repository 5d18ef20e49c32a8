"""Light curves made ready for the fit: divided by their median, weighted, without what cannot be used.

A wavelength without light or with an infinite error is masked: its weight is zero at all times, and the others go on.
Isolated spikes (cosmic rays that calibration missed) are found against a short running median, which follows
any monotonous light curve exactly, contacts included.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from spectramind_kit.errors import FitError
from spectramind_kit.products import LightCurves
from spectramind_kit.robust_statistics import MAD_TO_SIGMA

_FEWEST_TIMES = 20
_LEAST_USABLE = 0.5
"""A wavelength with a smaller fraction of usable times is masked."""
_MEDIAN_TIMES = 5
_LEAST_SPREAD = 0.3
"""Floor of the robust scatter that spikes are counted in [sigma], however quiet the other points are."""


@dataclass(frozen=True)
class RelativeFlux:
    """Relative light curves, wavelength first.

    Attributes:
        flux: (n_wavelength, n_time) [1], 1 where not usable.
        weight: (n_wavelength, n_time), inverse variance, zero where not usable.
        spike: (n_wavelength, n_time) bool, usable points that stand out from their neighbours in time.
        level: (n_wavelength,) divided out [e- per exposure].
        valid: (n_wavelength,) bool, False where a wavelength is masked.
    """

    flux: np.ndarray
    weight: np.ndarray
    spike: np.ndarray
    level: np.ndarray
    valid: np.ndarray


def relative_flux(curves: LightCurves, spike_sigma: float) -> RelativeFlux:
    """Normalise one visit.

    Args:
        curves: its light curves.
        spike_sigma: threshold of spikes, in robust standard deviations.

    Raises:
        FitError: if there are too few times, or no wavelength has usable light.
    """
    what = f"light curves of planet {curves.planet_id}, visit {curves.visit}"
    if len(curves.time) < _FEWEST_TIMES:
        raise FitError(
            what,
            wanted=f"at least {_FEWEST_TIMES} times",
            got=len(curves.time),
            remedy="use shorter bins (photometry.bin_seconds) or leave the visit out",
        )
    flux, error = curves.flux.T, curves.flux_err.T
    usable = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    level = _median(flux, usable)
    valid = (usable.mean(axis=1) >= _LEAST_USABLE) & (level > 0)
    if not valid.any():
        raise FitError(
            what,
            wanted="a wavelength with finite flux above zero and a finite error",
            got=_what_is_wrong(flux, error),
            remedy="look at the calibration of this visit; predictions fall back to the population",
        )
    usable &= valid[:, None]
    safe_level = np.where(valid, level, 1.0)[:, None]
    relative = np.where(usable, flux / safe_level, 1.0)
    weight = np.where(usable, (safe_level / np.where(usable, error, 1.0)) ** 2, 0.0)
    spike = usable & _stands_out(relative, weight, spike_sigma)
    return RelativeFlux(relative, weight, spike, level, valid)


def _median(flux: np.ndarray, usable: np.ndarray) -> np.ndarray:
    some = usable.any(axis=1)
    level = np.zeros(len(flux))
    level[some] = np.nanmedian(np.where(usable[some], flux[some], np.nan), axis=1)
    return level


def _stands_out(relative: np.ndarray, weight: np.ndarray, spike_sigma: float) -> np.ndarray:
    """True where a point differs from the running median by many times its error and the usual difference."""
    # Mirrored, not repeated: a spike at the very end would otherwise be its own median.
    median = median_filter(relative, size=(1, _MEDIAN_TIMES), mode="mirror")
    standardised = np.abs(relative - median) * np.sqrt(weight)
    usual = MAD_TO_SIGMA * np.median(standardised, axis=1, keepdims=True)
    # Half again the outliers' threshold: no model is taken out yet, and what passes is judged again after the fit.
    return standardised > 1.5 * spike_sigma * np.maximum(usual, _LEAST_SPREAD)


def _what_is_wrong(flux: np.ndarray, error: np.ndarray) -> str:
    if not np.isfinite(flux).any():
        return "NaN flux everywhere"
    if not (np.nan_to_num(flux) != 0).any():
        return "zero flux everywhere"
    if not (np.isfinite(error) & (error > 0)).any():
        return "no finite error above zero"
    return "flux that is negative or mostly missing"
