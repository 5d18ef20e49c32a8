"""``spectramind dataset`` and ``spectramind kernel``: what goes to Kaggle, through the official client.

Credentials are the client's business. ``--dry-run`` shows what would be sent and asks nobody.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectramind_kit.kaggle.remote.polling import PollingPolicy

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

dataset = typer.Typer(help="Put a folder on Kaggle as a dataset.", no_args_is_help=True)
kernel = typer.Typer(help="Push a kernel, watch it, fetch its output, submit it.", no_args_is_help=True)

DatasetDir = Annotated[Path, typer.Argument(help="Folder with dataset-metadata.json.", metavar="DIR")]
KernelDir = Annotated[Path, typer.Argument(help="Kernel folder, such as kernels/submit.", metavar="DIR")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Configuration overrides: group.key=value ...")]
Poll = Annotated[float, typer.Option("--poll", help="Seconds between two questions.", metavar="SECONDS")]
Timeout = Annotated[float, typer.Option("--timeout", help="Give up after so many seconds.", metavar="SECONDS")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; ask nobody.")]
Notes = Annotated[str, typer.Option("--message", "-m", help="Notes of a new version.")]
Sources = Annotated[list[str] | None, typer.Option(help="Attach OWNER/SLUG as well; may be given several times.")]

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for other programs.")]

DATASET_SECONDS = 1800.0
SESSION_SECONDS = 12 * 3600.0
"""A session's longest time on Kaggle."""


@dataset.command("push")
def push_dataset(
    folder: DatasetDir,
    message: Notes = "Built by spectramind_kit",
    dry_run: DryRun = False,
    poll: Poll = 10.0,
    timeout: Timeout = DATASET_SECONDS,
) -> None:
    """Create the dataset, or a new version of it where it exists; wait until it is ready."""
    from spectramind_kit.kaggle.remote.dataset_push import create_or_version, open_dataset

    opened, polling = open_dataset(folder), PollingPolicy(poll, timeout)
    if dry_run:
        return _show(opened.plan())
    typer.echo(f"dataset {opened.ref}: {create_or_version(_client(), opened, message, polling)}")


@dataset.command("version")
def version_dataset(
    folder: DatasetDir,
    message: Notes = "Built by spectramind_kit",
    dry_run: DryRun = False,
    poll: Poll = 10.0,
    timeout: Timeout = DATASET_SECONDS,
) -> None:
    """Make a new version of a dataset that exists; wait until it is ready."""
    from spectramind_kit.kaggle.remote.dataset_push import dataset_state, make_version, open_dataset

    opened, polling = open_dataset(folder), PollingPolicy(poll, timeout)
    if dry_run:
        return _show(opened.plan())
    api = _client()
    there = dataset_state(api, opened.ref)
    typer.echo(f"dataset {opened.ref}: {make_version(api, opened, there, message, polling)}")


