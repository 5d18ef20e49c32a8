"""Conformal scales of sigma (SpectraMind V50's COREL): one factor a wavelength, so that intervals cover as promised.

Held-out planets give scores |z|, z = (truth - mean) / sigma. For wavelength j, with weights K_jk over wavelengths k of
sum 1, the scale is the smallest t with

    sum_i sum_k K_jk 1(|z_ik| <= t) >= coverage (n_planet + 1),

over the two-sided normal quantile of the coverage. With K = 1 that is split conformal's rule: of n scores the
ceil(coverage (n + 1))-th smallest. A planet's wavelengths err together, so planets are what is exchangeable: an error
at a wavelength drawn from K_j, of a fresh planet, is covered with at least the wanted probability, whatever the
distribution of errors (Lee, Barber & Willett 2023, "Distribution-free inference with hierarchical data").

- Mondrian: K joins no wavelengths of different groups, so each group is covered for itself (Vovk et al. 2005).
- Graph: within a group K smooths over neighbours, so that hundreds of wavelengths with few planets stay stable.
- Scores from cross-validation, each planet scored by a model that has not seen it, keep the guarantee in practice; the
  proven one is that twice as many may be missed (CV+; Barber et al. 2021, Ann. Statist. 49, 486).
"""

import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import polars as pl

from spectramind_kit.errors import ProductError
from spectramind_kit.files import replacing
from spectramind_kit.shapes import require_shape

COVERAGE_FILE = "corel_coverage.csv"
LEVELS = {"68": 1.0, "95": 1.959964}
"""Reported levels [%] and their half-widths [sigma]."""
_ROUNDING = 1e-9


def fewest_planets(coverage: float) -> int:
    """Return how many planets it takes before any finite scale can promise a coverage: n + 1 >= 1 / (1 - coverage)."""
    return math.ceil(coverage / (1.0 - coverage) - _ROUNDING)


def neighbour_weights(wavelength: np.ndarray, groups: np.ndarray, length: float = 0.05) -> np.ndarray:
    """Return K, (n_wavelength, n_wavelength) with rows of sum 1: a Gaussian in ln(lambda) within each group.

    Args:
        wavelength: (n_wavelength,) [um].
        groups: (n_wavelength,) labels such as ``symbolic.bands.region_names``; unlike ones share nothing.
        length: standard deviation of the Gaussian in ln(lambda) [1].
    """
    require_shape("neighbour_weights", "groups", groups, (len(wavelength),))
    x = np.log(wavelength)
    weight = np.exp(-0.5 * ((x[:, None] - x) / length) ** 2) * (groups[:, None] == groups)
    return weight / weight.sum(axis=1, keepdims=True)


def conformal_scale(z: np.ndarray, coverage: float, weight: np.ndarray) -> np.ndarray:
    """Return the factor on sigma of each wavelength, (n_wavelength,) > 0.

    Args:
        z: held-out standardised errors (n_planet, n_wavelength).
        coverage: wanted fraction of errors within the normal quantile, in (0, 1).
        weight: K, (n_wavelength, n_wavelength) with rows of sum 1; ``neighbour_weights`` or the identity.

    Raises:
        ProductError: on errors that are not finite, or too few planets for the coverage.
    """
    _check(z, coverage, weight)
    scores = np.empty(z.shape[1])
    joined = weight > 0
    for neighbours in np.unique(joined, axis=0):
        rows = (joined == neighbours).all(axis=1)
        scores[rows] = _pooled_scores(np.abs(z[:, neighbours]), weight[np.ix_(rows, neighbours)], coverage)
    return scores / NormalDist().inv_cdf(0.5 + 0.5 * coverage)


def measured_coverage(z: np.ndarray, groups: np.ndarray) -> pl.DataFrame:
    """Return how often errors lie within their intervals, by group and level, "all" groups together first.

    Args:
        z: standardised errors (n_planet, n_wavelength) of planets whose scale was learned without them.
        groups: (n_wavelength,) labels.

    Returns:
        Columns group, level [%], wanted and measured coverage [1], standard_error of the measured one (planets are what
        is independent), planets, wavelengths, and mean_square of z.
    """
    require_shape("measured_coverage", "groups", groups, (z.shape[1],))
    rows = []
    for group in ("all", *dict.fromkeys(groups.tolist())):
        errors = z if group == "all" else z[:, groups == group]
        for level, half_width in LEVELS.items():
            covered = (np.abs(errors) <= half_width).mean(axis=1)  # (n_planet,)
            rows.append(
                {
                    "group": group,
                    "level": level,
                    "wanted": 2.0 * NormalDist().cdf(half_width) - 1.0,
                    "measured": float(covered.mean()),
                    "standard_error": float(covered.std(ddof=1) / np.sqrt(len(z))) if len(z) > 1 else math.nan,
                    "planets": len(z),
                    "wavelengths": errors.shape[1],
                    "mean_square": float(np.square(errors).mean()),
                }
            )
    return pl.DataFrame(rows)


def write_coverage(table: pl.DataFrame, folder: Path) -> Path:
    """Write what ``measured_coverage`` found to ``folder/corel_coverage.csv`` and return the path."""
    path = Path(folder) / COVERAGE_FILE
    with replacing(path) as temporary:
        table.write_csv(temporary)
    return path


def _pooled_scores(score: np.ndarray, weights: np.ndarray, coverage: float) -> np.ndarray:
    """Return for each row of weights (n_row, n_neighbour) the smallest score up to which enough weight lies, (n_row,).

    Scores (n_planet, n_neighbour) are sorted once for all rows that look at the same neighbours.
    """
    order = np.argsort(score, axis=None)
    column = order % score.shape[1]
    enough = coverage * (len(score) + 1) - _ROUNDING
    last = [np.searchsorted(np.cumsum(row[column]), enough) for row in weights]
    return score.ravel()[order[np.minimum(last, len(order) - 1)]]


def _check(z: np.ndarray, coverage: float, weight: np.ndarray) -> None:
    require_shape("conformal_scale", "weight", weight, (z.shape[1], z.shape[1]))
    if not 0.0 < coverage < 1.0:
        raise ProductError("coverage of conformal intervals", wanted="between 0 and 1", got=coverage)
    if len(z) < fewest_planets(coverage):
        raise ProductError(
            f"held-out planets for a coverage of {coverage:g}",
            wanted=f"at least {fewest_planets(coverage)}",
            got=len(z),
            remedy="ask for less coverage or use the temperature",
        )
    if not np.isfinite(z).all():
        raise ProductError("held-out errors", wanted="finite numbers", got="NaN or inf")
