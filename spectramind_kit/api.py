"""The kit from Python in a few words: what ``import spectramind_kit as sm`` offers.

    curves = sm.light_curves(time, flux, wavelength)
    fit = sm.fit(curves, sm.Planet(1, star=sm.Star(1.0, 1.0, 5800.0), orbit=sm.Orbit(3.5, 8.8, 87.0)))
    sm.table(fit)

    sm.train("data", "work"); sm.submit("data", "work"); sm.score("data/truth/test.csv", "work/submission.csv")

Settings are those of the command line, as overrides: ``sm.train("data", "work", "model=none", "seed=3")``.

These functions, their arguments and what they return are stable: a patch version (0.2.0 to 0.2.1) changes none of them,
a minor version says so in the changelog under "Changed". So are the products that ``spectramind_kit`` offers beside
them, commands, settings, and the ways that models of one's own come in; all else may change. docs/api.md has the list.
"""

from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import load_config
from spectramind_kit.errors import ProductError
from spectramind_kit.prediction.summary import SubmissionSummary
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.products import DepthEstimate, LightCurves, Planet, Spectrum, TransitFit

_SHORTEST = 1800.0
"""Of light curves with a transit [s]; shorter ones are in days or hours."""
_MOST_MISSING = 0.5
"""Of the points of a wavelength: with more missing its light curve says nothing."""


def open(data: Path | str) -> CompetitionFolder:  # the word everybody looks for
    """Open a competition folder: planets, labels, star tables, observations."""
    return open_competition(Path(data))


def light_curves(
    time: np.ndarray,
    flux: np.ndarray,
    wavelength: np.ndarray,
    flux_err: np.ndarray | None = None,
    *,
    planet_id: int = 0,
    visit: int = 0,
    regressors: dict[str, np.ndarray] | None = None,
) -> LightCurves:
    """Take light curves from elsewhere: put in order, and refused in words where they cannot be fitted.

    Times are sorted, wavelengths put FGS1 first and ascending, any byte order or stride is read; points that are not
    finite, and those with an error that is not above zero, are left out of the fit.

    Args:
        time: (n_time,) middle of each exposure or bin [s].
        flux: (n_time, n_wavelength), or (n_time,) of one wavelength, in any linear unit.
        wavelength: (n_wavelength,) [um]; below 1 um it counts as FGS1's.
        flux_err: like ``flux``, or (n_wavelength,); None to take the scatter from point to point.
        planet_id: of the planet.
        visit: its number.
        regressors: by name, (n_time,) each, such as "fgs1_row_centroid" [pixel].

    Raises:
        ProductError: if shapes do not fit together, times repeat or are not finite, or hardly a point is usable.
    """
    time, flux, wavelength = (np.array(each, dtype=np.float64) for each in (time, flux, wavelength))
    wavelength = np.atleast_1d(wavelength)
    flux = flux[:, None] if flux.ndim == 1 else flux
    if flux.shape != (len(time), len(wavelength)):
        wanted = f"shape (n_time, n_wavelength) = {(len(time), len(wavelength))}"
        raise ProductError("flux of light curves", wanted=wanted, got=f"{flux.shape}", remedy="transpose it")
    if not (np.isfinite(time).all() and np.isfinite(wavelength).all() and (wavelength > 0).all()):
        raise ProductError("times and wavelengths of light curves", wanted="finite, wavelengths above 0", got="others")
    order, colours = np.argsort(time, kind="stable"), np.argsort(wavelength, kind="stable")
    time, wavelength, flux = time[order], wavelength[colours], flux[order][:, colours]
    step = np.diff(time)
    if len(time) < 2 or (step <= 0).any():
        got = f"{int((step <= 0).sum())} that repeat" if len(time) > 1 else f"{len(time)} times"
        raise ProductError("times of light curves", wanted="two or more, each once", got=got, remedy="average repeats")
    if (length := float(time[-1] - time[0])) < _SHORTEST:
        raise ProductError(
            "times of light curves",
            wanted=f"seconds, over {_SHORTEST:g} or more",
            got=f"{length:g} from first to last",
            remedy="multiply days by 86400",
        )
    if flux_err is None:
        error = np.broadcast_to(_scatter(flux), flux.shape).copy()
    else:
        error = np.broadcast_to(np.array(flux_err, dtype=np.float64), flux.shape)
        error = (error[order] if np.ndim(flux_err) > 1 else error)[:, colours].copy()
    usable = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    if (missing := 1.0 - usable.mean(axis=0).max()) > _MOST_MISSING:
        got = f"{100 * missing:.0f} % missing in the best wavelength"
        raise ProductError("flux of light curves", wanted="finite numbers with errors above 0", got=got)
    error[~usable] = np.inf
    names = tuple(regressors or ())
    columns = [np.array((regressors or {})[name], dtype=np.float64)[order] for name in names]
    return LightCurves(
        planet_id=planet_id,
        visit=visit,
        time=time,
        bin_seconds=float(np.median(step)),
        flux=np.where(usable, flux, np.nan),
        flux_err=error,
        wavelength=wavelength,
        regressors=np.column_stack(columns) if columns else np.empty((len(time), 0)),
        regressor_names=names,
    )


