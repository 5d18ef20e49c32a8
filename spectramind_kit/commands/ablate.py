"""``spectramind ablate``: train without each part of the pipeline in turn, and rank what they are worth."""

import time
from pathlib import Path
from typing import Annotated

import typer

from spectramind_kit.commands.options import AsJson, Overrides, answer, columns, composed
from spectramind_kit.commands.shell import execute


def ablate(
    data: Annotated[Path, typer.Option("--data", help="Competition folder.")],
    work: Annotated[Path, typer.Option("--work", help="Work folder; each training lies below WORK/sweeps.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Parts whose names hold this; may be given several times.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which trainings it would be.")] = False,
    as_json: AsJson = False,
    overrides: Overrides = None,
) -> None:
    """Leave corrections, stages and loss terms out one by one; rank them by the held-out score that they are worth.

    Differences are paired planet by planet, with standard errors. The table goes to WORK/sweeps/<time>-ablation as
    Markdown, CSV and HTML. Loss terms and the network count only where the configuration has them (loss=symbolic,
    model=v50_small).
    """
    from dataclasses import asdict

    from spectramind_kit.competition.folder import open_competition
    from spectramind_kit.files import reuse_files
    from spectramind_kit.ledger.ablation import HEAD, judge, possible_ablations, summary_of, tables_of
    from spectramind_kit.work_folder.layout import OF_VISITS, WorkFolder

    wanted = [word.lower() for word in only or [""]]
    parts = [each for each in possible_ablations(composed(overrides)) if any(word in each.name for word in wanted)]
    if dry_run:
        lines = [f"{each.name}: {' '.join(each.overrides)}" for each in parts]
        return answer(as_json, [asdict(each) for each in parts], [*lines, f"{1 + len(parts)} trainings"])
    open_competition(data).labels()
    folder = WorkFolder(work).sweeps / f"{time.strftime('%Y%m%d-%H%M%S')}-ablation"

    def trained(number: int, more: tuple[str, ...]):
        from spectramind_kit.ledger.recorded_runs import find_run

        own = folder / str(number)
        for product in OF_VISITS:  # those that still fit are used, the others made anew
            for earlier in (work, folder / "0"):
                if (earlier / product).is_dir() and earlier != own:
                    reuse_files(earlier / product, own / product, link=True)
        status = execute(["train", "--data", str(data), "--work", str(own), *(overrides or []), *more])
        if number == 0 and status:
            raise typer.Exit(status)
        return None if status else find_run([own], "train")

    baseline = trained(0, ())
    assert baseline is not None
    found = judge(baseline, [(each, trained(number, each.overrides)) for number, each in enumerate(parts, 1)])
    for suffix, text in tables_of(baseline, found).items():
        (folder / f"ablation.{suffix}").write_text(text)
    facts = {"baseline": baseline.score, "parts": [asdict(each) for each in found], "folder": str(folder)}
    lines = [*columns([each.row() for each in found], HEAD), summary_of(baseline, found), str(folder / "ablation.html")]
    answer(as_json, facts, lines)
