"""Our fit beside public ones, on the real light curves of three planets, and on 673 white ones of 2024.

    python benchmarks/public_pipelines.py [--shared DIR] [--curves N] [--workers N] [--json FILE]

Three kinds of others stand beside ours:

- stored: what public pipelines answered for planet 1103775, the visible test planet of 2025, as their repositories keep
  it; of the other planets no public result was found. Figures of those files, each with its source, no code.
- package: what the field would do with well-kept packages and an afternoon: batman's transit (Kreidberg 2015, PASP 127,
  1161) times a polynomial in time, by scipy's least squares under white noise whose size the residuals give. White
  AIRS-CH0 tells orbit and limb darkening (quadratic), with which every wavelength gets a depth of its own; FGS1
  has its own limb darkening and, in another visit, its own mid-time. What is far from the fit is clipped, once.
- notebooks: the method of the public notebooks, one dip of white AIRS-CH0 for all wavelengths, as
  ``public_baselines/one_depth.py`` rebuilds it; its scale was tuned by others to the leaderboard of 2025.

Ours is the fit alone, and the fit under the prior that the labels of 2024 teach, without the planet's own.

Depths are (Rp/Rs)^2 [ppm]; sigma is that of the mean depth of AIRS-CH0. The shape is what wavelengths of AIRS-CH0 have
about their mean: its rms, and where a label is known that of its error. Levels of several wavelengths that share light
curves' noise are not independent, so a package's sigma is that of its white curve, and ours that of the joint fit.
"""

import importlib.util
import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from label_prior import at_wavelengths, wavelengths_of
from real import WHITE_SECONDS, arguments_of, both_channels, judges, labelled_planet, two_visits, white_curves
from scipy.linalg import block_diag
from scipy.optimize import least_squares
from scipy.stats import median_abs_deviation
from star_table import star_table

from spectramind_kit.api import light_curves
from spectramind_kit.competition.folder import read_spectra
from spectramind_kit.config import load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.instruments import is_fgs1
from spectramind_kit.prediction.spectrum_prior import learn_spectrum_prior
from spectramind_kit.products import LightCurves, Planet
from spectramind_kit.public_baselines.one_depth import SCALE, SIGMA
from spectramind_kit.public_baselines.white_dip import dip_depth, find_flanks

DAY = 86400.0
_USUAL_PERIOD = 4.0
"""Where no star table tells [d]: without it a/Rs would be off, the light curve is the same."""
_BASELINE_ORDER = 3
_CLIPPED = 5.0
"""Standard deviations beyond which the package fit takes a point for an outlier."""
MISSING = "" if importlib.util.find_spec("batman") else "batman is not installed: pip install batman-package"


@dataclass(frozen=True)
class Row:
    """What one pipeline says of one planet [ppm]; NaN where it says nothing.

    Attributes:
        planet: its number.
        pipeline: that answered.
        fgs1: depth.
        airs: mean depth over the wavelengths.
        sigma: of ``airs``, as the pipeline has it.
        shape: rms of the depths of AIRS-CH0 about their mean.
        shape_error: rms of that shape's error, where a label is known.
    """

    planet: int
    pipeline: str
    fgs1: float
    airs: float
    sigma: float
    shape: float
    shape_error: float = math.nan


_YUKI, _VESTENY = "YukiG16/NeurIPS-Ariel-Data-Challenge-2025", "vesteny77/NeurIPS-Ariel-Data-Challenge-2025"
STORED = (
    # One depth for all wavelengths; leaderboard as the notebooks state it.
    (Row(1103775, "transit fit .977, .292", 16467.3, 16467.3, 1000.0, 0.0), f"{_YUKI}@edead0f submit-04"),
    (Row(1103775, "transit fit .95, .331", 16335.3, 16335.3, 900.0, 0.0), f"{_YUKI}@0aacf93 submit-06"),
    (Row(1103775, "hot pixels kept, .338", 15898.3, 15898.3, 900.0, 0.0), f"{_YUKI}@d79685a submit-07"),
    # Learned from the training planets; sigmas of the first differ by wavelength, and some are below zero.
    (Row(1103775, "boosted trees, .290", 15747.7, 15831.0, math.nan, 96.2), f"{_YUKI}@b506308 submit-03"),
    (Row(1103775, "residual MLPs", 15797.2, 15855.3, 582.0, 130.3), f"{_VESTENY}@f7e346d references"),
)
"""Answers that lie in public repositories, with their source."""


