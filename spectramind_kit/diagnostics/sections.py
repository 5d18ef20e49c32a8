"""The sections of the report, one function each: which figures and tables answer which question."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from spectramind_kit.competition.folder import CompetitionFolder
from spectramind_kit.config import Config
from spectramind_kit.diagnostics import physics, residual_figures, score_figures, sigma_figures, training_figures
from spectramind_kit.diagnostics.comparison import RunFigures, compared, comparison_figure, differing_settings
from spectramind_kit.diagnostics.figure import Figure
from spectramind_kit.diagnostics.importance import importance_figure, permutation_importance
from spectramind_kit.diagnostics.page import Section, Table
from spectramind_kit.diagnostics.planet_digest import VisitDepths
from spectramind_kit.diagnostics.predictions import Predictions, population_alone
from spectramind_kit.diagnostics.residuals import ResidualStatistics
from spectramind_kit.diagnostics.sigma_figures import Coverage
from spectramind_kit.diagnostics.work_record import WorkRecord
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.learning_curves import read_learning_curves

TITLES = {"test": "Test planets", "train": "Training planets, each predicted from the other folds"}


def comparison_section(ours: RunFigures, other: RunFigures | None) -> Section | None:
    """Show this run beside another one; None without another."""
    if other is None:
        return None
    tables, figures = [], []
    for each in compared(ours, other):
        error = "" if each.standard_error is None else f" ± {each.standard_error:.4f}"
        row = (ours.name, f"{each.scores[0]:.4f}"), (other.name, f"{each.scores[1]:.4f}")
        row += (("difference, planet by planet", f"{each.difference:+.4f}{error}"),)
        tables.append(Table(f"{TITLES[each.split]}: {each.n_planet} in both", ("run", "score"), row))
        changed = [(f"[[{each.split}/{p}]]", f"{a:.3f}", f"{b:.3f}", f"{a - b:+.3f}") for p, a, b in each.changed]
        head = ("planet", ours.name, other.name, "difference")
        tables += [Table("Planets that differ most", head, changed)] if changed else []
        figures.append(comparison_figure(ours, other, each.split))
    differing = differing_settings(ours, other)
    if differing:
        tables.append(Table("Settings that differ", ("setting", ours.name, other.name), differing))
    intro = (
        f"This run ({ours.network}) beside {other.name} ({other.network}). A difference within two of its standard "
        "errors is none."
    )
    if not any(figures):
        intro += " They have no planet of known truth in common."
    return Section("comparison", f"Compared with {other.name}", intro, [("", figures)], tables)


def score_section(splits: Mapping[str, Predictions], fit: Predictions | None, labels: np.ndarray | None) -> Section:
    """Show scores by planet, channel and wavelength, against fit alone and the population; answers without a truth."""
    groups, tables = [], []
    for split in ("test", "train"):
        if (p := splits.get(split)) is None:
            continue
        if p.truth is None:
            figures = [score_figures.answers_figure(p, labels), score_figures.sigma_figure(p)]
            groups.append((f"{TITLES[split]}, whose truth is not known", figures))
            continue
        answers = {score_figures.AS_PREDICTED: p}
        if fit is not None and split == "train":
            answers[score_figures.FIT_ALONE] = fit
        if labels is not None:
            answers[score_figures.POPULATION_ALONE] = population_alone(p, labels)
        tables.append(_score_table(TITLES[split], answers))
        figures = [score_figures.planet_scores_figure(answers), score_figures.wavelength_scores_figure(answers)]
        figures += [score_figures.errors_figure(p), score_figures.parity_figure(p)]
        groups.append(
            (TITLES[split], [*figures, score_figures.error_map_figure(p), score_figures.answers_figure(p, labels)])
        )
    intro = (
        "0 is the training planets' mean and spread for every planet, 1 an ideal instrument's answer. A public "
        "baseline is a run of its own: train with `model=thang_do_duc` in another work folder, then `--compare` it."
    )
    return Section("scores", "Scores", intro, groups, tables)


def sigma_section(
    splits: Mapping[str, Predictions], coverages: Mapping[str, Sequence[Coverage]], wavelength: np.ndarray, work: Path
) -> Section:
    """Show whether sigmas are what they promise."""
    groups, tables = [], []
    for split in ("test", "train"):
        if split not in coverages:
            continue
        p = splits[split]
        rows = [(each.channel, each.verdict, f"{each.mean_square:.2f}") for each in coverages[split]]
        tables.append(Table(TITLES[split], ("channel", "verdict", "mean z²"), rows, words=(1,)))
        if split == "train":
            tables.append(_region_table(p, wavelength, work))
        figures = [sigma_figures.coverage_figure(p), sigma_figures.pit_figure(p), sigma_figures.reliability_figure(p)]
        figures += [
            sigma_figures.z_by_depth_figure(p),
            sigma_figures.z_by_wavelength_figure(p),
            score_figures.sigma_figure(p),
        ]
        groups.append((TITLES[split], figures))
    intro = (
        "" if groups else "Without a truth sigmas cannot be judged: train in this work folder to see held-out planets."
    )
    return Section("sigmas", "Are the sigmas calibrated?", intro, groups, tables)


def residual_section(residuals: Sequence[ResidualStatistics]) -> Section:
    """Show what the fits leave."""
    intro = f"What the fits of all {len(residuals)} visits leave." if residuals else ""
    intro = intro or "No fit that can be read lies in the work folder."
    figures = residual_figures.residual_figures(residuals) if residuals else []
    return Section("residuals", "Residuals", intro, [("", figures)])


def channel_section(depths: Sequence[VisitDepths]) -> Section:
    """Show FGS1 against AIRS-CH0, and visits against each other."""
    found = (residual_figures.channels_figure(depths), residual_figures.visits_figure(depths))
    return Section("channels", "Channels and visits", "", [("", [each for each in found if each is not None])])


def physics_section(splits: Mapping[str, Predictions], wavelength: np.ndarray) -> Section:
    """Show what spectra violate."""
    split = "test" if "test" in splits else next(iter(splits))
    figures, worst = physics.violation_figures(splits[split], wavelength)
    named = ", ".join(f"[[{split}/{planet}]]" for planet in worst)
    intro = (
        f"What the spectra of the {TITLES[split].split(',')[0].lower()} violate of what physics allows; most terms: "
        f"{named}."
    )
    return Section("physics", "Physics", intro, [("", figures)])


def network_section(
    folder: CompetitionFolder,
    work: Path,
    record: WorkRecord,
    trained: Sequence[int],
    config: Config,
) -> Section:
    """Show how the network learned, and what moves it."""
    if record.network == "none":
        return Section("network", "Network", "There is none beside the fit (model=none).")
    figures: list[Figure] = training_figures.learning_figures(read_learning_curves(WorkFolder(work).logs))
    found, n_planet = permutation_importance(folder, work, trained, config)
    if found:
        figures.append(importance_figure(found, n_planet))
    weights = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in record.blending_weight.items())
    intro = f"{record.network}; blending weights {weights}."
    if not found and record.network == "v50":
        intro += (
            " What moves it is not measured: its weight is zero, or the features of training planets are not stored."
        )
    return Section("network", "Network", intro, [("", figures)])


def record_section(record: WorkRecord) -> Section:
    """Show how the products were made: seconds, failures, settings, software."""
    tables, texts = [], []
    if failures := record.failures:
        tables.append(Table("Failures", ("stage", "planet", "why"), failures, words=(2,)))
    if rungs := record.manifest.get("rungs"):
        rows = [(str(rung), str(n)) for rung, n in rungs.items()]
        tables.append(
            Table("Rungs of the ladder", ("rung", "planets"), rows, "What the answers of the submission rest on.")
        )
    for command, configuration in record.configurations.items():
        texts.append((f"Configuration that {command} ran with", json.dumps(configuration, indent=2)))
    if record.environment:
        texts.append(("Environment", json.dumps(record.environment, indent=2)))
    if record.model:
        model = {key: value for key, value in record.model.items() if key != "files"}
        texts.append(("Model", json.dumps(model, indent=2)))
    figures = [training_figures.stages_figure(record.stages)] if record.stages else []
    intro = "Nothing failed." if not failures else ""
    if not record.configurations:
        intro += " Which configuration made these products was not recorded."
    return Section("record", "Record", intro.strip(), [("", figures)], tables, texts)


def _score_table(title: str, answers: Mapping[str, Predictions]) -> Table:
    rows = []
    for row in score_figures.score_table(answers):
        difference = ""
        if row["difference"] is not None:
            error = "" if row["difference_error"] is None else f" ± {row['difference_error']:.4f}"
            difference = f"{row['difference']:+.4f}{error}"
        channels = [
            value
            for channel in ("FGS1", "AIRS-CH0")
            for value in (
                f"{row['channels'][channel]:.3f}",
                f"{row['error'][channel]:.0f}",
                f"{row['sigma'][channel]:.0f}",
            )
        ]
        rows.append((row["name"], f"{row['score']:.4f}", difference, *channels))
    head = ("", "score", "difference", "FGS1", "error", "sigma", "AIRS-CH0", "error", "sigma")
    note = (
        "Score of each channel by itself; rms errors and sigmas in ppm; differences planet by planet, to the first row."
    )
    return Table(title, head, rows, note)


def _region_table(predictions: Predictions, wavelength: np.ndarray, work: Path) -> Table:
    table = physics.coverage_table(predictions.z, wavelength, work)
    rows = [
        (
            row["group"],
            row["level"],
            f"{100 * row['wanted']:.1f}",
            f"{100 * row['measured']:.1f} ± {100 * row['standard_error']:.1f}",
            f"{row['mean_square']:.2f}",
        )
        for row in table.iter_rows(named=True)
    ]
    head = ("region", "level [%]", "wanted [%]", "measured [%]", "mean z²")
    return Table("Coverage by region of the spectrum", head, rows, "Held-out training planets.")
