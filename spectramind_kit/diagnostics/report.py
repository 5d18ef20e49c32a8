"""``report.html``: one self-contained page that answers, in this order, whether a run is good and where to look.

Beside it lies ``report.json``, the numbers of every planet, by which runs are compared. Reports read products and feed
nothing back.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spectramind_kit import __version__
from spectramind_kit.competition.folder import CompetitionFolder, open_competition
from spectramind_kit.config import Config
from spectramind_kit.diagnostics import sections
from spectramind_kit.diagnostics.comparison import (
    RunFigures,
    figures_of_folder,
    read_figures,
    run_figures,
    write_figures,
)
from spectramind_kit.diagnostics.page import Clean, Page, Section, cleaned, rendered
from spectramind_kit.diagnostics.planet_digest import PlanetDigest, digested
from spectramind_kit.diagnostics.planet_products import planet_products
from spectramind_kit.diagnostics.planet_rows import PlanetRow, planet_rows, worst_first
from spectramind_kit.diagnostics.planet_view import PlanetView, in_depth, planet_view
from spectramind_kit.diagnostics.predictions import Predictions, collect_predictions, fit_alone
from spectramind_kit.diagnostics.residuals import ResidualStatistics
from spectramind_kit.diagnostics.sigma_figures import coverages
from spectramind_kit.diagnostics.summary import Facts, summarised
from spectramind_kit.diagnostics.work_record import WorkRecord, read_work_record
from spectramind_kit.errors import SpectraMindError, describe
from spectramind_kit.files import replacing
from spectramind_kit.work_folder.layout import WorkFolder

logger = logging.getLogger(__name__)

_POINTS_OF_ALL_PLANETS, _MOST_TIMES, _FEWEST_TIMES = 110_000, 400, 60
"""Points that light curves are shown with: of all planets together, and of one at most and at least."""


@dataclass(frozen=True, eq=False)
class Run:
    """All that a report shows of a work folder.

    Attributes:
        folder: of the competition.
        work: folder of the run.
        splits: predictions by split.
        fit: training planets by fit and prior alone, where that was kept.
        digests: what is kept of what is stored, by split and planet.
        record: of how it was made.
    """

    folder: CompetitionFolder
    work: Path
    splits: dict[str, Predictions]
    fit: Predictions | None
    digests: dict[tuple[str, int], PlanetDigest]
    record: WorkRecord

    @cached_property
    def rows(self) -> dict[str, list[PlanetRow]]:
        """Rows of the table of planets by split."""
        found = {}
        for split, predictions in self.splits.items():
            stored = {planet: each for (where, planet), each in self.digests.items() if where == split}
            found[split] = planet_rows(predictions, self.fit if split == "train" else None, stored, self.record)
        return found

    @cached_property
    def facts(self) -> Facts:
        """What the summary is made from."""
        judged = {split: coverages(p) for split, p in self.splits.items() if p.truth is not None}
        return Facts(self.splits, judged, self.rows, self.residuals, self.fit, self.record)

    @cached_property
    def residuals(self) -> list[ResidualStatistics]:
        """Of all fitted visits."""
        return [each for digest in self.digests.values() for each in digest.residuals]

    @property
    def labels(self) -> np.ndarray | None:
        """Training labels (n_label, n_wavelength) [(Rp/Rs)^2]; None where the folder has none."""
        try:
            return self.folder.labels()[1]
        except SpectraMindError:
            return None


def read_run(data: Path, work: Path, truth: Path | None = None) -> Run:
    """Read what a work folder holds.

    Args:
        data: competition folder, for labels and star tables.
        work: folder of a run; training predictions, a submission or both must be there.
        truth: true spectra of the test split; ``DATA/truth/test.csv`` of a simulation is found by itself.

    Raises:
        SpectraMindError: if there is nothing to report on.
    """
    folder, digests = open_competition(data), {}
    splits = {each.split: each for each in collect_predictions(folder, work, truth)}
    n_planet = sum(len(p.planet_ids) for p in splits.values())
    most = int(np.clip(_POINTS_OF_ALL_PLANETS // max(1, n_planet), _FEWEST_TIMES, _MOST_TIMES))
    for split, predictions in splits.items():
        for planet in predictions.planet_ids.tolist():
            stored = planet_products(folder, work, split, planet)
            digests[split, planet] = digested(stored, planet_view(stored, predictions, most))
    fit = fit_alone(folder, work, splits["train"]) if "train" in splits else None
    return Run(folder, work, splits, fit, digests, read_work_record(work))


def write_report(
    data: Path,
    work: Path,
    config: Config,
    truth: Path | None = None,
    *,
    planets: Sequence[int] = (),
    compare: Path | None = None,
    clean: Clean = str,
) -> Path:
    """Write ``WORK/report.html`` and ``WORK/report.json`` from what lies in the work folder.

    Args:
        data: competition folder, for labels, star tables and raw frames.
        work: folder of a run; training predictions, a submission or both must be there.
        config: how many planets are shown in depth.
        truth: true spectra of the test split; ``DATA/truth/test.csv`` of a simulation is found by itself.
        planets: that are shown in depth, beside those that one should look at first.
        compare: another run: its work folder, or the ``report.json`` that its own report left.
        clean: takes out of a text what must not be shown to everybody.

    Raises:
        SpectraMindError: if there is nothing to report on, no such planet, or no such run to compare with.
    """
    data, work = Path(data), Path(work)
    run = read_run(data, work, truth)
    every = worst_first([row for rows in run.rows.values() for row in rows])
    known = {row.planet for row in every}
    if unknown := [planet for planet in planets if planet not in known]:
        raise SpectraMindError(
            f"planet {unknown[0]} in depth",
            wanted="a planet of this run",
            got=f"none of the {len(known)} that were predicted",
            remedy=f"such as {every[0].planet}",
        )
    deep = {(row.split, row.planet) for row in every if row.planet in planets}
    deep |= {(row.split, row.planet) for row in every[: config.diagnostics.planets_shown]}
    ours, other = run_figures(work.resolve().name, every, run.record), _other_run(compare, run, truth)
    page = Page(
        name=work.resolve().name,
        subtitle=_subtitle(data, run),
        summary=summarised(run.facts),
        sections=_sections(run, ours, other, config),
        rows=every,
        views=_views(run, every, deep),
        wavelength=run.folder.wavelength,
        in_depth=f"{len(deep)} planets are shown in depth; `--planet ID` adds others." if deep else "",
    )
    path = WorkFolder(work).report
    with replacing(path) as temporary:
        temporary.write_text(rendered(page, clean))
    write_figures(cleaned(ours, clean), path.with_suffix(".json"))
    return path


def _sections(run: Run, ours: RunFigures, other: RunFigures | None, config: Config) -> list[Section]:
    """Return the sections of the page; one that cannot be made is a sentence, and no error."""
    depths = [each for digest in run.digests.values() for each in digest.depths]
    trained = [planet for split, planet in run.digests if split == "train"]
    makers = {
        "comparison": lambda: sections.comparison_section(ours, other),
        "scores": lambda: sections.score_section(run.splits, run.fit, run.labels),
        "sigmas": lambda: sections.sigma_section(run.splits, run.facts.coverages, run.folder.wavelength, run.work),
        "residuals": lambda: sections.residual_section(run.residuals),
        "channels": lambda: sections.channel_section(depths),
        "physics": lambda: sections.physics_section(run.splits, run.folder.wavelength),
        "network": lambda: sections.network_section(run.folder, run.work, run.record, trained, config),
        "record": lambda: sections.record_section(run.record),
    }
    made = []
    for key, make in makers.items():
        try:
            section = make()
        except Exception as error:  # the rest of the page is as true without it
            logger.warning("the report lacks its part %s: %s", key, describe(error), exc_info=True)
            section = Section(key, key.capitalize(), f"This part could not be made: {describe(error)}")
        if section is not None and section.has_content:
            made.append(section)
    return made


def _views(run: Run, rows: Sequence[PlanetRow], deep: set[tuple[str, int]]) -> list[PlanetView]:
    """Return what is shown of planets; those in depth are read again, light curves with all their points."""
    views = []
    for row in rows:
        key = row.split, row.planet
        view = run.digests[key].view
        if key in deep:
            stored = planet_products(run.folder, run.work, *key)
            view = in_depth(planet_view(stored, run.splits[row.split], _MOST_TIMES), stored, run.folder)
        views.append(view)
    return views


def _other_run(path: Path | None, run: Run, truth: Path | None) -> RunFigures | None:
    """Return the run to compare with."""
    if path is None:
        return None
    if path.is_dir():
        splits = collect_predictions(run.folder, path, truth)
        return figures_of_folder(path.resolve().name, splits, read_work_record(path))
    return read_figures(path)


def _subtitle(data: Path, run: Run) -> str:
    parts = [f"competition folder {data.resolve().name}, {run.folder.edition} edition"]
    for split, rows in run.rows.items():
        parts.append(f"{len(rows)} {'test' if split == 'test' else 'training'} planets")
    if written := run.record.manifest.get("written"):
        parts.append(f"submission written {written[:16].replace('T', ' ')}")
    return ", ".join([*parts, f"kit {__version__}"])