def fit(curves: LightCurves, planet: Planet | None = None, *overrides: str) -> TransitFit:
    """Fit the transit of one visit: depths of all wavelengths with their covariance, orbit and limb darkening.

    Args:
        curves: ``light_curves(...)``, or those of the kit's own photometry.
        planet: star and orbit where known; they are loose priors.
        overrides: of the configuration, such as ``"fit.drift_order=3"``.

    Raises:
        FitError: if no wavelength has usable light, or there are too few times.
    """
    from spectramind_kit.fitting.posterior import fit_transit

    return fit_transit(curves, planet or Planet(curves.planet_id), load_config(overrides).fit)


def table(found: TransitFit | DepthEstimate | Spectrum) -> pl.DataFrame:
    """Return a spectrum as a table: wavelength [um], depth and sigma [(Rp/Rs)^2]; ``.to_pandas()`` makes it pandas'.

    Args:
        found: a fit, the joined visits of a planet, or a predicted spectrum.
    """
    if isinstance(found, Spectrum):
        depth, sigma, wavelength = found.mean, found.sigma, found.wavelength
    else:
        depth, sigma = found.depth, np.sqrt(np.diag(found.covariance))
        wavelength = found.wavelength if isinstance(found, TransitFit) else found.fits[0].wavelength
    return pl.DataFrame({"wavelength": wavelength, "depth": depth, "sigma": sigma})


def train(data: Path | str, work: Path | str, *overrides: str) -> TrainedModel:
    """Learn from the training planets; returns the model, with ``score`` of held-out planets."""
    from spectramind_kit import runs

    return runs.train(Path(data), Path(work), load_config(overrides))


def predict(data: Path | str, work: Path | str, split: str = "test", *overrides: str) -> pl.DataFrame:
    """Predict a split; returns the table that ``WORK/predictions`` holds."""
    from spectramind_kit import runs
    from spectramind_kit.work_folder.submission import read_submission

    return read_submission(runs.predict(Path(data), Path(work), split, load_config(overrides)))


def submit(data: Path | str, work: Path | str, *overrides: str, model: Path | str | None = None) -> SubmissionSummary:
    """Write and check ``WORK/submission.csv``; returns its path, spectra, and what fell back."""
    from spectramind_kit import runs

    return runs.submit(Path(data), Path(work), load_config(overrides), model=Path(model) if model else None)


def score(truth: Path | str, submission: Path | str, edition: str = "2025") -> float:
    """Return the competition's score of a submission file against true spectra."""
    from spectramind_kit import runs

    return runs.score_files(Path(truth), Path(submission), edition)


def _scatter(flux: np.ndarray) -> np.ndarray:
    """Return the white noise of every wavelength from second differences, which drift and transit hardly enter."""
    second = np.diff(np.where(np.isfinite(flux), flux, np.nan), n=2, axis=0)
    known = np.isfinite(second)
    return np.sqrt((np.where(known, second, 0.0) ** 2).sum(axis=0) / np.maximum(known.sum(axis=0), 1) / 6.0)
