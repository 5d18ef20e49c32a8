"""The CUDA compiler of a build: a toolkit on this machine, or one put together from the package index.

From CUDA 13 on, the index's ``nvidia-*`` distributions hold a whole nvcc, and they unpack to one folder; for CUDA 12
they lack nvcc itself. A wheel needs a compiler of the CUDA major version that its torch was built with.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import nvcc_wrapper
from spectramind_kit.kaggle.wheels.build_environment import BuildEnvironment
from spectramind_kit.kaggle.wheels.targets import Target


@dataclass(frozen=True)
class Toolchain:
    """A CUDA compiler.

    Attributes:
        home: folder with ``bin/nvcc``, ``include`` and ``lib64``.
        version: of nvcc, such as "13.0".
        include: header folders of torch's own CUDA libraries (cuBLAS and others), searched after those of ``home``.
    """

    home: Path
    version: str
    include: tuple[Path, ...]

    def variables(self, wrapper: Path, architectures: Sequence[str]) -> dict[str, str]:
        """Return the environment variables with which torch's builder compiles for chosen architectures."""
        return {
            "CUDA_HOME": str(self.home),
            "PYTORCH_NVCC": str(wrapper),
            nvcc_wrapper.ARCHITECTURES_VARIABLE: " ".join(architectures),
            "CPATH": ":".join(map(str, self.include)),
        }


def check_choice(target: Target, cuda_home: Path | None) -> None:
    """Refuse a compiler that cannot serve a target, before gigabytes are fetched for it.

    Args:
        target: what is to be compiled for.
        cuda_home: a CUDA toolkit; None stands for the package index's compiler.

    Raises:
        PackagingError: if the toolkit has no nvcc or one of another CUDA major version, or the index has none.
    """
    if cuda_home is not None:
        fitting_version(cuda_home, target)
    elif not target.toolchain:
        remedy = "the index has no nvcc for this CUDA: name a toolkit with --cuda-home, or build in the image itself"
        raise PackagingError(f"--toolchain pypi for target {target.name}", got="no [toolchain] in it", remedy=remedy)


def open_toolchain(target: Target, environment: BuildEnvironment, cuda_home: Path | None) -> Toolchain:
    """Return the compiler at ``cuda_home``, or where None the one in the build environment.

    Raises:
        PackagingError: if there is none, or its CUDA major version is not the target's.
    """
    check_choice(target, cuda_home)
    if cuda_home is None:
        _name_for_linkers(environment.cuda_parts)
    home = cuda_home or environment.cuda_parts
    include = tuple(sorted(environment.site_packages.glob("nvidia/*/include")))
    return Toolchain(home, fitting_version(home, target), include)


def fitting_version(home: Path, target: Target) -> str:
    """Return the version of a toolkit's nvcc, such as "13.0".

    Raises:
        PackagingError: if there is no nvcc, or its CUDA major version is not the target's.
    """
    nvcc = home / "bin" / "nvcc"
    if not nvcc.is_file():
        raise PackagingError(f"CUDA toolkit {home}", wanted="bin/nvcc", got="no such file", remedy="set --cuda-home")
    version = nvcc_version(nvcc)
    if version.split(".")[0] != target.cuda.split(".")[0]:
        wanted = f"nvcc of CUDA {target.cuda.split('.')[0]} for target {target.name}"
        raise PackagingError(f"{nvcc}", wanted=wanted, got=version, remedy="name another toolkit: --cuda-home")
    return version


def nvcc_version(nvcc: Path) -> str:
    """Return a compiler's CUDA version, such as "13.0".

    Raises:
        PackagingError: if it does not state one.
    """
    output = subprocess.run([str(nvcc), "--version"], capture_output=True, text=True).stdout
    found = re.search(r"release (\d+\.\d+)", output)
    if found is None:
        raise PackagingError(f"{nvcc} --version", wanted="a release number", got=output.strip()[-200:] or "nothing")
    return found.group(1)


def write_wrapper(path: Path) -> Path:
    """Write the program that torch calls in nvcc's stead."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n" + Path(nvcc_wrapper.__file__).read_text())
    path.chmod(0o755)
    return path


def find_cuobjdump(toolchain: Toolchain) -> str:
    """Return the program that lists the machine code in a library.

    Raises:
        PackagingError: if neither the toolkit nor the path has it.
    """
    beside = toolchain.home / "bin" / "cuobjdump"
    found = str(beside) if beside.is_file() else shutil.which("cuobjdump")
    if found is None:
        remedy = "it comes with the CUDA toolkit (package cuda-cuobjdump)"
        raise PackagingError("cuobjdump", wanted=f"in {beside.parent} or on the path", got="none", remedy=remedy)
    return found


def _name_for_linkers(parts: Path) -> None:
    """Give the index's parts the names that a linker looks for."""
    for link, there in ((parts / "lib64", "lib"), (parts / "lib" / "libcudart.so", _runtime_name(parts))):
        if not link.is_symlink():
            link.symlink_to(there)


def _runtime_name(parts: Path) -> str:
    found = sorted(path.name for path in parts.glob("lib/libcudart.so.*"))
    if not found:
        raise PackagingError(f"CUDA parts in {parts}", wanted="lib/libcudart.so.*", got="none")
    return found[-1]
