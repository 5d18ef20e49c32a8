"""The fit on real data: 673 labelled white light curves of 2024, one labelled planet of 2024, two planets of 2025.

    python benchmarks/real.py [--shared DIR] [--curves N] [--workers N] [--json FILE]

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
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from tqdm import tqdm

from spectramind_kit.config import load_config
from spectramind_kit.fitting.posterior import fit_transit
from spectramind_kit.instruments import AIRS, FGS1_WAVELENGTH
from spectramind_kit.products import LightCurves, Orbit, Planet, Star, TransitFit

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
WHITE_SECONDS = 144.0
WHITE_SCALE = 101.6
_FAR = 6.0
"""Standardised errors beyond are outliers."""


@dataclass(frozen=True)
class WhiteFit:
    """The depth of one white curve: of the fit with its sigma, of the cubic; and the label [(Rp/Rs)^2]."""

    place: int
    depth: float
    sigma: float
    cubic: float
    label: float

    @property
    def judged(self) -> bool:
        """Whether the curve only judges: three quarters do."""
        return hashlib.sha256(str(self.place).encode()).digest()[0] % 4 != 0


def main() -> None:
    """Fit, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with real_2024/ and real_2025/")
    parser.add_argument("--curves", type=int, default=0, help="white curves to fit; 0 is all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not (arguments.shared / "real_2024").is_dir():
        parser.error(f"no real_2024/ in {arguments.shared}: name the folder with --shared")
    found = measure(arguments.shared, arguments.curves, arguments.workers)
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value:.4g}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


def measure(shared: Path, n_curve: int = 0, workers: int = 2) -> dict[str, float]:
    """Return every figure by name."""
    fits = white_fits(shared / "real_2024" / "white_673.npz", n_curve, workers)
    judged = [one for one in fits if one.judged]
    found = white_figures(judged)
    found |= {f"{name}_all": value for name, value in white_figures(fits).items()}
    found |= planet_of_2024(shared / "real_2024" / "light_curves_724899303.npz")
    found |= planets_of_2025(shared / "real_2025")
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
    fit = fit_transit(
        light_curves(place, time, flux[:, None], np.array([2.95]), WHITE_SECONDS), Planet(place), load_config().fit
    )
    inside = fit.model[:, 0] < 1.0 - 1e-7
    return WhiteFit(
        place, float(fit.depth[0]), float(np.sqrt(fit.covariance[0, 0])), cubic_depth(time, flux, inside), label
    )


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


