"""A run in plain words: the score and what it means, whether sigmas hold, what the network added, where to look, what
to try next.

Sentences follow from figures; a figure that is not known (a hidden test has no truth) leaves its sentence out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spectramind_kit.diagnostics.planet_rows import PlanetRow, weakness, worst_first
from spectramind_kit.diagnostics.predictions import Predictions
from spectramind_kit.diagnostics.residuals import ResidualStatistics
from spectramind_kit.diagnostics.sigma_figures import Coverage
from spectramind_kit.diagnostics.work_record import WorkRecord

PLANETS_NAMED = 5
_BLIND_NAMED = 3
"""Of these, planets without a truth at most."""
FEW_PLANETS = 100
"""Training planets from which on a network pays on this kit's simulations."""
_RED = 1.3
_CERTAIN = 2.0
"""Standard errors by which a gain must differ from zero."""
_FOLLOWS = 0.3
"""Correlation with the pointing that is worth a word, as the median of visits."""


@dataclass(frozen=True)
class Paragraph:
    """A part of the summary.

    Attributes:
        heading: the question that it answers.
        sentences: the answer.
        section: of the page, where the figures are; "" for none.
    """

    heading: str
    sentences: tuple[str, ...]
    section: str = ""


@dataclass(frozen=True, eq=False)
class Facts:
    """What a summary is made from.

    Attributes:
        splits: predictions by split; a split without truth is there, too.
        coverages: of the splits whose truth is known.
        rows: of all planets, by split.
        residuals: of all visits.
        fit: training planets by fit and prior alone, where that was kept.
        record: of the run.
    """

    splits: Mapping[str, Predictions]
    coverages: Mapping[str, Sequence[Coverage]]
    rows: Mapping[str, Sequence[PlanetRow]]
    residuals: Sequence[ResidualStatistics]
    fit: Predictions | None
    record: WorkRecord

    @property
    def gain(self) -> np.ndarray | None:
        """What the network adds to the score of each held-out planet, (n_planet,); None where that was not kept."""
        ours = self.splits.get("train")
        if self.fit is None or ours is None or ours.truth is None:
            return None
        return ours.planet_scores - self.fit.planet_scores

    @property
    def judged(self) -> list[str]:
        """Splits whose truth is known; the test planets, which nothing was learned from, first."""
        return [split for split in ("test", "train") if split in self.coverages]


def summarised(facts: Facts) -> list[Paragraph]:
    """Return the summary.

    Args:
        facts: what is known of the run.
    """
    return [_score(facts), _sigmas(facts), _network(facts), _planets(facts), _next(facts)]


def _score(facts: Facts) -> Paragraph:
    if not facts.judged:
        n = len(facts.splits["test"].planet_ids) if "test" in facts.splits else 0
        sentences = [f"The truth of these {n} planets is not known here, so there is no score."]
        if (held_out := facts.record.model.get("out_of_fold_score")) is not None:
            sentences.append(f"The model scored {held_out:.3f} on its held-out training planets.")
        return Paragraph("How good is it?", tuple(sentences))
    sentences = []
    for split in facts.judged:
        p = facts.splits[split]
        error = _mean_and_error(p.planet_scores)[1]
        who = "test planets, which training never saw" if split == "test" else "training planets, held out by fold"
        sentences.append(f"Score {p.score:.3f} ± {error:.3f} on {len(p.planet_ids)} {who}.")
    sentences.append(
        "1 would be the ideal answer and 0 the training planets' mean for every planet; the ± is the standard error "
        "over planets."
    )
    channels = {"FGS1": slice(0, 1), "AIRS-CH0": slice(1, None)}
    means = {name: facts.splits[facts.judged[0]].element_scores[:, part].mean() for name, part in channels.items()}
    weaker = min(means, key=lambda name: means[name])
    values = " and ".join(f"{name} {value:.3f}" for name, value in means.items())
    sentences.append(f"By channel that is {values}: {weaker} has most to gain.")
    return Paragraph("How good is it?", tuple(sentences), "scores")


def _sigmas(facts: Facts) -> Paragraph:
    heading = "Are the sigmas calibrated?"
    if not facts.judged:
        return Paragraph(heading, ("That cannot be judged without a truth.",))
    sentences = []
    for split in facts.judged:
        who = "Test planets" if split == "test" else "Held-out training planets"
        sentences += [f"{who}, {each.channel}: {each.verdict}." for each in facts.coverages[split]]
    right = [each.is_calibrated for split in facts.judged for each in facts.coverages[split]]
    first = "Yes, as far as so many planets can tell." if all(right) else "Not everywhere."
    return Paragraph(heading, (first, *sentences), "sigmas")


