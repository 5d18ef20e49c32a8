"""What the compiled libraries of a wheel hold and need: GPU code, libraries, C library version, search paths.

Checked before a wheel goes into a dataset, because a session without network can repair nothing: GPU code for exactly
the target's architectures (``cuobjdump``), no library that the image lacks, no symbol newer than the image's C
library, no search path of the build machine (``readelf``), and an import in the target's Python and torch, no GPU.
"""

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.build_environment import BuildEnvironment
from spectramind_kit.kaggle.wheels.targets import Target
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel

PROVIDED = re.compile(r"(libc10|libtorch)\w*\.so|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux-x86-64\.so\.2")
"""Libraries that torch (already imported) and every image provide; the CUDA runtime is checked by its version."""
NEWEST_GLIBCXX = "3.4.30"
"""Of GCC 12, whose library the images have."""


@dataclass(frozen=True)
class LibraryFacts:
    """One shared library.

    Attributes:
        name: of its file.
        architectures: what its GPU code is for.
        needed: libraries that it asks for.
        glibc: newest version of the C library's symbols that it uses.
        glibcxx: newest version of the C++ library's symbols that it uses.
        search_path: RPATH and RUNPATH; "" is none.
    """

    name: str
    architectures: tuple[str, ...]
    needed: tuple[str, ...]
    glibc: str
    glibcxx: str
    search_path: str


def check_machine_code(
    wheel: Path, target: Target, cuobjdump: str, environment: BuildEnvironment
) -> list[LibraryFacts]:
    """Return the facts of a wheel's libraries after holding them against the target, and import it.

    Raises:
        PackagingError: naming the library and what is wrong with it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        facts = [read_library(path, cuobjdump) for path in sorted(folder.rglob("*.so"))]
        contents = read_wheel(wheel)
        check_cuda(wheel.name, contents.tags, facts, target)
        for library in facts:
            check_library(library, target)
        check_import(folder, contents.imports, environment)
    return facts


def check_cuda(name: str, tags: Sequence[str], libraries: Sequence[LibraryFacts], target: Target) -> None:
    """Refuse a wheel that was to be compiled for the target's GPUs and holds no code for them.

    A set-up that was not asked rightly, or found no compiler, leaves a wheel without it and reports a success.

    Raises:
        PackagingError: with the wheel's tags and libraries.
    """
    machine = [tag for tag in tags if tag.startswith(f"{target.python_tag}-") and not tag.endswith("-any")]
    if not machine or not any(library.architectures for library in libraries):
        found = ", ".join(library.name for library in libraries) or "no library"
        wanted = f"a wheel of {target.python_tag} with GPU code"
        remedy = "its set-up left CUDA out: read the build's log for how it is asked for"
        raise PackagingError(f"wheel {name}", wanted=wanted, got=f"{list(tags)}, {found}", remedy=remedy)


def check_library(library: LibraryFacts, target: Target) -> None:
    """Refuse a library that would not load or run where the target's wheels go; one may do without GPU code.

    Raises:
        PackagingError: naming the library and what is wrong with it.
    """
    what = f"library {library.name} for {target.name}"
    if library.architectures and sorted(library.architectures) != sorted(target.architectures):
        raise PackagingError(f"GPU code of {what}", wanted=list(target.architectures), got=list(library.architectures))
    runtime = f"libcudart.so.{target.cuda.split('.')[0]}"
    strange = [name for name in library.needed if not PROVIDED.fullmatch(name) and name != runtime]
    if strange:
        raise PackagingError(what, wanted=f"only libraries of torch, {runtime} and the system", got=strange)
    if Version(library.glibc) > Version(target.glibc):
        remedy = "build on an older system, or in the image"
        raise PackagingError(what, wanted=f"glibc at most {target.glibc}", got=library.glibc, remedy=remedy)
    if Version(library.glibcxx) > Version(NEWEST_GLIBCXX):
        raise PackagingError(what, wanted=f"GLIBCXX at most {NEWEST_GLIBCXX}", got=library.glibcxx)
    if library.search_path:
        raise PackagingError(what, wanted="no search path of its own (RPATH, RUNPATH)", got=library.search_path)


def read_library(path: Path, cuobjdump: str) -> LibraryFacts:
    """Read the facts of one shared library.

    Raises:
        PackagingError: if a program that reads them fails or is not there.
    """
    if shutil.which("readelf") is None:
        raise PackagingError("readelf", wanted="on the path", got="none", remedy="install binutils")
    dynamic = _output(["readelf", "--wide", "--dynamic", str(path)])
    symbols = _output(["readelf", "--wide", "--version-info", str(path)])
    return LibraryFacts(
        name=path.name,
        architectures=gpu_architectures(path, cuobjdump),
        needed=tuple(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)),
        glibc=_newest(re.findall(r"GLIBC_(\d[\d.]*)", symbols)),
        glibcxx=_newest(re.findall(r"GLIBCXX_(\d[\d.]*)", symbols)),
        search_path=":".join(re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.+)\]", dynamic)),
    )


def gpu_architectures(path: Path, cuobjdump: str) -> tuple[str, ...]:
    """Return what a library or object holds GPU code for: "sm_75" as machine code, "compute_80" as PTX."""
    code = re.findall(r"\.(sm_\d+[af]?)\.cubin", _output([cuobjdump, "--list-elf", str(path)]))
    ptx = re.findall(r"\.sm_(\d+[af]?)\.ptx", _output([cuobjdump, "--list-ptx", str(path)]))
    return tuple(sorted({*code, *(f"compute_{number}" for number in ptx)}))


def check_import(folder: Path, names: Sequence[str], environment: BuildEnvironment) -> None:
    """Import an unpacked wheel's modules in its environment, after torch, with no GPU visible.

    Raises:
        PackagingError: with the end of the import's traceback.
    """
    code = "import importlib, sys, torch\nfor name in sys.argv[1:]: importlib.import_module(name)"
    variables = environment.variables({"PYTHONPATH": str(folder), "CUDA_VISIBLE_DEVICES": ""})
    command = [str(environment.python), "-c", code, *names]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        got = done.stderr.strip().splitlines()[-3:]
        raise PackagingError(f"import of {', '.join(names)} with the target's torch", got="\n".join(got))


def _output(command: Sequence[str]) -> str:
    """Return what a program prints; one that finds nothing to list fails, and prints nothing."""
    return subprocess.run(command, capture_output=True, text=True).stdout


def _newest(versions: Sequence[str]) -> str:
    return max(versions, key=Version, default="0")