def main() -> None:
    """Fit, print the table, write the figures."""
    arguments = arguments_of(__doc__, MISSING)
    rows = list(planet_rows(arguments.shared))
    for row in rows:
        numbers = (row.fgs1, row.airs, row.sigma, row.shape, row.shape_error)
        print(f"{row.planet:<10} {row.pipeline:<28}" + "".join(f"{number:10.1f}" for number in numbers))
    white = white_figures(arguments.shared, arguments.curves, arguments.workers)
    for name, value in white.items():
        print(f"{name:<32} {value:.4g}")
    if arguments.json:
        found = {"planets": [asdict(row) for row in rows], "white": white}
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


# --- planets with all wavelengths


def planet_rows(shared: Path) -> Iterator[Row]:
    """Yield what the pipelines say of the three planets."""
    curves, label = labelled_planet(shared / "real_2024" / "light_curves_724899303.npz")
    yield Row(curves.planet_id, "label", *_levels(label), math.nan, _shape(label), 0.0)
    # The notebooks' scale makes up for limb darkening, of which 2024 has none.
    yield from _rows([curves], Planet(curves.planet_id), 1.0, shared, label)
    folder = shared / "real_2025"
    first, second = both_channels(folder), two_visits(folder)
    yield from _rows([first], star_table(folder / "test_star_info.csv")[first.planet_id], SCALE, shared)
    yield from (row for row, _source in STORED)
    yield from _rows(second, star_table(folder / "train_star_info.csv")[second[0].planet_id], SCALE, shared)


def _rows(
    visits: list[LightCurves], planet: Planet, scale: float, shared: Path, label: np.ndarray | None = None
) -> Iterator[Row]:
    """Yield ours, the package's and the notebooks' rows of one planet; its visits may each hold one channel."""

    def row(pipeline: str, depth: np.ndarray, sigma: float) -> Row:
        error = math.nan if label is None else _shape(depth - label)
        return Row(planet.planet_id, pipeline, *_levels(depth), 1e6 * sigma, _shape(depth), error)

    depth, covariance = our_fit(visits, planet)
    yield row("our fit", depth, _level_sigma(covariance))
    wavelength = np.concatenate([curves.wavelength for curves in visits])
    known = [spectrum for spectrum in spectra_of_2024(shared, wavelength) if not _is(spectrum, label)]
    depth, covariance = learn_spectrum_prior(np.array(known), wavelength).posterior(depth, covariance)
    yield row("ours, with the prior", depth, _level_sigma(covariance))
    yield row("batman and scipy", *package_spectrum(visits, planet))
    airs = next(curves for curves in visits if not is_fgs1(curves.wavelength).all())
    level = scale * notebook_depth(np.nanmean(_relative(airs)[:, ~is_fgs1(airs.wavelength)], axis=1))
    yield row("notebooks' method", np.full(len(wavelength), level), SIGMA)


def our_fit(visits: list[LightCurves], planet: Planet) -> tuple[np.ndarray, np.ndarray]:
    """Return the depths of our fit, (n_wavelength,), and their covariance; visits are a channel each, or one of both.

    What one visit says of the other's wavelengths is nothing: their covariance stands in blocks.
    """
    fits = [fit_transit(curves, planet, load_config().fit) for curves in visits]
    covariance = np.asarray(block_diag(*(fit.covariance for fit in fits)))
    return np.concatenate([fit.depth for fit in fits]), covariance


def spectra_of_2024(shared: Path, wavelength: np.ndarray) -> np.ndarray:
    """Return the labels of 2024 at some wavelengths (n_wavelength,) [um], (n_planet, n_wavelength) [(Rp/Rs)^2]."""
    _, labels = read_spectra(shared / "real_2024" / "train_labels_2024.csv")
    return at_wavelengths(labels, wavelengths_of(shared / "real_2024" / "wavelengths_2024.csv"), wavelength)


def _is(spectrum: np.ndarray, label: np.ndarray | None) -> bool:
    """Return whether a spectrum is that of the planet itself, which it must not know."""
    return label is not None and bool(np.allclose(spectrum, label, rtol=1e-6))


def _level_sigma(covariance: np.ndarray) -> float:
    return float(np.sqrt(covariance[1:, 1:].mean()))


def _levels(depth: np.ndarray) -> tuple[float, float]:
    return 1e6 * float(depth[0]), 1e6 * float(depth[1:].mean())


def _shape(depth: np.ndarray) -> float:
    return 1e6 * float(depth[1:].std())


def _relative(curves: LightCurves) -> np.ndarray:
    return curves.flux / np.nanmedian(curves.flux, axis=0)


# --- batman and scipy


