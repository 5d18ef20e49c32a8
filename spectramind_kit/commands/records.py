"""``spectramind runs``: the runs of a work folder listed, shown, compared, verified, repeated, annotated."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectramind_kit.commands.options import AsJson, Works, answer, columns
from spectramind_kit.commands.ranking import known

if TYPE_CHECKING:
    from spectramind_kit.ledger.comparison import Comparison
    from spectramind_kit.ledger.recorded_runs import RecordedRun

runs = typer.Typer(
    help="Runs that were recorded in a work folder: list, show, compare, verify, repeat.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="Its name, a part of it, a command, latest, or a folder.", metavar="RUN")]
Other = Annotated[str, typer.Argument(help="Another run.", metavar="RUN")]


@runs.command("list")
def list_runs(works: Works, as_json: AsJson = False) -> None:
    """List the runs, oldest first: how each ended, its code, seconds and score."""
    from spectramind_kit.ledger.recorded_runs import find_runs

    found = find_runs(works)
    rows = [
        (run.name, run.status, run.code, _seconds(run), known(run.score), run.notes.get("remark", "")) for run in found
    ]
    head = ("run", "status", "code", "seconds", "score", "remark")
    answer(as_json, [_facts(run) for run in found], columns(rows, head) if rows else ["no runs yet"])


@runs.command("show")
def show_run(name: Name, works: Works, as_json: AsJson = False) -> None:
    """Show a run: what was asked for, by which code, from what, how long its stages took, what came of it."""
    from spectramind_kit.ledger.recorded_runs import find_run

    run = find_run(works, name)
    answer(as_json, run.manifest | {"metrics": run.metrics, "stages": run.stages, "notes": run.notes}, _shown(run))


@runs.command("compare")
def compare_runs(first: Name, second: Other, works: Works, as_json: AsJson = False) -> None:
    """Compare two runs: settings, code and inputs that differ, and the scores, paired planet by planet."""
    from dataclasses import asdict

    from spectramind_kit.ledger.comparison import compare
    from spectramind_kit.ledger.recorded_runs import find_run

    found = compare(find_run(works, first), find_run(works, second))
    facts: dict[str, Any] = {"first": found.first.name, "second": found.second.name, "settings": found.settings}
    facts |= {"surroundings": found.surroundings, "inputs": found.inputs, "metrics": found.metrics}
    difference = (
        asdict(found.difference) | {"within_noise": found.difference.within_noise} if found.difference else None
    )
    answer(as_json, facts | {"difference": difference}, _compared(found))


@runs.command("verify")
def verify_run(name: Name, works: Works, as_json: AsJson = False) -> None:
    """Check that a run's inputs and outputs are still as recorded; exit 1 if one is not."""
    from dataclasses import asdict

    from spectramind_kit.ledger.recorded_runs import find_run, find_runs
    from spectramind_kit.ledger.verification import SAME, verify

    run = find_run(works, name)
    found = verify(run, find_runs([*works, run.work]))
    lost = [each for each in found if each.state != SAME]
    lines = [f"{each.state}: {each.kind} {each.place}{f', by {each.by}' if each.by else ''}" for each in lost]
    lines.append(f"{len(found) - len(lost)} of {len(found)} files and folders are as recorded")
    answer(as_json, [asdict(each) for each in found], lines)
    if lost:
        raise typer.Exit(1)


