"""``spectramind blend``: one submission from several runs."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectramind_kit.commands.options import OVERRIDE, AsJson, Data, answer, columns, composed
from spectramind_kit.commands.shell import seconds_logged

if TYPE_CHECKING:
    from spectramind_kit.blends.blend import Blend


class Weights(StrEnum):
    """How members are weighed."""

    learned = "learned"
    equal = "equal"


def blend(
    members: Annotated[
        list[str],
        typer.Argument(help="Work folders, folders of runs, or submission files; two or more; then overrides."),
    ],
    data: Data,
    work: Annotated[Path, typer.Option("--work", help="Folder for the blend; it can be a member of another blend.")],
    weights: Annotated[
        Weights, typer.Option(help="learned: per channel, on held-out planets; equal: for seeds of one model.")
    ] = Weights.learned,
    as_json: AsJson = False,
) -> None:
    """Blend submissions into WORK/submission.csv, weighed by what each run predicts of held-out planets.

    Sigmas are those of the mixture, so they grow where members disagree. Weights are cross-fitted: each fold is
    judged by weights of the other folds (training.folds_file=FILE freezes them). Where the planets do not show that
    the blend is better than its best member, beyond noise, it is that member alone.
    """
    with seconds_logged("weighing members"):
        from spectramind_kit.blends.blend import blend as blended

        # Overrides follow the members, as they follow the options of every command.
        overrides = [word for word in members if OVERRIDE.match(word) and not Path(word).exists()]
        places = [Path(word) for word in members if word not in overrides]
        found = blended(places, data, work, composed(overrides), equally=weights is Weights.equal)
    answer(as_json, {"submission": found.path, **found.facts()}, _lines(found))


def _lines(found: "Blend") -> Iterator[str]:
    """Yield what people want to know of a blend."""
    from spectramind_kit.instruments import CHANNELS

    verdict = found.verdict
    rows = []
    for place, member in enumerate(found.members):
        score = f"{verdict.scores[place]:.4f}" if verdict.scores else "-"
        shown = [f"{weight:.2f}" for weight in verdict.weight[place]]
        rows.append((member.name, score, *shown, str(verdict.differences[place]) if verdict.differences else "-"))
    yield from columns(rows, ("member", "held out", *CHANNELS, "blend minus it"))
    if verdict.held_out is not None:
        n = len(verdict.held_out.planet_ids)
        yield f"blend {verdict.blend_score:.4f}, cross-fitted; {n} held-out planets"
    yield verdict.words
    yield f"{found.path}: {len(found.members[0].test.planet_ids)} planets, valid"
