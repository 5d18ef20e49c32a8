"""How well the learned prior of spectra foresees the six public labels of 2025.

It is learned from the 673 labels of 2024, whose wavelengths are those of 2025 but for FGS1's (.705 against .700 um),
and once from the other five labels of 2025. Of a label d with level L (mean AIRS-CH0 depth), the figure is

    ln p(d | prior) - ln p(d | plain),    plain: N(m (1 + s), v (1 + s)(1 + s)' + L^2 diag(t^2)),

s and t mean and spread of the shapes d / L - 1 of the 2024 labels at each wavelength, independent of one another: what
is gained by knowing how wavelengths go together. Levels differ between the editions (.26 % on average, .7-3.5 %), and
1,100 labels teach them; m and v are therefore those of the other five labels of 2025, in prior and plain Gaussian.

Labels have no noise, but what is finer than the metric's ideal sigma of AIRS-CH0 need not be foreseen: both densities
are smoothed with it.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.interpolate import make_interp_spline
from scipy.stats import multivariate_normal

from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.metric import EDITIONS
from spectramind_kit.prediction.population import LabelStatistics, label_statistics
from spectramind_kit.prediction.spectrum_prior import SpectrumPrior, learn_spectrum_prior

_SMOOTHED = EDITIONS["2025"].airs_sigma


def label_figures(shared: Path) -> dict[str, float]:
    """Return the gain of the prior over a plain Gaussian on the six labels [nat a planet].

    Args:
        shared: folder with ``real_2024/`` and ``real_2025/``.
    """
    wavelength = wavelengths_of(shared / "real_2025" / "wavelengths.csv")
    _, labels = read_spectra(shared / "real_2024" / "train_labels_2024.csv")
    known = at_wavelengths(labels, wavelengths_of(shared / "real_2024" / "wavelengths_2024.csv"), wavelength)
    _, six = read_spectra(shared / "real_2025" / "labels_of_six_planets.csv")
    of_2024, shape = learn_spectrum_prior(known, wavelength), label_statistics(shapes_of(known, wavelength))
    gains, alone = [], []
    for place, label in enumerate(six):
        others = np.delete(six, place, axis=0)
        levels = levels_of(others, wavelength)
        plain = plain_log_probability(label, levels, shape, wavelength)
        gains.append(prior_log_probability(label, levels, of_2024) - plain)
        alone.append(prior_log_probability(label, levels, learn_spectrum_prior(others, wavelength)) - plain)
    return {
        "labels2025_nats": float(np.mean(gains)),
        "labels2025_worst_nats": float(min(gains)),
        "labels2025_five_nats": float(np.mean(alone)),
    }


def prior_log_probability(label: np.ndarray, levels: tuple[float, float], prior: SpectrumPrior) -> float:
    """Return ln p of a label under a learned prior of shapes [nat].

    Args:
        label: (n_wavelength,) [(Rp/Rs)^2].
        levels: mean and variance of levels, taken instead of the prior's.
        prior: whose shapes count.
    """
    known = replace(prior, level_mean=levels[0], level_variance=levels[1])
    return known.log_probability(label, _SMOOTHED**2 * np.eye(len(label)))


def plain_log_probability(
    label: np.ndarray, levels: tuple[float, float], shape: LabelStatistics, wavelength: np.ndarray
) -> float:
    """Return ln p of a label where shapes are independent Gaussians at every wavelength [nat].

    Args:
        label: (n_wavelength,) [(Rp/Rs)^2].
        levels: mean and variance of levels.
        shape: mean and spread of shapes [1].
        wavelength: (n_wavelength,) [um].
    """
    flat, spread = 1.0 + shape.mean, label[~is_fgs1(wavelength)].mean() * shape.spread
    covariance = levels[1] * np.outer(flat, flat) + np.diag(spread**2 + _SMOOTHED**2)
    return float(multivariate_normal.logpdf(label, levels[0] * flat, covariance))


def levels_of(spectra: np.ndarray, wavelength: np.ndarray) -> tuple[float, float]:
    """Return mean and variance of the mean AIRS-CH0 depths of spectra (n_planet, n_wavelength)."""
    levels = spectra[:, ~is_fgs1(wavelength)].mean(axis=1)
    return float(levels.mean()), float(levels.var(ddof=1))


def shapes_of(spectra: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """Return spectra (n_planet, n_wavelength) relative to their levels, less one [1]."""
    return spectra / spectra[:, ~is_fgs1(wavelength)].mean(axis=1, keepdims=True) - 1.0


def at_wavelengths(spectra: np.ndarray, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return spectra (n_planet, n) at other wavelengths [um]; FGS1 is one broad band and stays what it is."""
    airs_here, airs_there = ~is_fgs1(here), ~is_fgs1(there)
    line = make_interp_spline(here[airs_here], spectra[:, airs_here], k=1, axis=1)
    return np.column_stack([spectra[:, ~airs_here], line(there[airs_there])])


def wavelengths_of(table: Path) -> np.ndarray:
    """Return the wavelengths of a table of one row, (n_wavelength,) [um]."""
    return pl.read_csv(table).to_numpy().ravel().astype(float)
