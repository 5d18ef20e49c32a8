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

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import load_config
from spectramind_kit.photometry.foreign_curves import light_curves as light_curves
from spectramind_kit.prediction.submission_summary import SubmissionSummary
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.products import DepthEstimate, LightCurves, Planet, Spectrum, TransitFit
from spectramind_kit.shapes import Product

if TYPE_CHECKING:
    from spectramind_kit.blends.blend import Blend


def open(data: Path | str) -> CompetitionFolder:  # the word everybody looks for
    """Open a competition folder: planets, labels, star tables, observations."""
    return open_competition(Path(data))


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
    """Return a spectrum as a table: wavelength [um], depth and sigma [(Rp/Rs)^2].

    Products have ``to_pandas()``, ``to_xarray()``, ``write("spectrum.ecsv")`` and ``spectrum_likelihood()``, too.

    Args:
        found: a fit, the joined visits of a planet, or a predicted spectrum.
    """
    depths = found.depths()
    return pl.DataFrame({"wavelength": depths.wavelength, "depth": depths.depth, "sigma": depths.sigma})


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


def blend(
    members: Sequence[Path | str], data: Path | str, work: Path | str, *overrides: str, equally: bool = False
) -> "Blend":
    """Write ``WORK/submission.csv`` from several runs, weighed on held-out planets; returns weights and what they gain.

    Args:
        members: work folders, folders of runs, or, with equal weights, submission files.
        data: competition folder.
        work: a folder of its own.
        overrides: of the configuration, such as ``"training.folds_file=CSV"``.
        equally: equal weights, as for networks that differ by their seeds.
    """
    from spectramind_kit.blends import blend as blends

    config, places = load_config(overrides), [Path(each) for each in members]
    return blends.blend(places, Path(data), Path(work), config, equally=equally)


def score(truth: Path | str, submission: Path | str, edition: str = "2025") -> float:
    """Return the competition's score of a submission file against true spectra."""
    from spectramind_kit import runs

    return runs.score_files(Path(truth), Path(submission), edition)


def _in_html(product: object) -> str | None:
    """Return a product as a notebook shows it."""
    from spectramind_kit.diagnostics.notebook import html_of  # here: matplotlib takes a second

    return html_of(product)


Product.in_html = staticmethod(_in_html)