@dataset.command("status")
def show_dataset(
    folder: DatasetDir,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is ready.")] = False,
    poll: Poll = 10.0,
    timeout: Timeout = DATASET_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Show whether the dataset is ready; exit 1 if its processing failed."""
    from spectramind_kit.kaggle.remote.dataset_push import dataset_status, open_dataset

    ref, polling = open_dataset(folder).ref, PollingPolicy(poll, timeout)
    status = dataset_status(_client(), ref, polling if wait else None)
    if as_json:
        return _show({"dataset": ref, "status": str(status)})
    typer.echo(f"dataset {ref}: {status}")


@kernel.command("push")
def push(
    folder: KernelDir,
    parameter: Annotated[list[str] | None, typer.Option("-p", help="NAME=VALUE of a notebook's parameter.")] = None,
    owner: Annotated[str, typer.Option(help="Your Kaggle user name; default: as the metadata says.")] = "",
    dataset_source: Sources = None,
    kernel_source: Sources = None,
    accelerator: Annotated[str, typer.Option(help="Machine of Kaggle's, or none; default: the metadata's.")] = "",
    trust: Annotated[
        Path | None, typer.Option(help="Folder of the wheel dataset: the notebook will install no other.")
    ] = None,
    dry_run: DryRun = False,
    poll: Poll = 10.0,
    timeout: Timeout = SESSION_SECONDS,
    overrides: Overrides = None,
) -> None:
    """Wait until the kernel's sources are ready, then push it and remember the version in DIR/pushed.json."""
    from spectramind_kit.config import load_config
    from spectramind_kit.kaggle.remote.kernel_push import prepare_push, push_kernel
    from spectramind_kit.kaggle.rules.kernel import notebook_path
    from spectramind_kit.kaggle.rules.parameters import parse_parameters

    seconds, polling = round(3600 * load_config(overrides or []).kaggle.hours), PollingPolicy(poll, timeout)
    more = {"dataset_sources": dataset_source or [], "kernel_sources": kernel_source or []}
    parameters = parse_parameters(parameter or [], notebook_path(folder))
    prepared = prepare_push(folder, seconds, parameters, owner, more, accelerator, trust)
    if dry_run:
        return _show(prepared.plan())
    record = push_kernel(_client(), prepared, polling)
    typer.echo(f"kernel {record.kernel}: version {record.version}, {record.url}")


@kernel.command("status")
def show_kernel(
    folder: KernelDir,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the session is complete.")] = False,
    owner: Annotated[str, typer.Option(help="Whose kernel, if it was not pushed from here.")] = "",
    poll: Poll = 10.0,
    timeout: Timeout = SESSION_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Show how the kernel's latest session is doing; exit 1 if it failed."""
    from spectramind_kit.kaggle.remote.kernel_session import session_status

    ref, polling = _kernel_name(folder, owner), PollingPolicy(poll, timeout)
    status = session_status(_client(), ref, polling if wait else None)
    if as_json:
        return _show({"kernel": ref, "status": str(status)})
    typer.echo(f"kernel {ref}: {status}")


@kernel.command("output")
def fetch(
    folder: KernelDir,
    out: Annotated[Path, typer.Option(help="Folder to write the output into.")],
    data: Annotated[Path | None, typer.Option(help="Competition folder, to hold submission.csv against.")] = None,
    owner: Annotated[str, typer.Option(help="Whose kernel, if it was not pushed from here.")] = "",
    poll: Poll = 10.0,
    timeout: Timeout = SESSION_SECONDS,
) -> None:
    """Wait for the session, fetch its output into OUT, and check that it is what the kernel is for."""
    from spectramind_kit.kaggle.remote.kernel_output import fetch_output
    from spectramind_kit.kaggle.remote.kernel_session import session_over
    from spectramind_kit.kaggle.rules.kernel import read_metadata
    from spectramind_kit.kaggle.rules.output_check import check_output

    ref, expected, polling = _kernel_name(folder, owner), read_metadata(folder), PollingPolicy(poll, timeout)
    api = _client()
    state = session_over(api, ref, polling)
    written = fetch_output(api, ref, out)
    typer.echo(f"kernel {ref}: {state}; {len(written)} files in {out}")
    state.refuse_broken(ref)
    for sentence in check_output(out, expected.get("expected_output", []), data and data / "sample_submission.csv"):
        typer.echo(sentence)


@kernel.command("submit")
def submit(
    folder: KernelDir,
    message: Annotated[str, typer.Option("--message", "-m", help="Description of the submission.")] = "",
    version: Annotated[int | None, typer.Option(min=1, help="Another version than the one pushed from here.")] = None,
    despite_fallbacks: Annotated[
        bool, typer.Option("--despite-fallbacks", help="Though the version's own run fell back.")
    ] = False,
    dry_run: DryRun = False,
    poll: Poll = 10.0,
    timeout: Timeout = SESSION_SECONDS,
) -> None:
    """Submit the pushed version to its competition, once its own run has left a valid submission."""
    from spectramind_kit.kaggle.remote.code_submission import submission_plan, submission_record, submit_version

    record, polling = submission_record(folder, version), PollingPolicy(poll, timeout)
    message = message or f"{record.kernel} version {record.version}"
    if dry_run:
        return _show(submission_plan(record, message))
    submitted = submit_version(_client(), folder, record, message, polling, despite_fallbacks)
    typer.echo(
        f"kernel {record.kernel}: version {record.version} submitted to {record.competition}, "
        f"submission {submitted.submissions[-1]}"
    )


def _client() -> "KaggleApi":
    from spectramind_kit.kaggle.remote.client import open_client

    return open_client()


def _kernel_name(folder: Path, owner: str) -> str:
    """Return "owner/slug" of a kernel: as it was pushed, else as its metadata says."""
    from spectramind_kit.kaggle.remote.push_record import kernel_name

    return kernel_name(folder, owner)


def _show(plan: dict) -> None:
    typer.echo(json.dumps(plan, indent=2))
