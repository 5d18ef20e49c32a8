"""A kernel of Hugging Face's kernel hub in a folder: its builds, and which of them fits a torch.

A repository of the hub holds one folder a build, such as ``build/torch210-cxx11-cu128-x86_64-linux``, bound to torch,
CUDA and processor, but to no version of Python; ``torch-stable-abi`` builds also serve every later torch. The hub's
library ``kernels`` (its ``variants.py`` states the rules) loads them; no image of Kaggle has it, and a folder that lies
there needs no more than what is here. A folder is attached by that library's own variable,

    LOCAL_KERNELS=kernels-community/mamba-ssm=/kaggle/input/datasets/me/mamba-ssm
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spectramind_kit.errors import SpectraMindError

VARIABLE = "LOCAL_KERNELS"
KERNEL = "mamba-ssm"
"""The kernel with the selective scan, by the last part of its repository's name."""
_NAME = re.compile(
    r"torch(?P<stable>-stable-abi)?(?P<major>\d)(?P<minor>\d+)(?:-(?P<abi>cxx11|cxx98))?"
    r"-cu(?P<cuda_major>\d+)(?P<cuda_minor>\d)-(?P<machine>\w+)-linux"
)


@dataclass(frozen=True)
class Build:
    """One build of a kernel for CUDA devices.

    Attributes:
        folder: where it lies; its name states all else.
        torch: the version it was built with, the oldest one where it keeps to the stable ABI.
        cuda: the version it was built with.
        stable: whether it keeps to torch's stable ABI.
        cxx11_abi: the C++ ABI it was built for; None serves the only one that newer torches have.
        machine: the processor.
    """

    folder: Path
    torch: tuple[int, int]
    cuda: tuple[int, int]
    stable: bool
    cxx11_abi: bool | None
    machine: str

    def fits(self, torch: str, cuda: str, cxx11_abi: bool = True, machine: str = "x86_64") -> bool:
        """Return whether it loads where these are: CUDA's minor version may be newer there, the rest agrees."""
        there, runtime = _version(torch), _version(cuda)
        same_torch = self.torch <= there if self.stable else self.torch == there
        same_cuda = self.cuda[0] == runtime[0] and self.cuda[1] <= runtime[1]
        return same_torch and same_cuda and self.cxx11_abi in (None, cxx11_abi) and self.machine == machine


def read_builds(kernel: Path) -> list[Build]:
    """Return the builds for CUDA in a kernel's folder: a repository, or what lies in its ``build``."""
    folders = sorted(path for path in (*kernel.glob("build/*"), *kernel.glob("*")) if path.is_dir())
    found = [(folder, _NAME.fullmatch(folder.name)) for folder in folders]
    return [
        Build(
            folder,
            torch=(int(name["major"]), int(name["minor"])),
            cuda=(int(name["cuda_major"]), int(name["cuda_minor"])),
            stable=name["stable"] is not None,
            cxx11_abi=None if name["abi"] is None else name["abi"] == "cxx11",
            machine=name["machine"],
        )
        for folder, name in found
        if name
    ]


def fitting_build(kernel: Path, torch: str, cuda: str, cxx11_abi: bool = True, machine: str = "x86_64") -> Build:
    """Return the build that the hub's library would take: of the stable ABI first, then of the newest CUDA.

    Args:
        kernel: folder of the kernel.
        torch: version there.
        cuda: version of torch's CUDA there.
        cxx11_abi: the C++ ABI of that torch.
        machine: the processor there.

    Raises:
        SpectraMindError: if none fits, or the folder holds no build.
    """
    builds = read_builds(kernel)
    fitting = [build for build in builds if build.fits(torch, cuda, cxx11_abi, machine)]
    if not fitting:
        wanted = f"a build for torch {torch}, CUDA {cuda}, {machine}"
        got = ", ".join(build.folder.name for build in builds) or "no build for CUDA"
        raise SpectraMindError(f"kernel in {kernel}", wanted=wanted, got=got, remedy="attach its newest version")
    return max(fitting, key=lambda build: (build.stable, build.torch, build.cxx11_abi is None, build.cuda))


def entry(build: Path) -> Path:
    """Return the file that a build's module starts with.

    Raises:
        SpectraMindError: if it has none.
    """
    places = (build / "__init__.py", *sorted(build.glob("*/__init__.py")))
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise SpectraMindError(
            f"build {build}", wanted="__init__.py", got=sorted(path.name for path in build.iterdir())
        )
    return found


def attached_kernel(variable: str | None = None) -> Path | None:
    """Return the folder of the selective scan's kernel that the environment names, None where it names none.

    Args:
        variable: ``REPOSITORY=FOLDER``, several of them separated by ":"; None reads the environment.
    """
    text = os.environ.get(VARIABLE, "") if variable is None else variable
    named = dict(_entries(text.split(":")))
    return next((Path(folder) for name, folder in named.items() if name.split("/")[-1] == KERNEL and folder), None)


def _entries(parts: Iterable[str]) -> list[tuple[str, str]]:
    return [(part.split("=", 1)[0], part.split("=", 1)[1]) for part in parts if "=" in part]


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split("+")[0].split(".")[:2]
    return int(major), int(minor)
