"""What the instrument adds to the light curves: drift, pointing, jumps; each a function of time at some wavelengths.

    systematics(t, l) = 1 + sum_i f_i(t) sum_m M[l, i, m] c_m

The coefficients c are shared: AIRS-CH0 wavelengths share systematics whose strength is a low-order polynomial in
wavelength (as a gain drift 1 + f(t) g(lambda) is, Mugnai et al. 2025), FGS1 has its own. M says which coefficient acts
on which wavelength.

Drifts are powers x^n of the place x in the visit, 0 to 1, with independent coefficients. What moves an image may move
the light of both channels, by light lost at an aperture or by gain that differs between pixels, so that every centroid
may act on every channel; the light curves say how strongly. Widths enter only where a population of visits bears them
out (``visit_likelihood``): they change with the background's part of the light and thus with the transit itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.instruments import is_fgs1

CENTROIDS = ("fgs1_row_centroid", "fgs1_column_centroid", "airs_row_centroid")
"""Regressors that say where an image is [pixel]."""
_CLIP = 4.0
"""Regressors are clipped there [standard deviations]: one wild centroid must not set the slope of a light curve."""
_UNIT = 0.1
"""Motion that coefficients of pointing belong to [pixel]."""
JUMP_SCATTER = 5.0
"""Prior scatter of a jump, relative to that of a drift's coefficient."""


@dataclass(frozen=True)
class Term:
    """A function of time that some wavelengths follow.

    Attributes:
        name: kind and place, as in "drift_airs_0/3"; no two terms of a visit share it.
        function: (n_time,) [1].
        strength: (n_wavelength,) [1].
        scatter: prior scatter of its coefficient, relative to that of a drift's [1].
    """

    name: str
    function: np.ndarray
    strength: np.ndarray
    scatter: float = 1.0


@dataclass(frozen=True)
class Systematics:
    """Time functions and how shared coefficients mix them at each wavelength.

    Attributes:
        functions: (n_function, n_time) [1].
        mixing: (n_wavelength, n_function, n_coefficient) [1].
        scatter: (n_coefficient,) prior scatter of the coefficients, relative to that of a drift's [1].
        names: of the coefficients, those of their terms.
    """

    functions: np.ndarray
    mixing: np.ndarray
    scatter: np.ndarray
    names: tuple[str, ...]


def kind_of(name: str) -> str:
    """Return the kind of a term, the part of its name before the place."""
    return name.partition("/")[0]


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


def strengths(wavelength: np.ndarray, order: int) -> list[tuple[str, np.ndarray]]:
    """Return the colours in which wavelengths follow a function: name and strength (n_wavelength,) of each.

    Args:
        wavelength: (n_wavelength,) [um].
        order: highest degree in wavelength over AIRS-CH0.
    """
    fgs1 = is_fgs1(wavelength)
    colours = [] if fgs1.all() else [(f"airs_{n}", s) for n, s in enumerate(wavelength_basis(wavelength, order).T)]
    return colours + ([("fgs1", fgs1.astype(float))] if fgs1.any() else [])


def drift_terms(time: np.ndarray, wavelength: np.ndarray, order: int, wavelength_order: int) -> list[Term]:
    """Return the drift: powers of the place in the visit, less their mean, which is the star's level.

    Args:
        time: (n_time,) [s].
        wavelength: (n_wavelength,) [um].
        order: highest power.
        wavelength_order: highest degree in wavelength over AIRS-CH0.
    """
    window = np.ptp(time) if len(time) else 0.0
    x = (time - time.min()) / window if window > 0.0 else np.zeros_like(time)
    powers = [x**n - (x**n).mean() for n in range(1, order + 1)]
    colours = strengths(wavelength, wavelength_order)
    return [Term(f"drift_{colour}/{n}", power, s) for n, power in enumerate(powers, start=1) for colour, s in colours]


def jump_terms(time: np.ndarray, wavelength: np.ndarray, wavelength_order: int, jumps: Sequence[float]) -> list[Term]:
    """Return jumps of the flux at given times [s]; every colour jumps by a size of its own."""
    # Half before, half after: the level stays what it was.
    steps = [np.where(time > jump, 0.5, -0.5) for jump in jumps]
    colours = strengths(wavelength, wavelength_order)
    return [Term(f"jump_{colour}/{n}", step, s, JUMP_SCATTER) for n, step in enumerate(steps) for colour, s in colours]


def pointing_terms(wavelength: np.ndarray, regressors: np.ndarray, names: Sequence[str]) -> list[Term]:
    """Return what the centroids do to each channel, those that are finite and move.

    Args:
        wavelength: (n_wavelength,) [um].
        regressors: (n_time, n_regressor).
        names: of the regressors.
    """
    colours = strengths(wavelength, 1)
    return [
        Term(f"pointing_{colour}/{name}", motion, s, 1.0 / motion.std())
        for name, motion in moving(regressors, names)
        if name in CENTROIDS
        for colour, s in colours
    ]


def moving(regressors: np.ndarray, names: Sequence[str]) -> Iterable[tuple[str, np.ndarray]]:
    """Yield names of the regressors that are finite and move, and how far from their mean (n_time,) [0.1 pixel].

    In pixels, and not in the standard deviations of a visit: what a pixel of motion does to the light is the
    instrument's, the same in every visit.

    Args:
        regressors: (n_time, n_regressor).
        names: of the regressors.
    """
    for name, series in zip(names, regressors.T):
        if np.isfinite(series).all() and np.ptp(series) > 1e-9 * max(1.0, np.abs(series).max()):
            offset = series - series.mean()
            limit = _CLIP * offset.std()
            yield name, np.clip(offset, -limit, limit) / _UNIT


def systematics(time: np.ndarray, wavelength: np.ndarray, terms: Sequence[Term]) -> Systematics:
    """Join terms; those that follow the same function share its row.

    Args:
        time: (n_time,) [s].
        wavelength: (n_wavelength,) [um].
        terms: of the same times and wavelengths.
    """
    # By what they hold: colours that follow a function need not follow the same array.
    held = [term.function.tobytes() for term in terms]
    functions = {key: term.function for key, term in zip(held, terms)}
    row = {key: i for i, key in enumerate(functions)}
    mixing = np.zeros((len(wavelength), len(row), len(terms)))
    for coefficient, (key, term) in enumerate(zip(held, terms)):
        mixing[:, row[key], coefficient] = term.strength
    return Systematics(
        functions=np.stack(list(functions.values())) if functions else np.zeros((0, len(time))),
        mixing=mixing,
        scatter=np.array([term.scatter for term in terms]),
        names=tuple(term.name for term in terms),
    )
