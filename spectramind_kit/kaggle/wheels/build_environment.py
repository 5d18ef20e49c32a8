"""A virtual environment with exactly a target's Python and torch: compiled wheels are built and imported against it.

Compiled wheels bind to the torch they were built with, so nothing else will do. On the image itself its own packages
are taken; elsewhere torch comes from the package index and is held against the target's record before it is used.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.environment import home_folder
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.kaggle.wheels.targets import Target
from spectramind_kit.kaggle.wheels.virtual_environment import VirtualEnvironment

log = logging.getLogger(__name__)

BUILD_TOOLS = ("ninja", "packaging", "setuptools", "wheel")
IMPORTED_BY_WHEELS = ("einops", "numpy", "transformers")
"""What the compiled distributions import beside torch; the image has it."""
READY_NAME = "ready.json"


@dataclass(frozen=True)
class BuildEnvironment(VirtualEnvironment):
    """A virtual environment made for a target."""

    @property
    def cuda_parts(self) -> Path:
        """Where the index's distributions of CUDA 13 put compiler, headers and libraries together."""
        return self.site_packages / "nvidia" / "cu13"

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment variables of a command that runs in it."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(self.folder), "PYTHONNOUSERSITE": "1", **more}


def make_build_environment(target: Target, folder: Path, constraints: Path, python: Path | None) -> BuildEnvironment:
    """Return the environment in ``folder``, making it or completing what an interrupted run left.

    Args:
        target: whose Python and torch it gets.
        folder: where it lies.
        constraints: pins of the build tools.
        python: an interpreter of the target's Python; None looks for one.

    Raises:
        PackagingError: if there is no such Python, or the torch that it gets is not the target's.
    """
    environment, wanted = BuildEnvironment(folder), requirements(target)
    ready = folder / READY_NAME
    if ready.is_file() and json.loads(ready.read_text()) == wanted:
        return environment
    interpreter = find_python(target.python, python)
    on_the_image = interpreter == Path(sys.executable) and not install.incompatibilities(
        target.facts(), install.session_facts()
    )
    log.info("making the build environment of %s in %s", target.name, folder)
    shared = ["--system-site-packages", "--without-pip"] if on_the_image else []
    _run([str(interpreter), "-m", "venv", *shared, str(folder)])
    limits = ["--constraint", str(constraints)] if constraints.is_file() else []
    pip = [str(environment.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, *limits, *wanted])
    problems = install.incompatibilities(target.facts(), torch_facts(environment))
    if problems:
        raise PackagingError(
            f"build environment of {target.name}",
            wanted=target.facts(),
            got="; ".join(problems),
            remedy="the index has this torch for another CUDA: build in the image, or set PIP_EXTRA_INDEX_URL",
        )
    ready.write_text(json.dumps(wanted))
    return environment


def requirements(target: Target) -> list[str]:
    """Return what the environment holds: the target's torch and compiler, what wheels import, the build tools."""
    image = {name: target.image.get(name, "*") for name in ("torch", *IMPORTED_BY_WHEELS)}
    pinned = {**image, **target.toolchain}
    return [name if version == "*" else f"{name}=={version}" for name, version in pinned.items()] + list(BUILD_TOOLS)


def torch_facts(environment: VirtualEnvironment) -> dict[str, object]:
    """Return what wheels made in an environment will depend on; the builder's own C library is not one of them."""
    code = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['session_facts']()))"
    facts = _run([str(environment.python), "-c", code, install.__file__])
    return {**json.loads(facts), "glibc": None}


def find_python(version: str, given: Path | None = None) -> Path:
    """Return an interpreter of a Python version: the one given, this one, one on the path, or one of pyenv's.

    Raises:
        PackagingError: if there is none, or the one given is another version.
    """
    root = Path(os.environ.get("PYENV_ROOT") or (home_folder() or Path("/")) / ".pyenv")
    named = shutil.which(f"python{version}")
    pyenv = sorted(root.glob(f"versions/{version}.*/bin/python"))
    candidates = [given] if given else [Path(sys.executable), *([Path(named)] if named else []), *pyenv]
    for candidate in candidates:
        code = "import sys; print('{}.{}'.format(*sys.version_info))"
        done = subprocess.run([str(candidate), "-c", code], capture_output=True, text=True)
        if done.stdout.strip() == version:
            return candidate
    looked = [str(candidate) for candidate in candidates]
    raise PackagingError("Python for the build", wanted=version, got=looked, remedy="install one, or name it: --python")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last_lines = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise PackagingError(" ".join(command[:4]), got=last_lines, remedy="the package index is needed for this step")
    return done.stdout