@dataclass(frozen=True)
class Transit:
    """A transit by what a light curve shows of it.

    Attributes:
        mid: time [d].
        duration: from first to last contact [d].
        impact: parameter [stellar radii].
        ratio: of radii.
        u1, u2: limb darkening, I(mu)/I(1) = 1 - u1 (1 - mu) - u2 (1 - mu)^2.
    """

    mid: float
    duration: float
    impact: float
    ratio: float
    u1: float
    u2: float

    def flux(self, time: np.ndarray, period: float) -> np.ndarray:
        """Return batman's flux at times [d], (n_time,); out of transit it is 1."""
        import batman

        shape: Any = batman.TransitParams()  # its attributes are declared None
        half = math.sin(math.pi * self.duration / period)
        chord = (1.0 + self.ratio) ** 2 - self.impact**2
        shape.t0, shape.per, shape.rp, shape.ecc, shape.w = self.mid, period, self.ratio, 0.0, 90.0
        shape.a = math.sqrt(max(chord, 1e-9) / half**2 + self.impact**2)
        shape.inc = math.degrees(math.acos(min(1.0, self.impact / shape.a)))
        shape.limb_dark, shape.u = "quadratic", [self.u1, self.u2]
        return batman.TransitModel(shape, time).light_curve(shape)


@dataclass(frozen=True)
class PackageFit:
    """What least squares found.

    Attributes:
        transit: that fits best.
        sigma: of its depth [(Rp/Rs)^2].
        cost: half the sum of the squares that are left.
    """

    transit: Transit
    sigma: float
    cost: float

    @property
    def depth(self) -> float:
        """(Rp/Rs)^2."""
        return self.transit.ratio**2


_LOW = np.array([-np.inf, 1e-3, 0.0, 1e-3, 0.0, 0.0])
_HIGH = np.array([np.inf, 0.45, 2.0, 0.5, 1.0, 1.0])
"""Bounds of what is free; beyond contact the impact parameter is cut."""


def package_fit(time: np.ndarray, flux: np.ndarray, period: float, start: Transit, free: tuple[str, ...]) -> PackageFit:
    """Return the transit that fits a light curve best, without its outliers.

    Args:
        time: (n_time,) [d].
        flux: (n_time,).
        period: of the orbit [d].
        start: where the fit starts; what is not free stays.
        free: names of the free parameters.
    """
    first = _least_squares(time, flux, period, start, free)
    left = flux - _with_baseline(time, flux, first.transit.flux(time, period))
    good = np.abs(left - np.median(left)) < _CLIPPED * 1.4826 * median_abs_deviation(left)
    return first if good.all() else _least_squares(time[good], flux[good], period, first.transit, free)


def _least_squares(
    time: np.ndarray, flux: np.ndarray, period: float, start: Transit, free: tuple[str, ...]
) -> PackageFit:
    """Fit by least squares; the baseline enters linearly, and is solved for at every step. Arguments as above."""
    names = list(asdict(start))
    place = [names.index(name) for name in free]
    values = np.array(list(asdict(start).values()))

    def transit(some: np.ndarray) -> Transit:
        full = values.copy()
        full[place] = some
        full[2] = min(full[2], 0.999 * (1.0 + full[3]))  # beyond, nothing of the star is covered
        return Transit(*full.tolist())

    def residual(some: np.ndarray) -> np.ndarray:
        return flux - _with_baseline(time, flux, transit(some).flux(time, period))

    scale = np.array([1e-3, 1e-2, 0.1, 1e-2, 0.1, 0.1])[place]
    inside = np.clip(values[place], _LOW[place] + 1e-6, _HIGH[place] - 1e-6)
    found = least_squares(residual, inside, bounds=(_LOW[place], _HIGH[place]), x_scale=scale, diff_step=1e-5)
    noise = 2.0 * found.cost / (len(flux) - len(free) - _BASELINE_ORDER - 1)
    covariance = noise * np.linalg.pinv(found.jac.T @ found.jac)
    own = free.index("ratio")
    sigma = 2.0 * float(found.x[own]) * math.sqrt(covariance[own, own])
    return PackageFit(transit(found.x), sigma, float(found.cost))


def package_white(time: np.ndarray, flux: np.ndarray, period: float) -> PackageFit:
    """Return the fit of a white light curve, by the better of two starts.

    Args:
        time: (n_time,) [d].
        flux: (n_time,).
        period: of the orbit [d].
    """
    flanks, depth = find_flanks(flux), notebook_depth(flux)
    ratio = math.sqrt(min(max(depth, 1e-4), 0.2)) if math.isfinite(depth) else 0.1
    first, last = (time[flanks.ingress], time[flanks.egress]) if flanks else np.quantile(time, [0.3, 0.7])
    free = ("mid", "duration", "impact", "ratio", "u1", "u2")
    starts = [Transit((first + last) / 2.0, max(last - first, 0.02), b, ratio, 0.2, 0.1) for b in (0.2, 0.7)]
    return min((package_fit(time, flux, period, start, free) for start in starts), key=lambda fit: fit.cost)


