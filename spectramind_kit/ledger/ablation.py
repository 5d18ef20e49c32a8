"""What each part of the pipeline is worth: a training without it, against the one with all parts, planet by planet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jinja2
import polars as pl

from spectramind_kit.config import Config
from spectramind_kit.ledger.paired import PairedDifference, paired_difference
from spectramind_kit.ledger.recorded_runs import RecordedRun

_CORRECTIONS = ("linearity", "dark", "flat", "cosmic_rays")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Ablation</title>
<style>
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
padding: 0 1rem; } table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; text-align: left;
border-bottom: 1px solid #8884; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
</style>
<h1>What each part is worth</h1>
<p>{{ summary }}</p>
<table><tr>{% for name in head %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>
{% for cell in row %}<td{% if loop.index > 2 %} class="n"{% endif %}>{{ cell }}</td>{% endfor %}
</tr>{% endfor %}</table></html>
"""
HEAD = ("without", "settings", "held-out score", "difference", "standard error", "chance that it helps")


@dataclass(frozen=True)
class Ablation:
    """A part of the pipeline that can be left out.

    Attributes:
        name: of the part.
        overrides: that leave it out.
    """

    name: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Ablated:
    """What came of leaving a part out.

    Attributes:
        ablation: the part.
        score: held out, without it; None if the training failed.
        worth: score with it minus score without it, paired; None if the training failed.
    """

    ablation: Ablation
    score: float | None
    worth: PairedDifference | None

    def row(self) -> tuple[str, ...]:
        """Return it as cells of a table."""
        settings = " ".join(self.ablation.overrides)
        if self.worth is None or self.score is None:
            return self.ablation.name, settings, "failed", "-", "-", "-"
        worth = self.worth
        figures = f"{self.score:.4f}", f"{worth.mean:+.4f}", f"{worth.error:.4f}", f"{worth.chance:.0%}"
        return self.ablation.name, settings, *figures


def possible_ablations(config: Config) -> list[Ablation]:
    """Return the parts that a configuration has, and how each is left out.

    Args:
        config: with all parts.
    """
    found = [
        Ablation(f"correction: {name.replace('_', ' ')}", (f"calibration.{name}=false",))
        for name in _CORRECTIONS
        if getattr(config.calibration, name)
    ]
    switches = {
        "background subtraction": (config.photometry.background, "photometry.background=false"),
        "optimal extraction": (config.photometry.extraction == "optimal", "photometry.extraction=sum"),
        "drift that varies with wavelength": (config.fit.drift_wavelength_order, "fit.drift_wavelength_order=0"),
        "mid-time of its own for FGS1": (config.fit.fgs1_mid_time_scatter, "fit.fgs1_mid_time_scatter=0"),
        "recalibration of sigmas": (config.uncertainty.scale_sigma, "uncertainty.scale_sigma=false"),
        "conformal sigmas": (config.uncertainty.conformal, "uncertainty.conformal=0"),
    }
    if config.model.kind != "none":
        training = config.training
        switches |= {
            "network": (True, "model.kind=none"),
            "time flips": (training.time_flip, "training.time_flip=0"),
            "visit dropout": (training.visit_dropout, "training.visit_dropout=0"),
            "pre-training": (training.pretraining_epochs, "training.pretraining_epochs=0"),
            "simulated planets": (training.simulated_planets, "training.simulated_planets=0"),
            "injected transits": (training.injections, "training.injections=0"),
        }
        terms = {f"loss term: {name}": (weight, f"loss.weights.{name}=0") for name, weight in _weights(config).items()}
        switches |= terms
    return found + [Ablation(name, (override,)) for name, (there, override) in switches.items() if there]


def judge(baseline: RecordedRun, without: Sequence[tuple[Ablation, RecordedRun | None]]) -> list[Ablated]:
    """Return what each part is worth, the most valuable first; trainings that failed come last.

    Args:
        baseline: training with all parts.
        without: parts, and the training without each; None where it failed.
    """
    found = [
        Ablated(
            ablation=ablation,
            score=run.score if run else None,
            worth=paired_difference(baseline.planets, run.planets) if run and run.planets else None,
        )
        for ablation, run in without
    ]
    return sorted(found, key=lambda each: -each.worth.mean if each.worth else float("inf"))


def summary_of(baseline: RecordedRun, found: Sequence[Ablated]) -> str:
    """Return in a sentence which parts are worth more than their noise."""
    sure = [each for each in found if each.worth is not None and not each.worth.within_noise]
    helping = [each.ablation.name for each in sure if each.worth is not None and each.worth.mean > 0]
    harming = [each.ablation.name for each in sure if each.worth is not None and each.worth.mean < 0]
    sentence = f"All parts: held-out score {baseline.score:.4f} of {len(baseline.planets)} planets. "
    sentence += f"Beyond noise, these help: {', '.join(helping) or 'none'}"
    return f"{sentence}; these harm: {', '.join(harming) or 'none'}. All others are within their noise."


def tables_of(baseline: RecordedRun, found: Sequence[Ablated]) -> dict[str, str]:
    """Return the ranked table as Markdown, CSV and HTML, by suffix.

    Args:
        baseline: training with all parts.
        found: what each part is worth.
    """
    rows, summary = [each.row() for each in found], summary_of(baseline, found)
    lines = [summary, "", *(f"| {' | '.join(row)} |" for row in (HEAD, ["---"] * len(HEAD), *rows))]
    page = jinja2.Environment(autoescape=True).from_string(_PAGE).render(summary=summary, head=HEAD, rows=rows)
    table = pl.DataFrame(rows, schema=dict.fromkeys(HEAD, pl.String), orient="row").write_csv()
    return {"md": "\n".join(lines) + "\n", "csv": table, "html": page}


def _weights(config: Config) -> Mapping[str, float]:
    return {name: weight for name, weight in vars(config.loss.weights).items() if weight}
