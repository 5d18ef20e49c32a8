"""``spectramind diagnose`` and ``inspect``: what a run is worth, in a page or in the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit.commands.options import AsJson, Data, Overrides, Work, answer, composed
from spectramind_kit.commands.shell import seconds_logged

Truth = Annotated[Path | None, typer.Option(help="True spectra of the test split, if known.")]


def diagnose(
    data: Data,
    work: Work,
    truth: Truth = None,
    planet: Annotated[
        list[int] | None, typer.Option("--planet", help="Planet to show in depth; may be given several times.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="Another run: its work folder, or the report.json of its report.")
    ] = None,
    share: Annotated[bool, typer.Option("--share", help="Leave out paths, names and secrets, for everybody.")] = False,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Write WORK/report.html, which opens offline: score, sigmas, every planet, what to try next; and report.json."""
    config = composed(overrides)
    with seconds_logged("writing the report"):
        from spectramind_kit.competition.folder import open_competition, read_spectra
        from spectramind_kit.diagnostics.report import write_report
        from spectramind_kit.kaggle.session.sharing import cleaner, share_report
        from spectramind_kit.work_folder.run_record import recorded

        open_competition(data)
        _ = truth and read_spectra(truth)  # what is wrong with it is better known before the pictures are drawn
        clean = cleaner(config.kaggle.owner) if share else str
        with recorded(work, "diagnose", config, data=data) as run:
            path = write_report(data, work, config, truth, planets=planet or (), compare=compare, clean=clean)
            if share:
                share_report(path, path.parent, config.kaggle.owner)
            run.outputs(path)
    answer(as_json, {"report": path}, [str(path)])


def inspect(
    planet: Annotated[int, typer.Argument(help="Planet that was predicted.")],
    data: Data,
    work: Work,
    truth: Truth = None,
    overrides: Overrides = None,
) -> None:
    """Show one planet in the terminal: rung, flags, light curves, orbit beside the star table, spectrum, noise."""
    from rich.console import Console

    from spectramind_kit.diagnostics.planet_in_terminal import inspected

    composed(overrides)
    Console().print(inspected(data, work, planet, truth))
