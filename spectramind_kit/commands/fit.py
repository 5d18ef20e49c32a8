"""``spectramind fit``: one planet, looked at closely."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit.commands.options import AsJson, Data, Overrides, Split, Work, answer, composed


class Sampler(StrEnum):
    """How the posterior of a transit is found."""

    laplace = "laplace"
    nested = "nested"


def fit(
    planet: Annotated[int, typer.Argument(help="Planet to fit.")],
    data: Data,
    work: Work,
    split: Split = Split.test,
    plot: Annotated[Path | None, typer.Option(help="Picture to write; a second visit adds _1 to its name.")] = None,
    sampler: Annotated[
        Sampler, typer.Option(help="nested: sample the white light, too, beside Laplace's approximation of it.")
    ] = Sampler.laplace,
    live_points: Annotated[int, typer.Option(help="Of nested sampling: more are slower and surer.")] = 150,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Fit one planet's transits and show depths, orbit and flags; --plot draws light curves, spectrum and corner.

    --sampler nested takes half a minute for each visit, and the extra science (dynesty).
    """
    from spectramind_kit import runs
    from spectramind_kit.diagnostics.fit_page import describe_fit, draw_into, fit_facts, path_of_visit
    from spectramind_kit.diagnostics.sampled_fit import describe_sampled, sampled_facts, sampled_into

    config, sampled = composed(overrides), []
    look = None if sampler is Sampler.laplace else sampled_into(sampled, config, live_points)
    draw = None if plot is None else draw_into(plot, sampled)
    fits = runs.fit(planet, data, work, split.value, config, look=look, draw=draw)
    facts, lines = [], []
    for place, found in enumerate(fits):
        picture = None if plot is None else path_of_visit(plot, place)
        facts.append(fit_facts(found) | {"picture": picture})
        lines.append(describe_fit(found))
        if sampled:
            facts[-1]["sampled"] = sampled_facts(sampled[place])
            lines.append(describe_sampled(sampled[place]))
        lines += [str(picture)] if picture else []
    answer(as_json, facts, lines)
