"""Compile mamba-ssm and causal-conv1d for a target, resuming what an interrupted build left.

Trees lie in a cache of their own, one for each set of architectures, so that ninja compiles only what is missing:

    <cache>/<target>/environment                        Python and torch of the target
    <cache>/<target>/<name>-<version>-<architectures>   source and objects
    <cache>/<target>/<name>.log                         everything the build printed
"""

import logging
import os
import re
import resource
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.environment import available_cores, home_folder
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.build_environment import BuildEnvironment, make_build_environment
from spectramind_kit.kaggle.wheels.machine_code import LibraryFacts, check_machine_code
from spectramind_kit.kaggle.wheels.package_index import KEPT_CUDA, download_source
from spectramind_kit.kaggle.wheels.targets import Pin, Target
from spectramind_kit.kaggle.wheels.toolchain import check_choice, find_cuobjdump, open_toolchain, write_wrapper

log = logging.getLogger(__name__)

ARCHITECTURES_AT_ONCE = 2
"""Of one file: each takes 1 to 2 GB of memory."""
PROGRESS = re.compile(r"^\s*\[(\d+)/(\d+)\]")


@dataclass(frozen=True)
class CudaBuild:
    """How compiled wheels are made.

    Attributes:
        cache: folder for environments, sources and objects.
        cuda_home: a CUDA toolkit; None takes the compiler from the package index.
        python: an interpreter of the target's Python; None looks for one.
        jobs: files compiled at a time; 0 for as many as there are cores.
    """

    cache: Path
    cuda_home: Path | None = None
    python: Path | None = None
    jobs: int = 0


def compile_wheel(pin: Pin, target: Target, build: CudaBuild, constraints: Path, folder: Path) -> list[LibraryFacts]:
    """Compile a locked source distribution, leave the wheel in ``folder``, check it and return what its libraries are.

    Raises:
        PackagingError: if an ingredient is missing, the build fails, or the wheel is not what the target wants.
    """
    check_choice(target, build.cuda_home)
    place = build.cache / target.name
    place.mkdir(parents=True, exist_ok=True)
    environment = make_build_environment(target, place / "environment", constraints, build.python)
    toolchain = open_toolchain(target, environment, build.cuda_home)
    cuobjdump = find_cuobjdump(toolchain)
    tree = place / "-".join([pin.name.replace("-", "_"), pin.version, *target.architectures])
    if not tree.is_dir():
        unpack_source(pin, environment, tree)
    wrapper = write_wrapper(place / "nvcc")
    variables = {
        **toolchain.variables(wrapper, target.architectures),
        **KEPT_CUDA,
        **work_at_once(build.jobs or available_cores()),
    }
    run_build(tree, environment, variables, place / f"{pin.name}.log", folder)
    return [
        facts for wheel in folder.glob("*.whl") for facts in check_machine_code(wheel, target, cuobjdump, environment)
    ]


def work_at_once(jobs: int) -> dict[str, str]:
    """Return variables by which the set-up compiles several files, and nvcc several architectures of each, at a time.

    One file takes as long as all others together: two of its architectures at once occupy the cores that it leaves.

    Args:
        jobs: files; one means one process in all.
    """
    return {"MAX_JOBS": str(jobs), "NVCC_APPEND_FLAGS": f"--threads={min(jobs, ARCHITECTURES_AT_ONCE)}"}


def unpack_source(pin: Pin, environment: BuildEnvironment, tree: Path) -> None:
    """Download a source distribution, whose hash must be the pin's, and unpack it as ``tree``."""
    with tempfile.TemporaryDirectory(dir=tree.parent) as temporary:
        requirement = Path(temporary, "requirement.txt")
        requirement.write_text(pin.line() + "\n")
        locked = ["--require-hashes", "--requirement", str(requirement)]
        download_source(pin.name, locked, Path(temporary), isolated=False, python=environment.python)
        with tarfile.open(Path(temporary, pin.filename)) as archive:
            # Python has filters since 3.11.4 only; the hash says that these are the pinned files, with or without one
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(temporary)
        unpacked = next(path for path in Path(temporary).iterdir() if path.is_dir())
        shutil.move(unpacked, tree)


def run_build(
    tree: Path, environment: BuildEnvironment, variables: Mapping[str, str], record: Path, folder: Path
) -> None:
    """Build the wheel of a source tree in its environment; what was compiled before stays.

    Args:
        tree: the source.
        environment: what it is built in.
        variables: environment variables of compiler and set-up.
        record: file that gets everything the build prints.
        folder: where the wheel is left.

    Raises:
        PackagingError: with the end of the build's output.
    """
    command = [str(environment.python), "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-build-isolation"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--wheel-dir", str(folder), str(tree)]
    start, before = time.perf_counter(), _child_seconds()
    log.info("compiling %s; its output goes to %s", tree.name, record)
    with (
        record.open("w") as stream,
        subprocess.Popen(
            command, env=environment.variables(variables), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            stream.write(line)
            stream.flush()
            if step := PROGRESS.match(line):
                log.info("  %s of %s files, %.1f min", *step.groups(), (time.perf_counter() - start) / 60)
    if process.returncode:
        raise PackagingError(
            f"compiling {tree.name}", got=_last_lines(record), remedy=f"the whole output is in {record}"
        )
    minutes, seconds = (time.perf_counter() - start) / 60, _child_seconds() - before
    log.info("%s: %.1f min, %.0f s of processor time", tree.name, minutes, seconds)


def default_cache() -> Path:
    """Return the folder for build trees in the user's cache; among temporary files where the user has no home."""
    usual = (home_folder() or Path(tempfile.gettempdir())) / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "spectramind-wheels"


def _last_lines(record: Path) -> str:
    """Return the end of the set-up's output; pip's own summary after it names no cause."""
    output = record.read_text(errors="replace").split("error: subprocess-exited-with-error")[0]
    return "\n".join(output.strip().splitlines()[-12:])


def _child_seconds() -> float:
    """Processor time of the processes that have ended [s]."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
