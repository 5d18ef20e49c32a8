"""Dry-run a kernel as Kaggle's scoring rerun would run it, before a submission is spent on it.

A fake ``/kaggle`` tree with read-only inputs, a fresh virtual environment with what the image has and nothing of
ours, no network, the notebook run by papermill within a budget of time, memory and disk, then its output validated and
the time projected to the hidden test set. What differs from the platform (Python, package versions) is in the verdict.
"""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from packaging.utils import canonicalize_name

from spectramind_kit.errors import PackagingError, SpectraMindError
from spectramind_kit.kaggle.rehearsal import attachments
from spectramind_kit.kaggle.rehearsal.exact_image import make_exact_image
from spectramind_kit.kaggle.rehearsal.image_environment import ImageEnvironment, make_environment
from spectramind_kit.kaggle.rehearsal.isolation import offline_means
from spectramind_kit.kaggle.rehearsal.notebook_run import EXECUTED, Rehearsal, run_notebook
from spectramind_kit.kaggle.rehearsal.rerun_budget import budget_checks, dry_run_budget, dry_run_planets
from spectramind_kit.kaggle.rehearsal.session_output import export_output
from spectramind_kit.kaggle.rehearsal.verdict import Check, Verdict
from spectramind_kit.kaggle.rules.kernel import check_kernel, notebook_path, read_metadata
from spectramind_kit.kaggle.rules.output_check import MANIFEST, SUBMISSION, check_output
from spectramind_kit.kaggle.rules.parameters import check_parameters
from spectramind_kit.kaggle.rules.session_folders import WORKING_ROOT
from spectramind_kit.kaggle.rules.shipped import shipped_folder
from spectramind_kit.kaggle.wheels.image_lock import has_image_lock, read_image_lock
from spectramind_kit.kaggle.wheels.targets import Target, load_target
from spectramind_kit.settings.kaggle import KaggleConfig

WRAPPED = "<style>pre { white-space: pre-wrap !important; overflow-wrap: anywhere; } img { max-width: 100%; }</style>"
"""Long lines of the HTML are wrapped: nobody reads sideways."""
FALLBACK_WORDS = ("no CUDA wheel fits", "selective scan: torch")
SOCKETS = "refused at Python's sockets (this system allows no namespaces)"


def dry_run_kernel(
    kernel: Path,
    data: Path,
    datasets: Sequence[Path],
    work: Path,
    config: KaggleConfig,
    parameters: Mapping[str, object] | None = None,
    wheels: Path | None = None,
    image: Path | None = None,
) -> Verdict:
    """Run a kernel as Kaggle would, and judge its output.

    Args:
        kernel: folder of the kernel.
        data: competition folder; only its official files are shown.
        datasets: folders attached as datasets.
        work: where the session's output is exported to, with the executed notebook and its HTML; an invalid submission
            is not. The fake tree stays in its folder ``rehearsal``.
        config: owner, mount layout, target image, limits.
        parameters: papermill parameters of the notebook.
        wheels: folder of the targets; those that the kit brings if not given.
        image: cache for the environment in the image's versions, made there if it is not; None links what is installed
            here.

    Raises:
        PackagingError: if the dry run cannot start (no such kernel, dataset, target, parameter, image).
    """
    metadata = check_dry_runnable(kernel, dict(parameters or {}))
    target = load_target(wheels or shipped_folder() / "wheels", config.target)
    data, work = data.resolve(), work.resolve()
    slug = (metadata.get("competition_sources") or [config.competition])[0]
    mounts = attachments.competition_mounts(data, slug, config) + attachments.dataset_mounts(datasets, config)
    planets = dry_run_planets(data, "test" if SUBMISSION in metadata["expected_output"] else "train")
    exact = make_exact_image(target, image) if image else None
    start = time.perf_counter()
    place = _fresh_folder(work, data)
    environment = make_environment(target, place / "venv", exact)
    made = time.perf_counter() - start
    rehearsal = Rehearsal(place, tuple(mounts), (str(data),), environment, offline_means())
    before = attachments.fingerprint(mounts) if rehearsal.means is None else {}
    budget = dry_run_budget(config, planets)
    outcome, usage = run_notebook(rehearsal, notebook_path(kernel), dict(parameters or {}), budget)
    inputs = _inputs_check(rehearsal, unchanged=rehearsal.means is None and before == attachments.fingerprint(mounts))
    notebook = _export_notebook(rehearsal, work / f"{kernel.resolve().name}.ipynb")
    seconds = {"venv": made, **stage_seconds(notebook), "total": time.perf_counter() - start}
    ended, sample = outcome.state == "ok", data / "sample_submission.csv"
    output, submission = _export(rehearsal, work, metadata["expected_output"], sample, ended)
    rows = [
        Check("kernel", "ok", f"{kernel}: a thin notebook, generated from its source"),
        Check("offline", "ok", rehearsal.means or SOCKETS),
        inputs,
        *environment_notes(environment, target),
        _attached_note(metadata, datasets, config),
        planets.check(),
        outcome,
        *output,
        *budget_checks(seconds, usage, planets, config, ended),
        fallback_note(notebook, rehearsal.working),
    ]
    verdict = Verdict(tuple(rows), seconds, submission, notebook, rehearsal.means or SOCKETS, usage.memory)
    (work / f"{kernel.resolve().name}.verdict.txt").write_text(verdict.table() + "\n")
    return verdict


