"""What a submission rests on, planet by planet: for the log, the notebook and the manifest."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from spectramind_kit.flags import flag_sentences
from spectramind_kit.prediction.spectrum import RUNGS, rung_of
from spectramind_kit.products import Spectrum


@dataclass(frozen=True)
class SubmissionSummary:
    """What ``submit`` wrote.

    Attributes:
        path: of the submission.
        spectra: one a planet, in the sample's order.
        seconds_per_planet: that each took [s].
        losses: what none of the planets had, such as a trained model that can be read, and why.
    """

    path: Path
    spectra: tuple[Spectrum, ...]
    seconds_per_planet: float
    losses: tuple[str, ...] = ()

    @property
    def rungs(self) -> dict[str, int]:
        """How many planets stand on each rung of the ladder, from the best one down."""
        return {rung: n for rung in RUNGS if (n := sum(rung_of(s) == rung for s in self.spectra))}

    @property
    def fallbacks(self) -> dict[int, str]:
        """Planets that got the population's spectrum, and why."""
        return {s.planet_id: "; ".join(s.problems) for s in self.spectra if s.source == "population"}

    @property
    def remarks(self) -> dict[int, str]:
        """Planets that were fitted, but not without a remark: a lost visit, a quality flag."""
        remarks = {s.planet_id: remark_on(s) for s in self.spectra if s.source != "population"}
        return {planet: remark for planet, remark in remarks.items() if remark}

    def table(self) -> pl.DataFrame:
        """Return one row per planet: source, rung of the ladder, mean depth, median sigma, remark."""
        rows = [
            (s.planet_id, s.source, rung_of(s), s.mean.mean(), np.median(s.sigma), remark_on(s)) for s in self.spectra
        ]
        schema = ["planet_id", "source", "rung", "mean_depth", "median_sigma", "remark"]
        return pl.DataFrame(rows, schema=schema, orient="row")


def remark_on(spectrum: Spectrum) -> str:
    """Return what a user should know of a spectrum, in one line: problems and flags; empty when all is well."""
    return "; ".join((*spectrum.problems, *flag_sentences(spectrum.flags)))
