"""Run a kernel's notebook as the scoring rerun does: by papermill, in the image's environment, offline, in a budget."""

import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.kaggle.rehearsal import attachments, socket_refusal
from spectramind_kit.kaggle.rehearsal.image_environment import ImageEnvironment
from spectramind_kit.kaggle.rehearsal.isolation import Mount, Stage, command_in_namespaces
from spectramind_kit.kaggle.rehearsal.verdict import Check
from spectramind_kit.kaggle.rehearsal.watched_run import Budget, Usage, run_watched
from spectramind_kit.kaggle.rules.session_folders import (
    INPUT_ROOT,
    INPUT_ROOT_VARIABLE,
    WORKING_ROOT,
    WORKING_ROOT_VARIABLE,
)
from spectramind_kit.kaggle.wheels.virtual_environment import VirtualEnvironment

log = logging.getLogger(__name__)

EXECUTED = "__notebook__.ipynb"
NETWORK_WORDS = (
    *("Network is unreachable", "Name or service not known", "Temporary failure in name resolution"),
    *("No address associated with hostname", "the rehearsal is offline"),
)
"""Messages of Python where there is no network, and of a refused socket."""
PASSED_VARIABLES = ("LANG", "LC_ALL", "TZ", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Rehearsal:
    """What a dry run needs.

    Attributes:
        place: the folder that it happens in.
        mounts: what is attached.
        hidden: folders of the host that must look empty.
        environment: stands for the image.
        means: the namespaces that keep it offline; None where the system allows none.
    """

    place: Path
    mounts: tuple[Mount, ...]
    hidden: tuple[str, ...]
    environment: ImageEnvironment
    means: str | None

    @property
    def working(self) -> Path:
        """The folder that stands for ``/kaggle/working``."""
        return self.place / "working"


def run_notebook(
    rehearsal: Rehearsal, notebook: Path, parameters: Mapping[str, object], budget: Budget
) -> tuple[Check, Usage]:
    """Run papermill in the rehearsal's environment and stage; return whether every cell ran, and what it used.

    Args:
        rehearsal: environment and stage.
        notebook: what to run.
        parameters: papermill parameters of the notebook.
        budget: of the whole run; papermill's own limit holds for a cell only.
    """
    working = WORKING_ROOT if rehearsal.means else str(rehearsal.working)
    copy = shutil.copy(notebook, rehearsal.place / "kernel.ipynb")
    options = ["--cwd", working, "--kernel", "python3", "--no-progress-bar", "--log-output"]
    options += ["--parameters_yaml", json.dumps(parameters)] if parameters else []
    command = [str(rehearsal.environment.python), "-m", "papermill", copy, f"{working}/{EXECUTED}", *options]
    stage = _stage(rehearsal)
    if rehearsal.means:
        command = command_in_namespaces(rehearsal.means, stage, command)
    else:
        attachments.link_tree(rehearsal.mounts, rehearsal.place)
        socket_refusal.refuse_in(rehearsal.environment.site_packages)
    record = rehearsal.place / "run.log"
    log.info("running %s; its output goes to %s", notebook, record)
    usage = run_watched(command, session_variables(rehearsal), record, rehearsal.working, budget)
    if usage.breach:
        return Check("notebook", "FAILED", usage.breach), usage
    if usage.returncode == 0:
        return Check("notebook", "ok", "every cell ran"), usage
    return Check("notebook", "FAILED", f"{_last_line(record)} (see {record})"), usage


def session_variables(rehearsal: Rehearsal) -> dict[str, str]:
    """Return the environment variables of the rerun; hardly anything of the caller's gets through."""
    home = rehearsal.place / "home"
    variables = {
        "PATH": f"{rehearsal.environment.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "VIRTUAL_ENV": str(rehearsal.environment.folder),
        "KAGGLE_KERNEL_RUN_TYPE": "Batch",
        "KAGGLE_IS_COMPETITION_RERUN": "1",
        "PYTHONNOUSERSITE": "1",
        **{name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ},
    }
    if rehearsal.means is None:
        variables[INPUT_ROOT_VARIABLE] = str(rehearsal.place / Path(INPUT_ROOT).relative_to("/"))
        variables[WORKING_ROOT_VARIABLE] = str(rehearsal.working)
    return variables


def _stage(rehearsal: Rehearsal) -> Stage:
    own = [rehearsal.environment.folder, rehearsal.place / "home", rehearsal.place / "kernel.ipynb"]
    mounts = [Mount(str(path), str(path), writable=True) for path in own]
    mounts.append(Mount(str(rehearsal.working), WORKING_ROOT, writable=True))
    return Stage(
        (*rehearsal.mounts, *mounts),
        rehearsal.hidden,
        WORKING_ROOT,
        str(rehearsal.place / "root"),
        places_of_python(rehearsal.environment),
    )


def places_of_python(environment: VirtualEnvironment) -> tuple[str, ...]:
    """Return what a virtual environment's links lead to: its Python, and the folders of what is linked."""
    own = environment.folder.resolve()
    linked = {path.resolve().parent for path in environment.folder.rglob("*") if path.is_symlink()}
    folders = {environment.base, *linked} - {own, *own.parents}
    outside = [folder for folder in folders if own not in folder.parents and folder.is_dir()]
    # A folder is shown with all below it, so the topmost ones suffice.
    return tuple(sorted(str(f) for f in outside if not any(f != o and f.is_relative_to(o) for o in outside)))


def _last_line(record: Path) -> str:
    """Return the last line that a failed run printed, with a hint where it wanted the network."""
    text = record.read_text(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wanted_network = any(words in text for words in NETWORK_WORDS)
    hint = "; it asked for the network, which the rerun has not: attach what it wants" if wanted_network else ""
    return (lines[-1][:300] if lines else "it ended without a message") + hint
