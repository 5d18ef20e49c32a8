"""Rehearse a kernel as Kaggle's scoring rerun would run it, before a submission is spent on it.

A fake ``/kaggle`` tree with read-only inputs, a fresh virtual environment with what the image has and nothing of
ours, no network, the notebook run by papermill, then the submission validated and the time projected to the hidden
test set. What differs from the platform (Python and package versions, cores) is said in the verdict.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter

from spectramind_kit.config import KaggleConfig
from spectramind_kit.errors import PackagingError, SpectraMindError
from spectramind_kit.kaggle import attachments
from spectramind_kit.kaggle.image_environment import ImageEnvironment, make_environment
from spectramind_kit.kaggle.install import session_facts
from spectramind_kit.kaggle.isolation import offline_means
from spectramind_kit.kaggle.kernel import check_kernel, notebook_path, read_metadata
from spectramind_kit.kaggle.notebook_run import EXECUTED, WORKING, Rehearsal, run_notebook
from spectramind_kit.kaggle.session_output import hand_out
from spectramind_kit.kaggle.targets import Target, load_target
from spectramind_kit.kaggle.verdict import Check, Verdict

WHEELS = Path(__file__).parents[2] / "wheels"
SUBMISSION = "submission.csv"
SOCKETS = "refused at Python's sockets (this system allows no namespaces)"


def rehearse(
    kernel: Path,
    data: Path,
    datasets: Sequence[Path],
    work: Path,
    config: KaggleConfig,
    parameters: Mapping[str, object] | None = None,
    wheels: Path = WHEELS,
) -> Verdict:
    """Run a kernel as Kaggle would, and judge what comes out.

    Args:
        kernel: folder of the kernel.
        data: competition folder; only its official files are shown.
        datasets: folders attached as datasets.
        work: where what the session left is handed out, with the executed notebook and its HTML page; an invalid
            submission is not. The fake tree stays in its folder ``rehearsal``.
        config: owner, mount layout, target image, limits.
        parameters: papermill parameters of the notebook.
        wheels: folder of the targets.

    Raises:
        PackagingError: if the rehearsal cannot start (no such kernel, dataset, target, parameter).
    """
    check_kernel(kernel)
    metadata, target, parameters = read_metadata(kernel), load_target(wheels, config.target), dict(parameters or {})
    refuse_unknown_parameters(notebook_path(kernel), parameters)
    data, work = data.resolve(), work.resolve()
    slug = (metadata.get("competition_sources") or [config.competition])[0]
    mounts = attachments.competition_mounts(data, slug, config) + attachments.dataset_mounts(datasets, config)
    start = time.perf_counter()
    place = _fresh_folder(work, data)
    environment = make_environment(target, place / "venv")
    made = time.perf_counter()
    rehearsal = Rehearsal(place, tuple(mounts), (str(data),), environment, offline_means())
    before = attachments.fingerprint(mounts) if rehearsal.means is None else {}
    outcome = run_notebook(rehearsal, notebook_path(kernel), parameters, limit=config.hours * 3600)
    inputs = _inputs_check(rehearsal, unchanged=rehearsal.means is None and before == attachments.fingerprint(mounts))
    notebook = _keep_notebook(rehearsal, work / f"{kernel.resolve().name}.ipynb")
    validity = Check("submission", "FAILED", "none: a notebook that fails is not scored")
    if outcome.state == "ok":
        validity = judge_submission(rehearsal.working, data / "sample_submission.csv")
    left = hand_out(rehearsal.working, work, without={EXECUTED} if validity.state == "ok" else {EXECUTED, SUBMISSION})
    submission = work / SUBMISSION if validity.state == "ok" else None
    seconds = {"venv": made - start, **stage_seconds(notebook), "total": time.perf_counter() - start}
    rows = [
        Check("kernel", "ok", f"{kernel}: a thin page, generated from its source"),
        Check("offline", "ok", rehearsal.means or SOCKETS),
        inputs,
        *environment_notes(environment, target),
        _attached_note(metadata, datasets, config),
        outcome,
        validity,
        Check("output", "ok" if left else "note", f"{len(left)} files handed out to {work}"),
    ]
    rows += [time_check(seconds, data / "sample_submission.csv", config)] if submission else []
    return Verdict(tuple(rows), seconds, submission, notebook, rehearsal.means or SOCKETS)


def refuse_unknown_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse parameters that the notebook does not have; papermill itself only warns.

    Raises:
        PackagingError: naming them and the known ones.
    """
    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise PackagingError(f"parameters of {notebook}", wanted=f"among {sorted(known)}", got=unknown)


