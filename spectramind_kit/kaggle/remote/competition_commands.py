"""``spectramind competition`` and ``spectramind download``: what Kaggle's competition knows of us, and its files."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

competition = typer.Typer(help="Read back what the competition made of the submissions.", no_args_is_help=True)

Slug = Annotated[str, typer.Option("--competition", help="Its slug or address; the configuration's if not given.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Configuration overrides: group.key=value ...")]


class Splits(StrEnum):
    """Folders of planets."""

    train = "train"
    test = "test"
    both = "both"


@competition.command("status")
def show_status(
    slug: Slug = "",
    work: Annotated[
        Path | None, typer.Option(help="Work folder to keep the answer in, which `spectramind leaderboard` reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for other programs.")] = False,
    overrides: Overrides = None,
) -> None:
    """Show submissions with their public and private scores, and how many more may be made today."""
    from spectramind_kit.config import load_config
    from spectramind_kit.kaggle.remote.client import open_client
    from spectramind_kit.kaggle.remote.competition_status import (
        TABLE_HEAD,
        list_submissions,
        status_facts,
        submission_budget,
    )
    from spectramind_kit.work_folder.layout import WorkFolder
    from spectramind_kit.work_folder.standing import keep_standing

    slug = _named(slug) or load_config(overrides or []).kaggle.competition
    api = open_client()
    submissions, budget = list_submissions(api, slug), submission_budget(api, slug)
    facts = status_facts(slug, submissions, budget)
    if work is not None:
        keep_standing(WorkFolder(work).standing, facts)
    if as_json:
        return typer.echo(json.dumps(facts, indent=2))
    if submissions:
        typer.echo(TABLE_HEAD)
    for submission in submissions:
        typer.echo(submission.row())
    typer.echo(f"{slug}: {budget}")


def _named(competition: str) -> str:
    """Return the slug of a competition that is named by it or by its address."""
    from spectramind_kit.kaggle.rules.metadata_file import plain_name

    return str(plain_name("competition_sources", competition))


def download(
    out: Annotated[Path, typer.Option(help="Folder to write the competition into.")],
    slug: Slug = "",
    split: Annotated[Splits, typer.Option(help="Whose planets.")] = Splits.both,
    planet: Annotated[list[int] | None, typer.Option(help="This planet alone; may be given several times.")] = None,
    first: Annotated[int | None, typer.Option(min=0, help="So many planets of each split.")] = None,
    calibration_only: Annotated[
        bool, typer.Option("--calibration-only", help="Calibration files and tables: no frames.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how many files and bytes it would be.")] = False,
    overrides: Overrides = None,
) -> None:
    """Fetch the competition or a part of it (all of it is 250 GB); what is there already is not fetched again."""
    from spectramind_kit.config import load_config
    from spectramind_kit.kaggle.remote.client import open_client
    from spectramind_kit.kaggle.remote.competition_download import Part, download_files, list_files

    slug = _named(slug) or load_config(overrides or []).kaggle.competition
    splits = ("train", "test") if split == Splits.both else (split.value,)
    api = open_client()
    part = Part(splits, tuple(map(str, planet or ())), first, calibration_only)
    files = part.of(list_files(api, slug))
    planets = len({(file.split, file.planet) for file in files if file.planet})
    size = sum(file.size for file in files)
    found = f"{slug}: {len(files)} files, {planets} planets, {size / 1e9:.3g} GB"
    if dry_run:
        return typer.echo(found)
    fetched = download_files(api, slug, files, out)
    typer.echo(f"{found} in {out}, {len(fetched)} of them fetched now")
