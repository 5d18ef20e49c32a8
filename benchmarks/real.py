"""The fit on real data: 673 white light curves and a planet of 2024 with labels, two planets and six labels of 2025.

    python benchmarks/real.py [--shared DIR] [--curves N] [--workers N] [--json FILE]

White curves are fitted one by one, and then under the prior of star and instrument that the labelled curves of the
quarter teach, as training planets do; figures that end in ``_alone`` are those of the fits one by one.

The pieces lie in a folder beside the project (``--shared``); nothing of them belongs to it. The white curves come
normalised by somebody else, relative flux = 1 + (white - its mean) / 101.6; the scale was fitted to all labels, so the
mean depth is no evidence, its scatter is. A quarter of the curves may be looked at while the fit is changed; the rest,
chosen by a hash of the row, only judges, and figures without a suffix are of those.

Judged are the light curves as they are: noise is estimated from second differences, no orbit is known, and 2024 has
no limb darkening, which the fit does not know either. ``cubic`` is a fit of nothing but a box dip's depth: the mean
flux inside the transit against a cubic through what is outside.
"""

import argparse
import hashlib
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from evidence import ln_evidence
from label_prior import label_figures
from scipy.stats import chi2
from star_table import star_table
from tqdm import tqdm

from spectramind_kit.api import light_curves
from spectramind_kit.config import load_config
from spectramind_kit.fitting.nuisance_learning import learn_nuisance_prior
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.fitting.visits import join_visits
from spectramind_kit.instruments import AIRS, FGS1_WAVELENGTH, is_fgs1
from spectramind_kit.prediction.worker import taught
from spectramind_kit.products import LightCurves, Planet, TransitFit

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
WHITE_SECONDS = 144.0
WHITE_SCALE = 101.6
_FAR = 6.0
"""Standardised errors beyond are outliers."""
_HALF_HOUR = 1800.0
"""Over which whiteness is judged: about as long as ingress and egress [s]."""


@dataclass(frozen=True)
class WhiteFit:
    """The depth of one white curve: of the fit with its sigma, of the cubic; the label [(Rp/Rs)^2]; and the fit."""

    place: int
    depth: float
    sigma: float
    cubic: float
    label: float
    fit: TransitFit

    @property
    def judged(self) -> bool:
        """Whether the curve only judges: three quarters do."""
        return judges(self.place)


def judges(place: int) -> bool:
    """Return whether a white curve only judges, by its row."""
    return hashlib.sha256(str(place).encode()).digest()[0] % 4 != 0


def main() -> None:
    """Fit, print the table, write the figures."""
    arguments = arguments_of(__doc__)
    found = measure(arguments.shared, arguments.curves, arguments.workers)
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value:.4g}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


def arguments_of(about: str | None, missing: str = "") -> argparse.Namespace:
    """Return the arguments of a benchmark on the real pieces, or stop in words.

    Args:
        about: what it does.
        missing: which package it lacks, in words.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with real_2024/ and real_2025/")
    parser.add_argument("--curves", type=int, default=0, help="white curves to fit; 0 is all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not (arguments.shared / "real_2024").is_dir():
        parser.error(f"no real_2024/ in {arguments.shared}: name the folder with --shared")
    if missing:
        parser.error(missing)
    return arguments


def measure(shared: Path, n_curve: int = 0, workers: int = 2) -> dict[str, float]:
    """Return every figure by name."""
    fits = white_fits(shared / "real_2024" / "white_673.npz", n_curve, workers)
    learned = under_learned_prior(fits)
    found = white_figures([one for one in learned if one.judged])
    found |= {f"{name}_all": value for name, value in white_figures(learned).items()}
    found |= {f"{name}_alone": value for name, value in white_figures([one for one in fits if one.judged]).items()}
    found |= planet_of_2024(shared / "real_2024" / "light_curves_724899303.npz")
    found |= planets_of_2025(shared / "real_2025")
    found |= label_figures(shared)
    return found


# --- 673 white curves of 2024


def white_curves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return relative flux (n_curve, n_time) and labels (n_curve,) of the white curves."""
    with np.load(path) as archive:
        white, label = archive["white"], archive["airs_label_mean"]
    return 1.0 + (white - white.mean(axis=1, keepdims=True)) / WHITE_SCALE, label