def judge_submission(working: Path, sample: Path) -> Check:
    """Validate the submission that the session left in its working folder."""
    from spectramind_kit.submission import read_submission, validate_submission

    left = working / SUBMISSION
    if not left.is_file():
        there = sorted(path.name for path in working.iterdir() if path.name != EXECUTED)
        return Check("submission", "FAILED", f"no {SUBMISSION} in {WORKING}; it holds {there}")
    try:
        table = read_submission(left)
        validate_submission(table, read_submission(sample))
    except SpectraMindError as error:
        return Check("submission", "FAILED", str(error))
    return Check("submission", "ok", f"valid: {table.height} rows, {table.width} columns")


def stage_seconds(notebook: Path | None) -> dict[str, float]:
    """Return how long the install cell and all others took [s], from what papermill recorded."""
    seconds = {"install": 0.0, "run": 0.0}
    for cell in nbformat.read(notebook, as_version=4).cells if notebook else ():
        stage = "install" if "install" in cell.metadata.get("tags", []) else "run"
        seconds[stage] += cell.metadata.get("papermill", {}).get("duration") or 0.0
    return seconds


def time_check(seconds: Mapping[str, float], sample: Path, config: KaggleConfig) -> Check:
    """Project the measured time to the hidden test set: cells after the install grow with the number of planets."""
    planets = len([line for line in sample.read_text().splitlines() if line.strip()]) - 1
    start = seconds["total"] - seconds["venv"] - seconds["run"]
    hours = (start + seconds["run"] * config.rerun_planets / max(planets, 1)) / 3600
    detail = (
        f"{planets} planets in {seconds['run']:.1f} s; {config.rerun_planets} such planets would take {hours:.2f} h"
    )
    return Check("time", "ok" if hours <= config.hours else "FAILED", f"{detail} of {config.hours:g} h")


def environment_notes(environment: ImageEnvironment, target: Target) -> list[Check]:
    """Say how the rehearsal's Python and packages differ from the image's."""
    here = session_facts()["python"]
    python = f"image {target.name} has {target.python}, rehearsed on {here}"
    others = [
        f"{name} {environment.linked[name]} (image {version})"
        for name, version in target.image.items()
        if name in environment.linked and version not in ("*", environment.linked[name].split("+")[0])
    ]
    packages = f"{len(environment.linked)} distributions linked; not here: {', '.join(environment.absent) or 'none'}"
    differ = f"; other versions: {', '.join(others)}" if others else ""
    return [
        Check("Python", "ok" if here == target.python else "note", python),
        Check("packages", "note" if others or environment.absent else "ok", packages + differ),
    ]


def _fresh_folder(work: Path, data: Path) -> Path:
    """Make the rehearsal's own folder, without what an earlier one left."""
    if work == data or data in work.parents:
        remedy = "choose another --work: what lies in the competition folder is hidden from the session"
        raise PackagingError(f"--work {work}", wanted="a folder outside the competition folder", remedy=remedy)
    place = work / "rehearsal"
    shutil.rmtree(place, ignore_errors=True)
    for name in ("working", "home", "root"):
        (place / name).mkdir(parents=True)
    return place


def _inputs_check(rehearsal: Rehearsal, unchanged: bool) -> Check:
    files = f"{len(rehearsal.mounts)} mounts"
    if rehearsal.means:
        return Check("inputs", "ok", f"{files}, read-only; official competition files only")
    touched = "not written to" if unchanged else "written to by the kernel"
    return Check("inputs", "ok" if unchanged else "FAILED", f"{files} by links, {touched}; official files only")


def _attached_note(metadata: Mapping, datasets: Sequence[Path], config: KaggleConfig) -> Check:
    """Compare what is attached here with what the kernel's metadata attaches on Kaggle."""
    here = {attachments.dataset_id(folder, config) for folder in datasets}
    there = set(metadata.get("dataset_sources", []))
    missing, more = sorted(there - here), sorted(here - there)
    parts = [f"on Kaggle also: {', '.join(missing)}"] if missing else []
    parts += [f"not in the kernel's dataset_sources: {', '.join(more)}"] if more else []
    return Check("attached", "note" if parts else "ok", "; ".join(parts) or ", ".join(sorted(here)))


def _keep_notebook(rehearsal: Rehearsal, path: Path) -> Path | None:
    """Copy the executed notebook and write its HTML page beside it."""
    executed = rehearsal.working / EXECUTED
    if not executed.is_file():
        return None
    shutil.copyfile(executed, path)
    page, _ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    path.with_suffix(".html").write_text(page)
    return path