def _network(facts: Facts) -> Paragraph:
    heading, record = "What did the network add?", facts.record
    if not record.model:
        return Paragraph(heading, ("No trained model lies in the work folder.",))
    if record.network == "none":
        return Paragraph(heading, ("Nothing: there is none. Fit and prior of spectra answer alone (model=none).",))
    weights = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in record.blending_weight.items())
    if not any(record.blending_weight.values()):
        words = f"Nothing that counts: held-out planets did not bear {record.network} out, so that its weight is zero."
        return Paragraph(heading, (words, "Every answer is that of fit and prior alone."), "network")
    sentences = [f"{record.network} stands beside the fit; its blending weights are {weights}."]
    gain = facts.gain
    if facts.fit is not None and gain is not None:
        mean, error = _mean_and_error(gain)
        sentences.append(
            f"On held-out planets it changed the score by {mean:+.4f} ± {error:.4f} (from {facts.fit.score:.3f}); "
            f"it made {int((gain > 0).sum())} of {len(gain)} planets better."
        )
    else:
        with_it, without = (record.model.get(f"out_of_fold_score{part}") for part in ("", "_of_the_fit"))
        if with_it is not None and without is not None:
            sentences.append(f"The held-out score is {with_it:.4f} with it and {without:.4f} without.")
    return Paragraph(heading, tuple(sentences), "network")


def _planets(facts: Facts) -> Paragraph:
    heading = "Which planets should I look at?"
    every = [row for rows in facts.rows.values() for row in rows]
    typical = float(np.median([row.sigma for row in every]))
    blind = [row for row in worst_first(every) if row.score is None and row.reason][:_BLIND_NAMED]
    scored = [row for row in worst_first(every) if row.score is not None][: PLANETS_NAMED - len(blind)]
    sentences = [f"{_link(row)}, whose truth is not known: {row.reason}." for row in blind]
    if scored:
        scores = [row.score for row in every if row.score is not None]
        sentences.append(f"The lowest scores of {len(scores)} planets, whose median is {np.median(scores):.2f}:")
    sentences += [f"{_link(row)} scores {row.score:.2f}: {row.reason or weakness(row, typical)}." for row in scored]
    last = [row for rows in facts.rows.values() for row in rows if row.rung == "population"]
    if last:
        sentences.append(f"Fallen back to the population: {len(last)}.")
    return Paragraph(heading, tuple(sentences) or ("None stands out.",), "planets")


def _link(row: PlanetRow) -> str:
    return f"[[{row.split}/{row.planet}]]"


def _next(facts: Facts) -> Paragraph:
    """Name what the figures ask for; the most promising first."""
    found = []
    train = facts.splits.get("train")
    wrong = [each for split in facts.judged[-1:] for each in facts.coverages[split] if not each.is_calibrated]
    if wrong:
        names = " and ".join(each.channel for each in wrong)
        found.append(
            f"Sigmas of {names}: see which wavelengths and planets are behind it; `uncertainty.conformal=0.68` scales "
            "them to their coverage, wavelength by wavelength."
        )
    if facts.record.network == "none" and train is not None and len(train.planet_ids) >= FEW_PLANETS:
        found.append(
            "Train a network beside the fit, `model=v50_small` on a CPU, `model=v50` on a GPU, and `--compare` it."
        )
    elif facts.record.network == "none" and train is not None:
        found.append(f"More training planets: below {FEW_PLANETS} of them a network has hardly paid.")
    elif facts.record.network != "none" and not any(facts.record.blending_weight.values()):
        found.append("The network costs time and adds nothing here: `model=none`, or more training planets.")
    elif facts.gain is not None and sum(_mean_and_error(facts.gain) * np.array([1.0, _CERTAIN])) < 0:
        found.append("The network makes held-out planets worse: `model=none`, or train it longer and on more planets.")
    betas = np.array([one.typical_beta for one in facts.residuals]).reshape(-1, 2)
    for place, name in enumerate(("FGS1", "AIRS-CH0")):
        finite = betas[:, place][np.isfinite(betas[:, place])]
        if finite.size and np.median(finite) > _RED:
            found.append(
                f"Residuals of {name} are correlated over 20 min (beta {np.median(finite):.1f}): try `fit.drift_order` "
                "one higher, and look at what they follow."
            )
    found += _pointing(facts.residuals)
    if any(row.problems for rows in facts.rows.values() for row in rows):
        found.append("Some planets have problems of their own: they are named under Failures.")
    return Paragraph("What should I try next?", tuple(found) or ("Nothing stands out: look at the planets above.",))


def _pointing(residuals: Sequence[ResidualStatistics]) -> list[str]:
    """Return what residuals follow, if anything."""
    found = []
    for name in dict.fromkeys(name for one in residuals for name in one.pointing):
        sizes = np.abs(np.array([one.pointing[name] for one in residuals if name in one.pointing]))
        if np.isfinite(sizes).any() and (largest := float(np.nanmedian(sizes, axis=0).max())) > _FOLLOWS:
            words = name.replace("_", " ")
            found.append(
                f"Residuals follow {words} (correlation {largest:.2f}): the jitter correction leaves something."
            )
    return found


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Return the mean of planets and its standard error, which is NaN with one planet."""
    n = len(values)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