def _with_baseline(time: np.ndarray, flux: np.ndarray, transit: np.ndarray) -> np.ndarray:
    basis = np.vander((time - time.mean()) / np.ptp(time), _BASELINE_ORDER + 1) * transit[:, None]
    return basis @ np.linalg.lstsq(basis, flux, rcond=None)[0]


def package_spectrum(visits: list[LightCurves], planet: Planet) -> tuple[np.ndarray, float]:
    """Return the depths of batman and scipy, (n_wavelength,), and the sigma of white AIRS-CH0 [(Rp/Rs)^2].

    Args:
        visits: of one planet; one with both channels, or one for each.
        planet: whose period is used where it is known.
    """
    period = planet.orbit.period if planet.orbit else _USUAL_PERIOD
    airs = next(curves for curves in visits if not is_fgs1(curves.wavelength).all())
    fgs1 = next(curves for curves in visits if is_fgs1(curves.wavelength).any())
    time, flux = airs.time / DAY, _relative(airs)[:, ~is_fgs1(airs.wavelength)]
    white = package_white(time, np.nanmean(flux, axis=1), period)
    own = _relative(fgs1)[:, is_fgs1(fgs1.wavelength)][:, 0]
    start, free = white.transit, ("ratio", "u1", "u2")
    if fgs1 is not airs:
        there = package_white(fgs1.time / DAY, own, period).transit
        start, free = replace(there, duration=start.duration, impact=start.impact), ("mid", *free)
    depths = [package_fit(fgs1.time / DAY, own, period, start, free).depth]
    for column in flux.T:
        good = np.isfinite(column)
        depths.append(package_fit(time[good], column[good], period, white.transit, ("ratio",)).depth)
    return np.array(depths), white.sigma


# --- the notebooks' method


def notebook_depth(white: np.ndarray) -> float:
    """Return the depth of the dip of a white light curve (n_time,) as public notebooks measure it, before its scale."""
    flanks = find_flanks(white)
    return math.nan if flanks is None else dip_depth(white, flanks)


# --- 673 white curves of 2024


def white_figures(shared: Path, n_curve: int = 0, workers: int = 2) -> dict[str, float]:
    """Return the errors of the pipelines on the white curves that judge, where all of them have an answer.

    The notebooks' scale is 1 here, as for the labelled planet.
    """
    flux, label = white_curves(shared / "real_2024" / "white_673.npz")
    tasks = [(place, flux[place]) for place in range(n_curve or len(flux)) if judges(place)]
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # what the processes inherit: curves are the unit of parallelism
    if workers == 1:
        found = np.array([white_depths(task) for task in tasks])
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            found = np.array(list(pool.map(white_depths, tasks, chunksize=8)))
    kept = np.isfinite(found).all(axis=1)
    truth = label[[place for place, _ in tasks]][kept]
    figures = {"white_curves": float(kept.sum()), "white_without_answer": float((~kept).sum())}
    for name, depth, sigma in (("ours", 0, 1), ("package", 2, 3), ("notebooks", 4, None)):
        error = found[kept, depth] - truth
        figures[f"{name}_rms_ppm"] = 1e6 * float(np.sqrt((error**2).mean()))
        figures[f"{name}_median_ppm"] = 1e6 * float(np.median(np.abs(error)))
        if sigma is not None:
            figures[f"{name}_z2"] = float(((error / found[kept, sigma]) ** 2).mean())
            figures[f"{name}_sigma_ppm"] = 1e6 * float(np.median(found[kept, sigma]))
    return figures


def white_depths(task: tuple[int, np.ndarray]) -> tuple[float, float, float, float, float]:
    """Return our depth and sigma, the package's, and the notebooks' depth of one white curve [(Rp/Rs)^2]."""
    place, flux = task
    time = WHITE_SECONDS * (np.arange(len(flux)) + 0.5)
    curves = light_curves(time, flux, np.array([2.95]), planet_id=place)
    fit = fit_transit(curves, Planet(place), load_config().fit)
    package = package_white(time / DAY, flux, _USUAL_PERIOD)
    ours = float(fit.depth[0]), float(np.sqrt(fit.covariance[0, 0]))
    return (*ours, package.depth, package.sigma, notebook_depth(flux))


if __name__ == "__main__":
    main()
