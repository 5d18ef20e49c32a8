"""Foreground light under the wings of the star's image, separated by the shape of the wings.

    light(d) = A W(d) + F        W(d) = (1 + (d / w)^2)^(-slope / 2)

with the distance d from the trace or the spot. Far out, where the background is measured, a slope wrong by a tenth
moves F by 0.3 % of the starlight and every depth with it. Slope and width are therefore known from the
configuration only as well as a prior, and each visit's own pixels refine them: one factor of the slope and one
of the width for the whole detector, an amplitude A for every column, and a few coefficients of F over the columns.
A and F enter linearly and are solved for inside the fit (variable projection; Golub & Pereyra 1973, SIAM J. Numer.
Anal. 10, 413).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from spectramind_kit.robust_statistics import MAD_TO_SIGMA

_SCATTER = np.array([0.1, 0.3])
"""Prior standard deviations of the logarithms of both factors, slope's and width's."""
_OUTLIER = 5.0
"""Pixels farther off the fit are left out [standard deviations]."""
_FEWEST_PIXELS = 4
"""A column with fewer pixels is left out: two are spent on A and F, and an odd one must stand out."""


@dataclass(frozen=True)
class Wings:
    """Where pixels lie in the wings, and what is known of the wings' shape beforehand.

    Attributes:
        distance: (n_point, n_pixel, n_column) [pixel], of points in each pixel over which the shape is averaged.
        width: (n_column,) [pixel], within which the wings are flat.
        slope: power with which they fall farther out [1].
    """

    distance: np.ndarray
    width: np.ndarray
    slope: float

    def shape(self, factors: np.ndarray) -> np.ndarray:
        """Return W (n_pixel, n_column) with slope and width changed by factors, given as logarithms (2,)."""
        slope, width = self.slope * np.exp(factors[0]), self.width * np.exp(factors[1])
        return ((1.0 + (self.distance / width) ** 2) ** (-0.5 * slope)).mean(axis=0)

    def at(self, pixels: np.ndarray, columns: np.ndarray) -> "Wings":
        """Return the wings on some pixels of some columns only."""
        return Wings(self.distance[:, pixels][..., columns], self.width[columns], self.slope)


def foreground_under_wings(
    light: np.ndarray, error: np.ndarray, used: np.ndarray, wings: Wings, basis: np.ndarray
) -> np.ndarray:
    """Fit wings and foreground together; pixels that stand out are left out.

    Args:
        light: (n_pixel, n_column) [e-].
        error: (n_pixel, n_column) [e-], its standard error.
        used: (n_pixel, n_column) bool, the pixels to fit.
        wings: the star's.
        basis: (n_basis, n_column), functions of the column that the foreground is a sum of.

    Returns:
        F (n_column,) [e- per pixel]; 0 where too few columns have enough pixels.
    """
    columns = np.flatnonzero(used.sum(axis=0) >= _FEWEST_PIXELS)
    if len(columns) < 2 * len(basis) - 1:
        return np.zeros(light.shape[1])
    pixels = np.flatnonzero(used.any(axis=1))
    wings, columns_basis = wings.at(pixels, columns), basis[:, columns]
    light, error, used = (values[np.ix_(pixels, columns)] for values in (light, error, used))
    kept, factors, scale, coefficients = used, np.zeros(2), 1.0, np.zeros(len(basis))
    # First with the shape of the configuration, to find the pixels that stand out: a star in the background would bend
    # the shape. Then the shape is learned twice, since what stands out depends on it.
    for learn in (False, True, True):
        precision = np.where(kept, 1.0 / error, 0.0)
        if learn:
            factors = _learn_shape(light, precision, wings, columns_basis, scale, factors)
        coefficients = _project(factors, light, precision, wings, columns_basis)[1]
        deviation = np.abs(_deviation(factors, coefficients, light, precision, wings, columns_basis)) / error
        # Errors hold photons and reads only. What they leave out, errors of the flat say, shows in the scatter.
        scale = max(1.0, MAD_TO_SIGMA * float(np.median(deviation[kept])))
        kept = used & (deviation < _OUTLIER * scale)
    return coefficients @ basis


def _learn_shape(
    light: np.ndarray, precision: np.ndarray, wings: Wings, basis: np.ndarray, scale: float, start: np.ndarray
) -> np.ndarray:
    """Return the most likely factors (2,), given that errors are ``scale`` times as large as stated."""

    def residuals(factors: np.ndarray) -> np.ndarray:
        misfit, _ = _project(factors, light, precision, wings, basis)
        # The prior's term grows with the scale, because the misfit is counted in errors that are too small by it.
        return np.append(misfit, factors * scale / _SCATTER)

    return least_squares(residuals, start, method="lm", xtol=1e-4, ftol=1e-6).x


def _project(
    factors: np.ndarray, light: np.ndarray, precision: np.ndarray, wings: Wings, basis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what neither wings nor foreground explain, in standard errors, and the foreground's coefficients."""
    # The amplitude of each column is solved for by projecting its wing out of data and foreground: what is left is a
    # small linear problem in the foreground's coefficients alone, whatever the number of columns.
    wing = wings.shape(factors) * precision
    # A column of which no pixel is left has no wing; the tiny floor makes its quotient zero instead of NaN.
    power = np.maximum((wing**2).sum(axis=0), 1e-300)

    def beyond_the_wings(values: np.ndarray) -> np.ndarray:
        return values - wing * ((wing * values).sum(axis=0) / power)

    design = (basis[:, None] * beyond_the_wings(precision)).reshape(len(basis), -1).T
    wanted = beyond_the_wings(light * precision).ravel()
    coefficients = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return wanted - design @ coefficients, coefficients


def _deviation(
    factors: np.ndarray,
    coefficients: np.ndarray,
    light: np.ndarray,
    precision: np.ndarray,
    wings: Wings,
    basis: np.ndarray,
) -> np.ndarray:
    """Return light less wings and foreground (n_pixel, n_column) [e-], of the pixels left out too."""
    shape = wings.shape(factors)
    rest = light - coefficients @ basis
    weight = shape * precision**2
    amplitude = (weight * rest).sum(axis=0) / np.maximum((weight * shape).sum(axis=0), 1e-300)
    return rest - amplitude * shape
