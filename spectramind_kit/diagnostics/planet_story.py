"""One planet in four paragraphs with a picture each, for notebooks that people read: from light curves to trust.

What they say is read from the stored products and from the model's own record, so that it is true of the run at hand.
A part that is missing becomes a sentence: a notebook that has its result does not end for a picture.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.figure import Figure

from spectramind_kit.diagnostics.attempt import attempted
from spectramind_kit.diagnostics.plots import (
    PERCENT,
    PPM,
    SECONDS_PER_HOUR,
    plot_coverage,
    plot_fit,
    plot_light_curves,
    plot_spectrum,
    png_in_text,
)
from spectramind_kit.diagnostics.predictions import held_out_predictions
from spectramind_kit.errors import ProductError
from spectramind_kit.flags import Flags, flag_sentences
from spectramind_kit.prediction.held_out_coverage import coverage_record
from spectramind_kit.products import LightCurves, Spectrum, TransitFit
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.model_record import read_model_record
from spectramind_kit.work_folder.store import load_product
from spectramind_kit.work_folder.submission import read_submission, submission_arrays

DOTS_PER_INCH = 110
Kind = TypeVar("Kind")

ONE_SIGMA = 0.6827
"""How much of a normal distribution lies within one sigma."""
PASSAGE = '<p style="max-width: 46em">{text}</p>'
PICTURE = '<img style="max-width: 100%; height: auto" alt="{alt}" src="data:image/png;base64,{png}">'


@dataclass(frozen=True)
class Passage:
    """A paragraph and its picture.

    Attributes:
        text: plain sentences.
        figure: the picture; None where there is none.
        alt: what the picture shows, for those who do not see it.
    """

    text: str
    figure: Figure | None = None
    alt: str = ""

    def html(self) -> str:
        """Return it as HTML that fits a screen of any width."""
        if self.figure is None:
            return PASSAGE.format(text=html.escape(self.text))
        head, rest = html.escape(self.text).split(". ", 1)
        paragraph = PASSAGE.format(text=f"<b>{head}.</b> {rest}")
        return paragraph + PICTURE.format(alt=html.escape(self.alt), png=png_in_text(self.figure, DOTS_PER_INCH))


@dataclass(frozen=True)
class Story:
    """What there is to tell of a planet; a notebook's cell that ends in one shows it."""

    passages: tuple[Passage, ...]

    def __repr__(self) -> str:
        return "\n\n".join(passage.text for passage in self.passages)

    def _repr_html_(self) -> str:
        return "".join(passage.html() for passage in self.passages)


def show_planet(work: Path, split: str, planet_id: int, data: Path | None = None, model: Path | None = None) -> Story:
    """Return a planet's story: what was measured, how it was fitted, what was predicted, and how far to trust that.

    Args:
        work: the work folder.
        split: "train" or "test".
        planet_id: the planet.
        data: the competition's folder, whose labels the last paragraph needs where the model's record does not say it.
        model: folder of the trained model; None is the work folder's own.
    """
    folder, trained = WorkFolder(work), model or WorkFolder(work).model
    record = read_model_record(trained) or {}
    parts: list[Callable[[], Passage]] = [
        lambda: measured(_first(folder.stored_light_curves(split, planet_id), LightCurves)),
        lambda: fitted(_first(folder.stored_fits(split, planet_id), TransitFit)),
        lambda: predicted(read_spectrum(folder, split, planet_id), record),
        lambda: judged(held_out_counts(folder, trained, data, record), record),
    ]
    passages = [attempted(part) for part in parts]
    return Story(tuple(Passage(part) if isinstance(part, str) else part for part in passages))


def measured(curves: LightCurves) -> Passage:
    """Return what a visit's light curves are."""
    hours, airs = np.ptp(curves.time) / SECONDS_PER_HOUR, curves.wavelength[1:]
    corrections = ", ".join(name.replace("_", " ") for name in curves.applied) or "none that were written down"
    text = (
        f"What is measured. Ariel watched the star of planet {curves.planet_id} for {hours:.1f} hours. FGS1 took its "
        f"light in one band, AIRS-CH0 in {len(airs)} wavelengths from {airs.min():.2f} to {airs.max():.2f} um. Frames "
        f"were corrected ({corrections}), summed over the star's image, and binned to {len(curves.time)} points of "
        f"{curves.bin_seconds:.0f} s.{_flags(curves.flags)}"
    )
    alt = "Light curves of FGS1 and AIRS-CH0, and a map of AIRS-CH0 over time and wavelength."
    return Passage(text, plot_light_curves(curves), alt)