def white_fits(path: Path, n_curve: int = 0, workers: int = 2) -> list[WhiteFit]:
    """Fit the first curves, or all of them."""
    flux, label = white_curves(path)
    tasks = [(place, flux[place], float(label[place])) for place in range(n_curve or len(flux))]
    if workers == 1:
        return [fit_white(task) for task in tasks]
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # what the processes inherit: curves are the unit of parallelism
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(tqdm(pool.map(fit_white, tasks, chunksize=8), total=len(tasks), desc="white curves"))


def fit_white(task: tuple[int, np.ndarray, float]) -> WhiteFit:
    """Fit one white curve as a user would who knows nothing but the curve."""
    place, flux, label = task
    time = WHITE_SECONDS * (np.arange(len(flux)) + 0.5)
    fit = fit_transit(light_curves(time, flux, np.array([2.95]), planet_id=place), Planet(place), load_config().fit)
    inside = fit.model[:, 0] < 1.0 - 1e-7
    sigma = float(np.sqrt(fit.covariance[0, 0]))
    return WhiteFit(place, float(fit.depth[0]), sigma, cubic_depth(time, flux, inside), label, fit)


def under_learned_prior(fits: list[WhiteFit]) -> list[WhiteFit]:
    """Return the fits under the prior of star and instrument that the curves which do not judge teach."""
    visits = [one for white in fits if not white.judged for one in taught([white.fit], np.array([white.label]))]
    prior = learn_nuisance_prior(visits)
    found = []
    for white in fits:
        joined = join_visits([white.fit], prior)
        depth, sigma = float(joined.depth[0]), float(np.sqrt(joined.covariance[0, 0]))
        found.append(replace(white, depth=depth, sigma=sigma))
    return found