def planet_of_2024(path: Path) -> dict[str, float]:
    """Fit the labelled planet of 2024 and return its errors: level and FGS1 in sigmas, shape as chi^2 a wavelength.

    FGS1 has more bins of its own; it is brought to the times of AIRS-CH0 by the mean of what lies nearest.
    """
    with np.load(path) as archive:
        airs, time, fgs, fgs_time = (archive[name] for name in ("airs", "airs_time", "fgs", "fgs_time"))
        wavelength, label = archive["wavelength"], archive["label"]
    seconds = 3600.0 * (time - time[0])  # in hours, whatever is said of them: the visit lasts 7.5 h
    spacing = float(np.median(np.diff(seconds)))
    fgs1 = np.interp(time, fgs_time, fgs)
    flux = np.column_stack([fgs1, airs])
    fit = fit_transit(light_curves(724899303, seconds, flux, wavelength, spacing), Planet(724899303), load_config().fit)
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
    """Fit the two planets of 2025, which have no labels: evidence, whiteness of residuals, agreement of channels."""
    found = {}
    wavelength = pl.read_parquet(folder / "axis_info.parquet")["AIRS-CH0-axis2-um"].drop_nulls().to_numpy()
    first, stop = AIRS.science_columns
    axis = np.r_[FGS1_WAVELENGTH, wavelength[first:stop][::-1]]
    stored = np.load(folder / "light_curves_1103775.npy").astype(float)
    flux = np.column_stack([stored[:, 0], stored[:, 1:][:, AIRS.n_column - stop : AIRS.n_column - first]])
    time = 72.0 * (np.arange(len(flux)) + 0.5)
    both = light_curves(1103775, time, flux, axis, 72.0)
    found |= _figures_of_2025(both, _planet(folder / "test_star_info.csv", 1103775))
    with np.load(folder / "light_curves_244787369.npz") as archive:
        fgs, airs = archive["fgs"].astype(float), archive["airs"].astype(float)
    planet = _planet(folder / "train_star_info.csv", 244787369)
    visits = []
    for channel, wide, points in (("fgs1", 20.0, axis[:1]), ("airs", 24.0, axis[1:])):
        data = fgs if channel == "fgs1" else airs
        n = 3 if channel == "airs" else 4
        binned = data[: len(data) // n * n].reshape(len(data) // n, n, -1).mean(axis=1)
        times = n * wide * (np.arange(len(binned)) + 0.5)
        fit = fit_transit(light_curves(244787369, times, binned, points, n * wide), planet, load_config().fit)
        visits.append(fit)
        found[f"{channel}_beta_244787369"] = beta(fit)
    level = [(fit.depth.mean(), float(np.sqrt(fit.covariance.mean()))) for fit in visits]
    found["channels_z_244787369"] = (level[0][0] - level[1][0]) / math.hypot(level[0][1], level[1][1])
    found["lnz_244787369"] = sum(ln_evidence(fit) for fit in visits)
    return found


def _figures_of_2025(curves: LightCurves, planet: Planet) -> dict[str, float]:
    fit = fit_transit(curves, planet, load_config().fit)
    n = len(fit.depth) - 1
    contrast = np.r_[1.0, np.full(n, -1.0 / n)]
    return {
        f"lnz_{curves.planet_id}": ln_evidence(fit),
        f"channels_z_{curves.planet_id}": float(contrast @ fit.depth / np.sqrt(contrast @ fit.covariance @ contrast)),
        f"beta_{curves.planet_id}": beta(fit),
    }


def ln_evidence(fit: TransitFit) -> float:
    """Return how probable the white residuals of a fit are [nat], under the white noise that second differences show.

    It is a likelihood at the fit and no full evidence: the fit keeps no normal matrix. Two fits of the same curves
    are compared by its difference as long as they have about as many free parameters.
    """
    total = 0.0
    for white in white_residuals(fit):
        noise = np.sqrt((np.diff(white, n=2) ** 2).mean() / 6.0)
        total += float((-0.5 * (white / noise) ** 2 - np.log(noise) - 0.5 * math.log(2.0 * math.pi)).sum())
    return total


def beta(fit: TransitFit) -> float:
    """Return the largest scatter of 20-bin means over what white noise leaves, of the channels' white residuals."""
    ratios = []
    for white in white_residuals(fit):
        n = len(white) // 20 * 20
        ratios.append(float(white[:n].reshape(-1, 20).mean(axis=1).std() * np.sqrt(20.0) / white.std()))
    return max(ratios)


def white_residuals(fit: TransitFit) -> list[np.ndarray]:
    """Return the mean residual of each channel (n_time,), weighed by inverse variance."""
    found = []
    fgs1 = fit.wavelength < 1.2
    for own in (fgs1, ~fgs1):
        if own.any():
            residual = fit.flux[:, own] - fit.model[:, own]
            weight = np.where(np.isfinite(residual), np.nanvar(residual, axis=0) ** -1.0, 0.0)
            total = weight.sum(axis=1)
            used = total > 0
            found.append(np.nansum(weight * residual, axis=1)[used] / total[used])
    return found


def light_curves(
    planet_id: int, time: np.ndarray, flux: np.ndarray, wavelength: np.ndarray, seconds: float
) -> LightCurves:
    """Return somebody else's light curves as ours; noise is estimated from each wavelength's second differences."""
    noise = np.sqrt((np.diff(flux, n=2, axis=0) ** 2).mean(axis=0) / 6.0)
    return LightCurves(
        planet_id=planet_id,
        visit=0,
        time=time,
        bin_seconds=seconds,
        flux=flux,
        flux_err=np.broadcast_to(noise, flux.shape),
        wavelength=wavelength,
        regressors=np.empty((len(flux), 0)),
    )


def _planet(table: Path, planet_id: int) -> Planet:
    row = pl.read_csv(table).filter(pl.col("planet_id") == planet_id).row(0, named=True)
    return Planet(planet_id, Star(row["Rs"], row["Ms"], row["Ts"]), Orbit(row["P"], row["sma"], row["i"]))


if __name__ == "__main__":
    main()