@runs.command("repeat")
def repeat_run(
    name: Name,
    works: Works,
    keep: Annotated[Path | None, typer.Option(help="Folder to keep what the repetition makes.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run it once more in a fresh folder; say whether every output is bit-identical, or how far off. Exit 1 if not."""
    from spectramind_kit.ledger.recorded_runs import find_run
    from spectramind_kit.ledger.repetition import repeat

    run = find_run(works, name)
    with contextlib.nullcontext(keep) if keep else _temporary_folder(run.work) as folder:
        found = repeat(run, folder)
    same = "code and settings are the same" if not found.code_differs else "note: the code is not that of the run"
    around = [f"note: {name} {_cell(then)} then, {_cell(now)} now" for name, (then, now) in found.surroundings.items()]
    lines = [f"{place}: {words}" for place, words in found.apart.items()]
    verdict = "bit-identical" if found.identical else "not bit-identical"
    facts = {"run": run.name, "identical": found.identical, "code_differs": found.code_differs, "outputs": found.apart}
    facts["surroundings"] = found.surroundings
    answer(as_json, facts, [*lines, same, *around, f"{run.name}: {verdict}, {len(lines)} files"])
    if not found.identical:
        raise typer.Exit(1)


@runs.command("note")
def note_run(
    name: Name,
    works: Works,
    remark: Annotated[str | None, typer.Option(help="What people should know of it.")] = None,
    submission: Annotated[int | None, typer.Option(help="Kaggle's number of the submission made of it.")] = None,
    public: Annotated[float | None, typer.Option(min=0, max=1, help="Its public score.")] = None,
    private: Annotated[float | None, typer.Option(min=0, max=1, help="Its private score.")] = None,
) -> None:
    """Write beside a run what only people know: a remark, its submission, its scores on Kaggle."""
    from spectramind_kit.ledger.recorded_runs import find_run, write_notes

    run = find_run(works, name)
    added = {"remark": remark, "submission": submission, "public_score": public, "private_score": private}
    notes = write_notes(run, {key: value for key, value in added.items() if value is not None})
    answer(False, notes, [f"{run.name}: {', '.join(f'{key} {value}' for key, value in notes.items()) or 'no notes'}"])


def _facts(run: "RecordedRun") -> dict[str, Any]:
    facts = {name: run.manifest.get(name) for name in ("run", "command", "started", "seconds", "config_hash")}
    return facts | {
        "status": run.status,
        "code": run.code,
        "score": run.score,
        "metrics": run.metrics,
        "notes": run.notes,
    }


def _shown(run: "RecordedRun") -> Iterator[str]:
    """Yield what people want to know of a run."""
    from spectramind_kit.config import load_config
    from spectramind_kit.ledger.comparison import dotted, settings_of
    from spectramind_kit.work_folder.manifest import shareable_config

    manifest = run.manifest
    yield f"{run.name}: {run.status}, begun {manifest.get('started')}, {_seconds(run)} s, by {run.code}"
    if manifest.get("problem"):
        yield f"  problem      {manifest['problem']}"
    for key, value in manifest.get("arguments", {}).items():
        yield f"  {key:<12} {value}"
    shipped = dict(dotted(shareable_config(load_config())))
    changed = [f"{key}={value}" for key, value in settings_of(run).items() if _json(shipped.get(key)) != _json(value)]
    yield f"  settings     {' '.join(changed) or 'as shipped'} (hash {manifest.get('config_hash')})"
    for key, value in run.metrics.items():
        yield f"  {key:<12} {known(value) if isinstance(value, float) else value}"
    for stage, seconds in run.stages.items():
        yield f"  {seconds:>9.1f} s  {stage}"
    inputs, outputs = (len(manifest.get(name, {})) for name in ("inputs", "outputs"))
    yield f"  {inputs} inputs, {outputs} outputs, {len(run.planets)} planets scored"
    for key, value in run.notes.items():
        yield f"  {key:<12} {value}"


def _compared(found: "Comparison") -> Iterator[str]:
    """Yield what people want to know of two runs."""
    first, second = found.first, found.second
    rows = [
        (key, *values) for part in (found.settings, found.surroundings, found.metrics) for key, values in part.items()
    ]
    yield from columns([(key, *map(_cell, values)) for key, *values in rows], ("", first.name, second.name))
    if not found.settings:
        yield "same settings"
    yield f"inputs that differ: {', '.join(found.inputs) or 'none'}"
    if found.difference is None:
        yield "no planet was scored by both"
        return
    yield f"score of {first.name} minus {second.name}: {found.difference}"
    for words, planets in (("gained", found.difference.best), ("lost", found.difference.worst)):
        for planet, amount in planets:
            yield f"  planet {planet} {words} {abs(amount):.4f}"


@contextlib.contextmanager
def _temporary_folder(work: Path) -> Iterator[Path]:
    """Yield a folder beside the run's, on the same disk, that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=work.parent, prefix=".repeat-") as folder:
        yield Path(folder)


def _seconds(run: "RecordedRun") -> str:
    seconds = run.manifest.get("seconds")
    return "-" if seconds is None else f"{seconds:.1f}"


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "-" if value is None else str(value)


def _json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