def cubic_depth(time: np.ndarray, flux: np.ndarray, inside: np.ndarray) -> float:
    """Return the mean depth of the flat part below a cubic through the times outside; NaN without either."""
    where = np.flatnonzero(inside)
    if len(where) < 8 or (~inside).sum() < 8:
        return math.nan
    flat = where[len(where) // 4 : -(len(where) // 4)]
    x = (time - time.mean()) / np.ptp(time)
    star = np.polynomial.Polynomial.fit(x[~inside], flux[~inside], 3)(x)
    return float(1.0 - (flux[flat] / star[flat]).mean())


def white_figures(fits: list[WhiteFit]) -> dict[str, float]:
    """Return rms and median error [ppm], mean z^2, outliers, mean log-likelihood a curve [nat]."""
    error = np.array([one.depth - one.label for one in fits])
    sigma = np.array([one.sigma for one in fits])
    cubic = np.array([one.cubic - one.label for one in fits])
    cubic = cubic[np.isfinite(cubic)]
    z = error / sigma
    return {
        "white_curves": float(len(fits)),
        "white_rms_ppm": 1e6 * float(np.sqrt((error**2).mean())),
        "white_median_ppm": 1e6 * float(np.median(np.abs(error))),
        "white_bias_ppm": 1e6 * float(error.mean()),
        "white_sigma_ppm": 1e6 * float(np.sqrt((sigma**2).mean())),
        "white_z2": float((z**2).mean()),
        "white_outliers": float((np.abs(z) > _FAR).sum()),
        "white_nats": float((-0.5 * z**2 - np.log(sigma) - 0.5 * math.log(2.0 * math.pi)).mean()),
        "white_cubic_rms_ppm": 1e6 * float(np.sqrt((cubic**2).mean())),
        "white_cubic_median_ppm": 1e6 * float(np.median(np.abs(cubic))),
    }


# --- planets with all wavelengths


def labelled_planet(path: Path) -> tuple[LightCurves, np.ndarray]:
    """Return the light curves of the labelled planet of 2024 and its label (n_wavelength,) [(Rp/Rs)^2].

    FGS1 has more bins of its own; it is brought to the times of AIRS-CH0 by the mean of what lies nearest.
    """
    with np.load(path) as archive:
        airs, time, fgs, fgs_time = (archive[name] for name in ("airs", "airs_time", "fgs", "fgs_time"))
        wavelength, label = archive["wavelength"], archive["label"]
    seconds = 3600.0 * (time - time[0])  # in hours, whatever is said of them: the visit lasts 7.5 h
    flux = np.column_stack([np.interp(time, fgs_time, fgs), airs])
    return light_curves(seconds, flux, wavelength, planet_id=724899303), label


def planet_of_2024(path: Path) -> dict[str, float]:
    """Fit the labelled planet of 2024 and return its errors: level and FGS1 in sigmas, shape as chi^2 a wavelength."""
    curves, label = labelled_planet(path)
    fit = fit_transit(curves, Planet(curves.planet_id), load_config().fit)
    sigma = np.sqrt(np.diag(fit.covariance))
    error = fit.depth - label
    weight = np.r_[0.0, np.full(len(label) - 1, 1.0 / (len(label) - 1))]
    level = weight @ error
    shape = error[1:] - level
    return {
        "planet2024_z": float(level / np.sqrt(weight @ fit.covariance @ weight)),
        "planet2024_level_ppm": 1e6 * float(level),
        "planet2024_fgs1_z": float(error[0] / sigma[0]),
        "planet2024_shape_ppm": 1e6 * float(np.sqrt((shape**2).mean())),
        "planet2024_shape_z2": float(((shape / sigma[1:]) ** 2).mean()),
    }


def planets_of_2025(folder: Path) -> dict[str, float]:
    """Fit the two planets of 2025, which have no labels: evidence, whiteness of residuals, agreement of fits.

    The first has both channels of one visit, fitted together and apart; the second one channel of each of two visits.
    """
    config = load_config().fit
    first, second = both_channels(folder), two_visits(folder)
    planet = star_table(folder / "test_star_info.csv")[first.planet_id]
    fit = fit_transit(first, planet, config)
    contrast = np.r_[1.0, np.full(len(fit.depth) - 1, -1.0 / (len(fit.depth) - 1))]
    error = float(np.sqrt(contrast @ fit.covariance @ contrast))
    found = {"channels_z_1103775": float(contrast @ fit.depth / error)} | residual_figures(fit)
    fgs1, airs = (fit_transit(one, planet, config) for one in channels_apart(first))
    found |= agreement(fgs1, airs, ("mid_time", "duration"))
    found["lnz_1103775"] = ln_evidence(first, planet, config)

    planet = star_table(folder / "train_star_info.csv")[second[0].planet_id]
    visits = [fit_transit(one, planet, config) for one in second]
    found |= residual_figures(*visits)
    level = [(visit.depth.mean(), float(np.sqrt(visit.covariance.mean()))) for visit in visits]
    found["channels_z_244787369"] = (level[0][0] - level[1][0]) / math.hypot(level[0][1], level[1][1])
    found |= agreement(visits[0], visits[1], ("duration",))
    found["lnz_244787369"] = sum(ln_evidence(one, planet, config) for one in second)
    return found


def _axis(folder: Path) -> np.ndarray:
    """Return the wavelengths of 2025, FGS1 first, then AIRS-CH0 ascending, (n_wavelength,) [um]."""
    wavelength = pl.read_parquet(folder / "axis_info.parquet")["AIRS-CH0-axis2-um"].drop_nulls().to_numpy()
    first, stop = AIRS.science_columns
    return np.r_[FGS1_WAVELENGTH, wavelength[first:stop][::-1]]


def both_channels(folder: Path) -> LightCurves:
    """Return one visit of planet 1103775: 375 bins of both channels."""
    stored = np.load(folder / "light_curves_1103775.npy").astype(float)
    first, stop = AIRS.science_columns
    flux = np.column_stack([stored[:, 0], stored[:, 1:][:, AIRS.n_column - stop : AIRS.n_column - first]])
    return light_curves(72.0 * (np.arange(len(flux)) + 0.5), flux, _axis(folder), planet_id=1103775)


def two_visits(folder: Path) -> list[LightCurves]:
    """Return FGS1 of one visit and AIRS-CH0 of another of planet 244787369, in bins of 80 s and 72 s."""
    with np.load(folder / "light_curves_244787369.npz") as archive:
        stored = {name: archive[name].astype(float) for name in ("fgs", "airs")}
    axis, found = _axis(folder), []
    for name, wide, n, points in (("fgs", 20.0, 4, axis[:1]), ("airs", 24.0, 3, axis[1:])):
        data = stored[name]
        binned = data[: len(data) // n * n].reshape(len(data) // n, n, -1).mean(axis=1)
        times = n * wide * (np.arange(len(binned)) + 0.5)
        found.append(light_curves(times, binned, points, planet_id=244787369))
    return found


def channels_apart(curves: LightCurves) -> list[LightCurves]:
    """Return FGS1 alone and AIRS-CH0 alone."""
    return [
        replace(curves, flux=curves.flux[:, own], flux_err=curves.flux_err[:, own], wavelength=curves.wavelength[own])
        for own in (is_fgs1(curves.wavelength), ~is_fgs1(curves.wavelength))
    ]


def agreement(one: TransitFit, other: TransitFit, names: tuple[str, ...]) -> dict[str, float]:
    """Return by how many sigmas estimates of two fits of the same planet differ."""
    found = {}
    for name in names:
        a, b = one.parameters[name], other.parameters[name]
        found[f"{name}_z_{one.planet_id}"] = (a.value - b.value) / math.hypot(a.error, b.error)
    return found


def residual_figures(*fits: TransitFit) -> dict[str, float]:
    """Return how white the white residuals of a planet's fits are, and their log-likelihood under white noise [nat]."""
    found, name, total = {}, str(fits[0].planet_id), 0.0
    for fit in fits:
        n = round(_HALF_HOUR / float(np.median(np.diff(fit.time))))
        for channel, white in white_residuals(fit).items():
            found[f"{channel}_beta_{name}"] = beta(white, n)
            found[f"{channel}_ljung_box_p_{name}"] = ljung_box(white, n)
            noise = np.sqrt((np.diff(white, n=2) ** 2).mean() / 6.0)
            nats = -0.5 * (white / noise) ** 2 - np.log(noise) - 0.5 * math.log(2.0 * math.pi)
            total += float(nats.sum())
    worst = max(value for key, value in found.items() if "_beta_" in key)
    return found | {f"beta_{name}": worst, f"residual_nats_{name}": total}


def beta(white: np.ndarray, n: int) -> float:
    """Return the scatter of means of n points over what white noise leaves (Pont, Zucker & Queloz 2006).

    A fit takes its part of the scatter at long times, so that white noise ends somewhat below one.

    Args:
        white: (n_time,) residual.
        n: points averaged.
    """
    means = white[: len(white) // n * n].reshape(-1, n).mean(axis=1)
    return float(means.std(ddof=1) / white.std(ddof=1) * np.sqrt(n))


def ljung_box(white: np.ndarray, n_lag: int) -> float:
    """Return how probable autocorrelations as large as these are in white noise (Ljung & Box 1978).

    Args:
        white: (n_time,) residual.
        n_lag: lags taken together.
    """
    n, residual = len(white), white - white.mean()
    lags = np.arange(1, n_lag + 1)
    correlation = np.array([residual[lag:] @ residual[:-lag] for lag in lags]) / (residual @ residual)
    return float(chi2.sf(n * (n + 2) * (correlation**2 / (n - lags)).sum(), n_lag))


def white_residuals(fit: TransitFit) -> dict[str, np.ndarray]:
    """Return the mean residual of each channel (n_time,), weighed by inverse variance."""
    found, fgs1 = {}, is_fgs1(fit.wavelength)
    for channel, own in (("fgs1", fgs1), ("airs", ~fgs1)):
        if own.any():
            residual = fit.residual[:, own]
            weight = np.where(np.isfinite(residual), np.nanvar(residual, axis=0) ** -1.0, 0.0)
            total = weight.sum(axis=1)
            used = total > 0
            found[channel] = np.nansum(weight * residual, axis=1)[used] / total[used]
    return found


if __name__ == "__main__":
    main()
