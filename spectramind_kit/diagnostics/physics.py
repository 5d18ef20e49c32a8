"""The report on physics and calibration: violations of the symbolic terms, coverage by region of the detector."""

from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.symbolic.violations import rank_planets, violations
from spectramind_kit.uncertainty.conformal import measured_coverage, write_coverage

_PLANETS_NAMED = 3


def violation_rows(
    planet_ids: np.ndarray, mean: np.ndarray, sigma: np.ndarray, wavelength: np.ndarray, truth: np.ndarray | None
) -> list[tuple[str, float, float, int]]:
    """Return a row a term: its name, median and largest violation, and the planet with the largest.

    Args:
        planet_ids: (n_planet,).
        mean: (n_planet, n_wavelength) [(Rp/Rs)^2].
        sigma: (n_planet, n_wavelength) [(Rp/Rs)^2].
        wavelength: (n_wavelength,) [um].
        truth: as mean, where it is known: only then can sigmas be judged.
    """
    found = violations(mean, sigma, wavelength, truth)
    return [
        (name.replace("_", " "), float(np.median(each)), float(each.max()), int(planet_ids[each.argmax()]))
        for name, each in found.items()
    ]


def most_violating(planet_ids: np.ndarray, mean: np.ndarray, sigma: np.ndarray, wavelength: np.ndarray) -> list[int]:
    """Return the planets that violate more terms than others, worst first, a few of them."""
    order, _ = rank_planets(violations(mean, sigma, wavelength))
    return [int(planet) for planet in planet_ids[order[:_PLANETS_NAMED]]]


def coverage_table(z: np.ndarray, wavelength: np.ndarray, work: Path) -> pl.DataFrame:
    """Return how often errors lie within their intervals by region, and leave it as ``WORK/corel_coverage.csv``.

    Args:
        z: held-out standardised errors (n_planet, n_wavelength).
        wavelength: (n_wavelength,) [um].
        work: folder of a run.
    """
    table = measured_coverage(z, region_names(wavelength))
    write_coverage(table, work)
    return table
