"""How much light reaches the detectors: the star's electrons per exposure, column by column, and the foreground.

One real star is the anchor (planet 342072318, 4,798 K). Another star's light follows by the ratio of Planck
functions, B(T) / B(T_ref), which reproduces the real columns of a second star to about 1 %, times one factor
for how bright the star is.
"""

import numpy as np

from spectramind_kit.instruments import AIRS, FGS1_WAVELENGTH

REFERENCE_TEMPERATURE = 4797.6
"""Effective temperature of the anchor star [K]."""

PIVOT_WAVELENGTH = 2.9
"""Where two stars of the same brightness give the same electrons [um]."""

FGS1_ELECTRONS = 2.21e5
"""Anchor star's electrons in the whole FGS1 spot per exposure of 0.1 s [e-], measured on 25 real exposures."""

_SECOND_RADIATION_CONSTANT = 14_387.77
"""h c / k_B [um K]."""

# Anchor star's electrons per exposure of 4.5 s, summed over the rows, at some columns of AIRS-CH0; coarse
# averages over neighbouring columns of 25 real exposures. Between them the real columns differ by about 1 %.
_AIRS_COLUMN = (
    *(0, 13, 18, 23, 28, 32, 36, 40, 45, 50, 60, 70, 90, 110, 130, 150, 160, 170, 180, 190, 210, 220, 230, 240),
    *(250, 262, 266, 270, 290, 297, 302, 307, 311, 314, 318, 322, 326, 330, 333, 338, 343, 346, 349, 352, 355),
)
_AIRS_KILOELECTRONS = (
    *(0.13, 0.19, 0.31, 0.67, 1.5, 2.57, 4.09, 5.96, 8.61, 11.3, 15.8, 18.9, 22.5, 25.5, 29.1, 33.6, 36.0, 36.9),
    *(38.4, 42.5, 57.8, 67.1, 73.4, 75.5, 80.6, 86.0, 87.1, 97.1, 136, 147, 146, 145, 165, 161, 126, 80.9, 47.6),
    *(36.7, 35.3, 34.1, 35.2, 24.5, 12.5, 4.8, 1.92),
)


def airs_wavelengths() -> np.ndarray:
    """Return the wavelength of each AIRS-CH0 column, (356,) [um], descending: a parabola in the column."""
    x = (np.arange(AIRS.n_column) - 178) / 178
    return 3.070229825727 - 1.227279766607 * x - 0.219046451436 * x**2


def label_wavelengths(edition: str = "2025") -> np.ndarray:
    """Return the wavelengths of a label, (283,) [um]."""
    first, stop = AIRS.science_columns
    fgs1 = FGS1_WAVELENGTH if edition == "2025" else 0.705
    return np.concatenate([[fgs1], airs_wavelengths()[first:stop][::-1]])


def airs_electrons(temperature: float, brightness: float = 1.0) -> np.ndarray:
    """Return a star's electrons per exposure in each AIRS-CH0 column, summed over the rows, (356,) [e-].

    Args:
        temperature: effective temperature [K].
        brightness: electrons at the pivot wavelength relative to the anchor star [1].
    """
    anchor = 1e3 * np.interp(np.arange(AIRS.n_column), _AIRS_COLUMN, _AIRS_KILOELECTRONS)
    return anchor * brightness * planck_ratio(temperature, airs_wavelengths())


def fgs1_electrons(temperature: float, brightness: float = 1.0) -> float:
    """Return a star's electrons per exposure in the whole FGS1 spot [e-]."""
    return FGS1_ELECTRONS * brightness * float(planck_ratio(temperature, np.array([FGS1_WAVELENGTH]))[0])


def planck_ratio(temperature: float, wavelength: np.ndarray) -> np.ndarray:
    """Return B(temperature) / B(anchor) at wavelengths [um], relative to the same at the pivot wavelength."""
    at_pivot = planck_quotient(temperature, REFERENCE_TEMPERATURE, PIVOT_WAVELENGTH)
    return np.asarray(planck_quotient(temperature, REFERENCE_TEMPERATURE, np.asarray(wavelength)) / at_pivot)


def planck_quotient(
    temperature: np.ndarray | float, reference: float, wavelength: np.ndarray | float
) -> np.ndarray | float:
    """Return the Planck function of a temperature over that of another [K] at wavelengths [um], broadcast [1]."""
    return np.expm1(_SECOND_RADIATION_CONSTANT / (wavelength * reference)) / np.expm1(
        _SECOND_RADIATION_CONSTANT / (wavelength * temperature)
    )


def foreground_per_pixel(electrons: np.ndarray, fraction: float, n_pixel: int, tilt: float = 0.0) -> np.ndarray:
    """Return the foreground, uniform over the pixels of a column, (n_column,) [e- per exposure].

    Args:
        electrons: the star's electrons per exposure in each column (n_column,) [e-].
        fraction: foreground over starlight in the whole column [1].
        n_pixel: pixels that the column's light is spread over.
        tilt: change of the fraction from the first to the last column, relative to its mean [1].
    """
    slope = np.linspace(-0.5, 0.5, len(electrons)) if len(electrons) > 1 else np.zeros(1)
    return electrons * fraction * (1.0 + tilt * slope) / n_pixel
