"""Draw the README's picture from a demo folder: a raw frame, its light curve, its spectrum.

    python docs/picture.py demo docs/demo.png

Takes the first test planet that was visited once; the truth is the simulator's.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.competition.frames import read_frame
from spectramind_kit.instruments import AIRS, is_fgs1
from spectramind_kit.products import PlanetObservation, TransitFit
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.store import load_product
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

FGS1_COLOUR, AIRS_COLOUR, TRUTH_COLOUR = "#c2410c", "#1d4ed8", "#111827"


def main(demo: Path, picture: Path) -> None:
    """Draw a planet's way through the kit.

    Args:
        demo: folder that ``make demo`` leaves.
        picture: PNG to write.
    """
    folder = open_competition(demo / "data")
    observation = first_single_visit(folder)
    planet_id = observation.planet.planet_id
    fit = load_product(WorkFolder(demo).stored_fits("test", planet_id)[0], TransitFit)
    figure = Figure(figsize=(12, 3.2), layout=ConstrainedLayoutEngine(w_pad=0.15))
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1.1, 1.3])
    draw_frame(left, observation)
    draw_light_curves(middle, fit)
    draw_spectrum(right, demo, planet_id, fit.wavelength)
    figure.savefig(picture, dpi=90)


def first_single_visit(folder: CompetitionFolder) -> PlanetObservation:
    """Return the visit of the first test planet that has one only."""
    visits = (folder.observations("test", planet) for planet in folder.planet_ids("test"))
    return next(found[0] for found in visits if len(found) == 1)


def draw_frame(axes: Axes, observation: PlanetObservation) -> None:
    """Draw the last raw AIRS-CH0 read of the first pair, the columns that become the spectrum, in kilocounts."""
    image = read_frame(observation, AIRS.name, np.arange(*AIRS.science_columns), frame=1) / 1e3
    shown = axes.imshow(image, aspect="auto", origin="lower", cmap="inferno")
    axes.figure.colorbar(shown, ax=axes, label="counts [1000 ADU]")
    axes.set(title="raw frame of AIRS-CH0", xlabel="column", ylabel="row")


def draw_light_curves(axes: Axes, fit: TransitFit) -> None:
    """Draw the mean light curve of each channel with star and drift divided out, and the transit; FGS1 set off."""
    hours = (fit.time - fit.time[0]) / 3600.0
    fgs1 = is_fgs1(fit.wavelength)
    for name, here, colour, offset in (("FGS1", fgs1, FGS1_COLOUR, 0.01), ("AIRS-CH0", ~fgs1, AIRS_COLOUR, 0.0)):
        bins = np.isfinite(fit.flux[:, here]).any(axis=1)
        white = np.nanmean(fit.flux[bins][:, here], axis=1)
        axes.plot(hours[bins], white + offset, ".", color=colour, markersize=3, label=name)
        axes.plot(hours, fit.model[:, here].mean(axis=1) + offset, "-", color=TRUTH_COLOUR, lw=0.9)
    axes.set(title="light curves and the fitted transit", xlabel="time [h]", ylabel="flux (FGS1: + 0.01)")
    axes.legend(frameon=False, fontsize=8)


def draw_spectrum(axes: Axes, demo: Path, planet_id: int, wavelength: np.ndarray) -> None:
    """Draw the submitted spectrum with one and two sigma, and the simulator's truth, in per cent."""
    ids, mean, sigma = submission_arrays(read_submission(demo / "submission.csv"))
    place = int(np.flatnonzero(ids == planet_id)[0])
    mean, sigma = 100 * mean[place], 100 * sigma[place]
    truth = pl.read_csv(demo / "data" / "truth" / "test.csv").filter(pl.col("planet_id") == planet_id)
    true = 100 * truth.drop("planet_id").to_numpy()[0]
    for factor, alpha in ((2, 0.15), (1, 0.3)):
        axes.fill_between(
            wavelength[1:],
            (mean - factor * sigma)[1:],
            (mean + factor * sigma)[1:],
            color=AIRS_COLOUR,
            alpha=alpha,
            lw=0,
            label=f"{factor} sigma",
        )
    axes.plot(wavelength[1:], mean[1:], color=AIRS_COLOUR, lw=1, label="AIRS-CH0")
    axes.errorbar(
        wavelength[:1], mean[:1], sigma[:1], fmt="o", color=FGS1_COLOUR, capsize=3, markersize=4, label="FGS1"
    )
    axes.plot(wavelength, true, ".", color=TRUTH_COLOUR, markersize=2, label="truth")
    axes.set(title="spectrum as submitted", xlabel="wavelength [um]", ylabel="transit depth [%]")
    axes.legend(frameon=False, fontsize=8, loc="lower left")


if __name__ == "__main__":
    matplotlib.use("agg")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
