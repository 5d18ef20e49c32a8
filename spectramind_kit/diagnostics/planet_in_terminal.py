"""A planet in the terminal: what its answer rests on, its numbers beside the star table's, spectrum and residuals.

The same numbers as in its pane of the report, for whoever has no browser at hand.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spectramind_kit.competition.folder import open_competition
from spectramind_kit.diagnostics.orbit_table import orbit_rows
from spectramind_kit.diagnostics.planet_digest import digested
from spectramind_kit.diagnostics.planet_products import PlanetProducts, planet_products
from spectramind_kit.diagnostics.planet_rows import RUNG_WORDS, PlanetRow, planet_rows
from spectramind_kit.diagnostics.planet_view import PlanetView
from spectramind_kit.diagnostics.predictions import Predictions, collect_predictions, fit_alone
from spectramind_kit.diagnostics.residuals import SCALES, ResidualStatistics
from spectramind_kit.diagnostics.work_record import read_work_record
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.symbolic.bands import region_names

PERCENT, PPM = 1e2, 1e6
_BLOCKS = " ▁▂▃▄▅▆▇█"
_WIDTH = 64
"""Characters that a curve is drawn with."""


def inspected(data: Path, work: Path, planet_id: int, truth: Path | None = None) -> RenderableType:
    """Return what is known of a planet, to be printed by rich.

    Args:
        data: competition folder.
        work: folder of a run.
        planet_id: of a training or test planet that was predicted.
        truth: true spectra of the test split; ``DATA/truth/test.csv`` of a simulation is found by itself.

    Raises:
        SpectraMindError: if the planet was not predicted.
    """
    folder, record = open_competition(data), read_work_record(work)
    splits = collect_predictions(folder, work, truth)
    predictions = next((each for each in splits if planet_id in each.planet_ids), None)
    if predictions is None:
        known = splits[-1].planet_ids
        got = f"none of {sum(len(each.planet_ids) for each in splits)} that were"
        raise SpectraMindError(
            f"planet {planet_id}", wanted="one that was predicted", got=got, remedy=f"such as {known[0]}"
        )
    products = planet_products(folder, work, predictions.split, planet_id)
    digest = digested(products, PlanetView())
    rows = planet_rows(predictions, fit_alone(folder, work, predictions), {planet_id: digest}, record)
    place = int(np.flatnonzero(predictions.planet_ids == planet_id)[0])
    return Group(
        _headline(rows[place]),
        *_white_light(products),
        *_orbit(products),
        _spectrum(predictions, place, folder.wavelength),
        *_noise(digest.residuals),
    )


def _headline(row: PlanetRow) -> Text:
    """Return planet, rung, score, depths and sigmas, flags and problems."""
    who = "test planet" if row.split == "test" else "training planet, held out"
    text = Text.assemble(
        (f"Planet {row.planet}", "bold"), f", {who}\n", f"  rung     {row.rung}: {RUNG_WORDS[row.rung]}\n"
    )
    if row.score is not None:
        alone = "" if row.fit_score is None else f", fit alone {row.fit_score:.3f}"
        text.append(f"  score    {row.score:.3f}{alone}; rms error {row.error:.0f} ppm\n")
    text.append(f"  depth    {row.depth:.4f} %; sigma {row.sigma:.0f} ppm, FGS1 {row.fgs1_sigma:.0f} ppm\n")
    for word, sentences, style in (("flag", row.flags, "yellow"), ("problem", row.problems, "red")):
        for sentence in sentences:
            text.append(f"  {word:<8} {sentence}\n", style=style)
    if row.reason:
        text.append(f"  look at  {row.reason}\n")
    return text


def _white_light(products: PlanetProducts) -> Iterable[RenderableType]:
    """Yield corrections and white light of each visit."""
    for visit, curves in products.curves.items():
        white = curves.flux[:, 1:].sum(axis=1)
        line = Text(f"visit {visit}: {len(curves.time)} times, corrections: {', '.join(curves.applied)}\n", style="dim")
        line.append(f"  AIRS-CH0 {drawn(white)}", style="blue")
        line.append(f"\n  FGS1     {drawn(curves.flux[:, 0])}\n", style="dark_orange")
        yield line


def _orbit(products: PlanetProducts) -> Iterable[RenderableType]:
    """Yield the table of fitted numbers beside the star table's."""
    rows = orbit_rows(products.planet, products.fits)
    if rows:
        table = Table(title="Orbit and star", title_justify="left", box=None, pad_edge=False)
        table.add_column("quantity")
        for head in (
            "unit",
            "star table",
            *(f"fitted, visit {fit.visit}" for fit in products.fits),
            "fitted less table",
        ):
            table.add_column(Text(head), justify="right", no_wrap=True)
        for row in rows:
            table.add_row(row.name, row.unit, row.table, *row.fitted, row.differs)
        yield table


def _spectrum(predictions: Predictions, place: int, wavelength: np.ndarray) -> RenderableType:
    """Return the spectrum by region, with error where the truth is known, and its shape."""
    mean, sigma = predictions.mean[place], predictions.sigma[place]
    table = Table(title="Spectrum", title_justify="left", box=None, pad_edge=False)
    table.add_column("region")
    known = predictions.truth is not None
    for head in ("depth [%]", "sigma [ppm]", *(("error [ppm]", "error [sigma]") if known else ())):
        table.add_column(Text(head), justify="right", no_wrap=True)
    regions = region_names(wavelength)
    for region in dict.fromkeys(regions.tolist()):
        here = regions == region
        cells = [f"{PERCENT * mean[here].mean():.4f}", f"{PPM * np.median(sigma[here]):.0f}"]
        if known:
            cells += [
                f"{PPM * predictions.error[place][here].mean():+.0f}",
                f"{predictions.z[place][here].mean():+.1f}",
            ]
        table.add_row(region, *cells)
    return Group(table, Text(f"  AIRS-CH0 {drawn(mean[1:])}\n", style="blue"))


def _noise(residuals: Iterable[ResidualStatistics]) -> Iterable[RenderableType]:
    """Yield how residuals average down, visit by visit."""
    for one in residuals:
        table = Table(
            title=f"Noise over white noise, visit {one.visit}", title_justify="left", box=None, pad_edge=False
        )
        table.add_column("averaged over")
        for minutes in SCALES:
            table.add_column(f"{minutes:g} min", justify="right")
        for name, beta in zip(("FGS1", "AIRS-CH0"), one.beta):
            table.add_row(name, *("" if np.isnan(value) else f"{value:.2f}" for value in beta))
        yield table


def drawn(values: np.ndarray, width: int = _WIDTH) -> str:
    """Return a curve as a line of blocks, from its lowest to its highest value.

    Args:
        values: (n,); what is not finite is left empty.
        width: characters, at most.
    """
    parts = np.array_split(np.asarray(values, dtype=float), min(width, len(values)))
    means = np.array([part[np.isfinite(part)].mean() if np.isfinite(part).any() else np.nan for part in parts])
    finite = means[np.isfinite(means)]
    if not finite.size:
        return ""
    low, spread = finite.min(), max(float(np.ptp(finite)), 1e-300)
    steps = [1 + int((value - low) / spread * (len(_BLOCKS) - 2)) if np.isfinite(value) else 0 for value in means]
    return "".join(_BLOCKS[step] for step in steps)