def check_dry_runnable(kernel: Path, parameters: Mapping[str, object]) -> dict:
    """Return a kernel's metadata after checking that it can be run offline with these parameters.

    Raises:
        PackagingError: if it is no thin notebook, wants the internet, or has no such parameter.
    """
    check_kernel(kernel)
    metadata = read_metadata(kernel)
    if metadata["enable_internet"]:
        remedy = "a dry run is offline: push it and look at its session"
        raise PackagingError(f"dry run of {kernel}", wanted="enable_internet false", got="true", remedy=remedy)
    check_parameters(notebook_path(kernel), parameters)
    return {"expected_output": [SUBMISSION], **metadata}


def output_check(working: Path, expected: Sequence[str], sample: Path) -> Check:
    """Validate what the session left in its working folder: what the kernel is for, the submission above all."""
    name = "submission" if SUBMISSION in expected else "output"
    try:
        return Check(name, "ok", "; ".join(check_output(working, expected, sample)))
    except SpectraMindError as error:
        return Check(name, "FAILED", str(error).replace(str(working), WORKING_ROOT))


def fallback_note(notebook: Path | None, working: Path) -> Check:
    """Report what went a second-best way: planets that got the population's spectrum, wheels that did not fit."""
    manifest = working / MANIFEST
    planets = json.loads(manifest.read_text()).get("fallbacks", {}) if manifest.is_file() else {}
    found = [f"{len(planets)} planets, among them {p}: {problem}" for p, problem in list(planets.items())[:1]]
    found += [line for line in installer_lines(notebook) if line.startswith(FALLBACK_WORDS)]
    return Check("fallbacks", "note" if found else "ok", "; ".join(found) or "none")


def installer_lines(notebook: Path | None) -> list[str]:
    """Return what the install cell of an executed notebook printed, line by line."""
    cells = nbformat.read(notebook, as_version=4).cells if notebook else []
    outputs = [out for cell in cells if "install" in cell.metadata.get("tags", []) for out in cell.get("outputs", [])]
    return "".join(str(out.text) for out in outputs if out.output_type == "stream").splitlines()


def stage_seconds(notebook: Path | None) -> dict[str, float]:
    """Return how long the install cell and all others took [s], from what papermill recorded."""
    seconds = {"install": 0.0, "run": 0.0}
    for cell in nbformat.read(notebook, as_version=4).cells if notebook else ():
        stage = "install" if "install" in cell.metadata.get("tags", []) else "run"
        seconds[stage] += cell.metadata.get("papermill", {}).get("duration") or 0.0
    return seconds


def environment_notes(environment: ImageEnvironment, target: Target) -> list[Check]:
    """Report how the dry run's Python and packages differ from the image's."""
    here = environment.python_version
    same = here.rsplit(".", 1)[0] == target.python
    python = Check("Python", "ok" if same else "note", f"image {target.name} has {target.python}, this dry run {here}")
    return [python, packages_note(environment, target)]


def packages_note(environment: ImageEnvironment, target: Target) -> Check:
    """Report which packages are there, in which versions, held against the image's lock, or its record without one."""
    named = {canonicalize_name(name): version for name, version in target.image.items() if version != "*"}
    wanted = {**(read_image_lock(target) if has_image_lock(target) else {}), **named}
    others = {name: here for name, here in environment.linked.items() if wanted.get(name, here) != here.split("+")[0]}
    listed = [f"{name} {here} (image {wanted[name]})" for name, here in others.items() if name in named]
    rest = f" and {len(others) - len(listed)} more" if len(others) > len(listed) else ""
    how = "in the image's versions" if environment.exact and not others else "linked"
    text = f"{len(environment.linked)} distributions {how}; not here: {', '.join(environment.absent) or 'none'}"
    differ = f"; other versions: {', '.join(listed) or 'none of those named'}{rest}" if others else ""
    return Check("packages", "note" if others or environment.absent else "ok", text + differ)


def _fresh_folder(work: Path, data: Path) -> Path:
    """Make the dry run's own folder, without what an earlier one left."""
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


def _export(
    rehearsal: Rehearsal, work: Path, expected: Sequence[str], sample: Path, ended: bool
) -> tuple[list[Check], Path | None]:
    """Validate the output and copy it to the work folder, a submission only if it is valid; return that one's path."""
    unjudged = Check("output", "note", "not judged: the notebook did not run to its end")
    validity = output_check(rehearsal.working, expected, sample) if ended else unjudged
    valid = validity.state == "ok"
    left = export_output(rehearsal.working, work, without={EXECUTED} if valid else {EXECUTED, SUBMISSION})
    files = Check("files", "ok" if left else "note", f"{len(left)} exported to {work}")
    return [validity, files], work / SUBMISSION if valid and SUBMISSION in expected else None


def _export_notebook(rehearsal: Rehearsal, path: Path) -> Path | None:
    """Copy the executed notebook and write its HTML beside it; None without one, or with half of one."""
    executed = rehearsal.working / EXECUTED
    try:
        notebook = nbformat.read(executed, as_version=4)
    except (OSError, ValueError):  # a session may be ended while the notebook is being saved
        return None
    shutil.copyfile(executed, path)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    path.with_suffix(".html").write_text(html.replace("</head>", f"{WRAPPED}</head>", 1))
    return path