def fitted(fit: TransitFit) -> Passage:
    """Return how a visit was fitted."""
    depth, sigma = PERCENT * fit.depth[1:].mean(), PPM * float(np.median(fit.sigma[1:]))
    orbit = fit.parameters.get("semi_major_axis")
    distance = f" The star lies {orbit.value:.2f} +- {orbit.error:.2f} of its radii away." if orbit else ""
    text = (
        "How the fit works. A limb-darkened transit times drift and pointing is fitted to all wavelengths at once; "
        f"orbit and star are shared, the depth is each wavelength's own. In AIRS-CH0 the planet takes {depth:.3f} % of "
        f"the light, and one wavelength's depth is known to {sigma:.0f} ppm before anything is known of spectra."
        f"{distance}{_flags(fit.flags)}"
    )
    alt = "Light curves over star and drift with the fitted transit, and the residuals, of FGS1 and AIRS-CH0."
    return Passage(text, plot_fit(fit), alt)


def predicted(spectrum: Spectrum, record: dict[str, Any]) -> Passage:
    """Return what was predicted of a planet, and by how much the network had a say, as the model's record states it."""
    kind, shares = record.get("kind", "none"), record.get("network_share", {})
    if not record:
        network = "No model's record lies beside it."
    elif kind == "none" or not any(shares.values()):
        network = f"No network has a say in it: {_why_none(kind)}."
    else:
        named = " and ".join(f"{100 * share:.0f} % in {channel}" for channel, share in shares.items())
        network = (
            f"The network {kind} may move mean and sigma by {named} of what it would: so much paid on held-out planets."
        )
    planets = record.get("n_planets")
    learned = f" learned from {planets} planets with labels" if planets else ""
    span, sigma = PPM * np.ptp(spectrum.mean[1:]), PPM * float(np.median(spectrum.sigma[1:]))
    text = (
        f"What is predicted. The depths of the fit meet a prior of spectra{learned}, which knows how wavelengths of "
        f"real planets go together. {network} Across AIRS-CH0 the spectrum spans {span:.0f} ppm, and its sigma is "
        f"{sigma:.0f} ppm."
    )
    return Passage(text, plot_spectrum(spectrum), "Transit depth against wavelength with its band of one sigma.")


def judged(held_out: Mapping[str, Any], record: Mapping[str, Any]) -> Passage:
    """Return how well predictions of held-out training planets were calibrated.

    Args:
        held_out: counts of ``prediction.held_out_coverage``.
        record: of the model.
    """
    inside = [100 * held_out["within_one_sigma"][channel] for channel in ("FGS1", "AIRS-CH0")]
    score, alone = record.get("out_of_fold_score"), record.get("out_of_fold_score_of_the_fit")
    without = f", and {alone:.3f} without the network" if record.get("kind") != "none" and alone else ""
    scored = f" They score {score:.3f}{without}." if score else ""
    text = (
        f"How far to trust it. Each of {held_out['planets']} training planets was predicted by a model that had not "
        f"seen its label. Within one sigma, where {100 * ONE_SIGMA:.0f} % belong, lies the truth of {inside[0]:.0f} % "
        f"of the depths in FGS1 and of {inside[1]:.0f} % in AIRS-CH0.{scored}"
    )
    alt = "How often the truth lies within the predicted interval, against how often it should."
    return Passage(text, plot_coverage(held_out["promised"], held_out["observed"]), alt)


def read_spectrum(folder: WorkFolder, split: str, planet_id: int) -> Spectrum:
    """Return a planet's spectrum as predicted: from the submission, or of the training planets from the other folds.

    Raises:
        ProductError: if it is in neither.
    """
    path = folder.submission if split == "test" and folder.submission.is_file() else folder.predictions(split)
    planets, mean, sigma = submission_arrays(read_submission(path))
    rows = np.flatnonzero(planets == planet_id)
    if not rows.size:
        raise ProductError(f"{path.name}", wanted=f"planet {planet_id}", got=f"{len(planets)} others")
    wavelength = _first(folder.stored_light_curves(split, planet_id), LightCurves).wavelength
    source = "as submitted" if split == "test" else "as the other folds predict it"
    return Spectrum(planet_id, wavelength, mean[rows[0]], sigma[rows[0]], source)


def held_out_counts(folder: WorkFolder, model: Path, data: Path | None, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how often the truth of held-out planets lies where it was promised: by the model's record, else counted.

    Raises:
        ProductError: if the record does not say, and predictions or labels to count are not at hand.
    """
    if "held_out" in record:
        return record["held_out"]
    places = [place for place in (folder.root, model.parent) if WorkFolder(place).predictions("train").is_file()]
    if data is None or not places:
        got = "no competition's folder" if data is None else "neither here nor beside the model"
        raise ProductError("held-out predictions", wanted="predictions/train.csv and the labels", got=got)
    truth, mean, sigma = held_out_predictions(data, places[0])
    return coverage_record((mean - truth) / sigma)


def _first(paths: list[Path], kind: type[Kind]) -> Kind:
    if not paths:
        raise ProductError(f"{kind.__name__} of this planet", wanted="one stored", got="none")
    return load_product(paths[0], kind)


def _flags(flags: Flags) -> str:
    return f" To be noted: {'; '.join(flag_sentences(flags))}." if flags else ""


def _why_none(kind: str) -> str:
    return "the model is the fit alone" if kind == "none" else f"{kind} gained nothing on held-out planets"
