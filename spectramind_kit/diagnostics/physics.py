"""The report on physics and calibration: violations of the symbolic terms, coverage by region of the detector."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import rankdata

from spectramind_kit.diagnostics import figure
from spectramind_kit.diagnostics.figure import Figure
from spectramind_kit.diagnostics.payload import rounded
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.symbolic.bands import region_names
from spectramind_kit.symbolic.violations import rank_planets, violations, violations_by_wavelength
from spectramind_kit.uncertainty.conformal import measured_coverage, write_coverage

_PLANETS_NAMED = 3
_BIN = 4
"""Wavelengths of AIRS-CH0 in a bin of the map of violations."""
_MOST_LABELLED = 45


def violation_figures(predictions: Predictions, wavelength: np.ndarray) -> tuple[list[Figure], list[int]]:
    """Return maps of what spectra violate, and the planets that violate more terms than others, worst first.

    Args:
        predictions: of a split.
        wavelength: (n_wavelength,) [um].
    """
    p = predictions
    found = violations(p.mean, p.sigma, wavelength, p.truth)
    shapes = {name: each for name, each in found.items() if name != "sigma_calibration"}
    order, _ = rank_planets(shapes)
    figures = [_by_planet(found, p.planet_ids, order), _by_wavelength(violations_by_wavelength(p.mean, wavelength))]
    return figures, [int(planet) for planet in p.planet_ids[order[:_PLANETS_NAMED]]]


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


def _by_planet(found: dict[str, np.ndarray], planet_ids: np.ndarray, order: np.ndarray) -> Figure:
    """Show the rank of every planet among the others in every term, planets that violate most first."""
    values = np.stack([each[order] for each in found.values()], axis=1)  # (n_planet, n_term)
    rank = (rankdata(values, axis=0, method="min") - 1.0) / max(1, len(values) - 1) * 100.0
    ids = [str(planet) for planet in planet_ids[order]]
    trace = figure.heat(rank, x=[_words(name) for name in found], y=ids, title="planets below [%]")
    trace |= {"customdata": rounded(values), "hovertemplate": "planet %{y}, %{x}: %{customdata}"}
    layout = figure.axes("", "planets, worst first", planets=True)
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showticklabels": len(ids) <= _MOST_LABELLED}
    layout["xaxis"] |= {"automargin": True, "tickangle": -30}
    note = "How many planets violate a term less. A violation is dimensionless; hold the pointer over a cell to see it."
    return Figure("Planets and terms", note, [trace], layout, int(np.clip(160 + 12 * len(ids), 280, 700)))


def _by_wavelength(found: dict[str, np.ndarray]) -> Figure:
    """Show where on the wavelength axis the violations of all planets lie, as a part of each term's."""
    mean = np.stack([each.mean(axis=0) for each in found.values()])  # (n_term, n_wavelength)
    part = 100.0 * mean / np.maximum(mean.sum(axis=1, keepdims=True), 1e-300)
    starts, names = np.arange(1, part.shape[1], _BIN), [_words(name) for name in found]
    airs = np.add.reduceat(part, starts, axis=1)
    top = float(max(airs.max(), part[:, 0].max(), 1e-9))
    traces = [
        figure.heat(part[:, :1], x=["FGS1"], y=names, showscale=False, xaxis="x", zmin=0.0, zmax=top),
        figure.heat(airs, x=f"@airs/{_BIN}", y=names, title="of the term [%]", xaxis="x2", zmin=0.0, zmax=top),
    ]
    layout = figure.wavelength_axes("")
    layout["xaxis"] = {"domain": [0.0, 0.06], "type": "category"}
    layout["xaxis2"]["tickvals"] = [2.5, 3.0, 3.5]  # beside a map "FGS1" needs the room of the first
    layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    note = (
        "Where the violations of all planets come from: each row adds up to 100 %, or is empty where nothing is "
        "violated."
    )
    return Figure("Wavelengths and terms", note, traces, layout, 300)


def _words(name: str) -> str:
    return name.replace("_", " ")
