"""What the instrument adds to the light curves: drift in time and wavelength, and pointing jitter.

    systematics(t, l) = 1 + sum_i f_i(t) sum_m M[l, i, m] c_m

The time functions f_i are Legendre polynomials (drift) and standardised regressors (jitter). The coefficients c are
shared: AIRS-CH0 wavelengths share a drift whose strength is a low-order polynomial in wavelength (the gain drift
1 + f(t) g(lambda) of ExoSim, Mugnai et al. 2025, with one g per order of f), FGS1 has a drift of its own, and its
centroids act on it. M says which coefficient acts on which wavelength.

Other regressors are left out on purpose. Widths, and the moments of AIRS-CH0, change with the background's share of
the light and therefore with the transit itself: where the background was not quite right they moved depths of simulated
planets by 0.1 %, and no residual became quieter.

Smooth drifts have falling Legendre coefficients: on the real light curves of the 2025 edition they fall about as
degree^-1.5, from 0.8e-3 (FGS1) and 0.3e-3 (AIRS-CH0) in the lowest two degrees, and so does their prior scatter.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1

_FALL = -1.5
"""Exponent of the fall of drift coefficients with degree."""
_JITTER_REGRESSORS = ("fgs1_row_centroid", "fgs1_column_centroid")
_CLIP = 4.0
"""Regressors are clipped there [standard deviations]: one wild centroid must not set the slope of a light curve."""
JUMP_SCATTER = 5.0
"""Prior scatter of a jump, relative to that of the drift's lowest degree."""


@dataclass(frozen=True)
class Systematics:
    """Time functions and how shared coefficients mix them at each wavelength.

    Attributes:
        functions: (n_function, n_time) [1].
        mixing: (n_wavelength, n_function, n_coefficient) [1].
        scatter: (n_coefficient,) prior scatter of the coefficients, relative to that of the lowest degree [1].
        names: of the coefficients: "drift_" and what drifts, "jump", or "jitter".
    """

    functions: np.ndarray
    mixing: np.ndarray
    scatter: np.ndarray
    names: tuple[str, ...]


def polynomial_basis(x: np.ndarray, order: int) -> np.ndarray:
    """Return Legendre polynomials of degree 0 to ``order`` over the range of x, shape (order + 1, len(x)).

    A range without extent is taken to its middle.

    Args:
        x: (n,), in any unit.
        order: highest degree.
    """
    low, high = (x.min(), x.max()) if len(x) else (0.0, 0.0)
    place = (2.0 * x - low - high) / (high - low) if high > low else np.zeros_like(x)
    return np.polynomial.legendre.legvander(place, order).T


def wavelength_basis(wavelength: np.ndarray, order: int) -> np.ndarray:
    """Return polynomials over the AIRS-CH0 wavelengths, (n_wavelength, order + 1), zero in the FGS1 rows."""
    airs = ~is_fgs1(wavelength)
    basis = np.zeros((len(wavelength), order + 1))
    basis[airs] = polynomial_basis(wavelength[airs], order).T
    return basis


def drift_and_jitter(
    time: np.ndarray,
    wavelength: np.ndarray,
    drift_order: int,
    drift_wavelength_order: int,
    regressors: np.ndarray,
    regressor_names: tuple[str, ...],
    jumps: tuple[float, ...] = (),
) -> Systematics:
    """Build the systematics of one visit.

    Args:
        time: (n_time,) [s].
        wavelength: (n_wavelength,) [um].
        drift_order: highest degree in time; the constant is the star's level and not part of the drift.
        drift_wavelength_order: highest degree in wavelength over AIRS-CH0.
        regressors: (n_time, n_regressor); only the centroids of FGS1 are used, where they are finite and move.
        regressor_names: of the columns of ``regressors``.
        jumps: when the flux jumped [s]; every kind of drift jumps by a size of its own.
    """
    fgs1 = is_fgs1(wavelength)
    functions = list(polynomial_basis(time, drift_order)[1:])
    over_airs = wavelength_basis(wavelength, drift_wavelength_order).T if not fgs1.all() else np.zeros((0, len(fgs1)))
    kinds = [(f"drift_airs_{degree}", strength) for degree, strength in enumerate(over_airs)]
    kinds += [("drift_fgs1", fgs1.astype(float))] if fgs1.any() else []
    # One coefficient each: the function it scales, its strength per wavelength, its prior scatter, its name.
    terms = [(i, strength, (i + 1.0) ** _FALL, name) for i in range(drift_order) for name, strength in kinds]
    for jump in jumps:
        terms += [(len(functions), strength, JUMP_SCATTER, "jump") for _, strength in kinds]
        functions.append(np.where(time > jump, 0.5, -0.5))  # half before, half after: the level stays what it was
    for series in _pointing(regressors, regressor_names) if fgs1.any() else ():
        terms.append((len(functions), fgs1.astype(float), 1.0, "jitter"))
        functions.append(series)
    mixing = np.zeros((len(wavelength), len(functions), len(terms)))
    for coefficient, (function, strength, _, _) in enumerate(terms):
        mixing[:, function, coefficient] = strength
    stacked = np.stack(functions) if functions else np.zeros((0, len(time)))
    scatter = np.array([size for _, _, size, _ in terms])
    names = tuple(name for *_, name in terms)
    return Systematics(stacked, mixing, scatter, names)


def _pointing(regressors: np.ndarray, names: tuple[str, ...]) -> Iterator[np.ndarray]:
    """Yield the standardised centroids of FGS1, those that are finite and move."""
    for name, series in zip(names, regressors.T):
        moves = np.isfinite(series).all() and np.ptp(series) > 1e-9 * max(1.0, np.abs(series).max())
        if name in _JITTER_REGRESSORS and moves:
            yield np.clip((series - series.mean()) / series.std(), -_CLIP, _CLIP)
