"""Put a CUDA 12.4 toolkit together: Debian's compiler, NVIDIA's headers from the package index.

The index has no nvcc for CUDA 12; Debian's component non-free has, in one package of 87 MB. It is downloaded by apt
with a configuration of its own, which checks Debian's signature and leaves the machine's sources and packages alone,
and unpacked, never installed. Headers of libraries beside the runtime come from torch's own distributions.
"""

import logging
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.package_index import run_pip
from spectramind_kit.kaggle.wheels.targets import Target
from spectramind_kit.kaggle.wheels.toolchain import nvcc_version

log = logging.getLogger(__name__)

VERSION = "12.4"
SUITE = "trixie"
PACKAGE = "nvidia-cuda-toolkit"
SOURCE = "deb [arch=amd64 signed-by={keyring}] http://deb.debian.org/debian {suite} non-free\n"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Debian's public keys, of its package debian-archive-keyring: apt takes nothing that they did not sign."""
LICENCE = "https://docs.nvidia.com/cuda/eula/"
HEADERS = """\
nvidia-cuda-runtime-cu12==12.4.127 --hash=sha256:64403288fa2136ee8e467cdc9c9427e0434110899d07c779f25b5c068934faa5
nvidia-cuda-nvcc-cu12==12.4.131 --hash=sha256:e4c9a35435c3b0e36c6397c5696334c9ea6650e524736cbd1c5d345ea099bb04
nvidia-cuda-cccl-cu12==12.4.127.post1 --hash=sha256:2027fa5fc75fbee703bf24e8275a40a605cf94a3e8fef8a7187897d49b34facb
"""
"""What has the headers of this version, and the runtime that wheels are linked to."""
UNPACKED = {
    **{f"usr/bin/{name}": f"bin/{name}" for name in ("bin2c", "cudafe++", "cuobjdump", "fatbinary", "nvlink", "ptxas")},
    "usr/lib/nvidia-cuda-toolkit/bin/nvcc": "bin/nvcc",
    "usr/lib/nvidia-cuda-toolkit/bin/crt": "bin/crt",
    "usr/lib/nvidia-cuda-toolkit/bin/cicc": "nvvm/bin/cicc",
    "usr/lib/nvidia-cuda-toolkit/libdevice": "nvvm/libdevice",
    "usr/share/doc/nvidia-cuda-toolkit/copyright": "LICENSE",
}
"""Places in Debian's package, and in the tree that nvcc's own layout wants."""
PROFILE = """\
TOP = $(_HERE_)/..
CICC_PATH = $(TOP)/nvvm/bin
NVVMIR_LIBRARY_DIR = $(TOP)/nvvm/libdevice
PATH += $(TOP)/nvvm/bin:$(_HERE_):
INCLUDES += "-I$(TOP)/include" $(_SPACE_)
LIBRARIES =+ $(_SPACE_) "-L$(TOP)/lib64"
"""
"""``nvcc.profile``: where nvcc finds its parts, relative to itself; Debian's names the places of an installation."""


def check_target(target: Target) -> None:
    """Refuse a target whose CUDA this toolkit is not of, before anything is fetched.

    Raises:
        PackagingError: naming the versions.
    """
    if target.cuda.split(".")[0] != VERSION.split(".")[0]:
        remedy = "take --toolchain pypi, or --cuda-home"
        raise PackagingError(f"--toolchain debian for {target.name}", wanted="CUDA 12", got=target.cuda, remedy=remedy)


def make_toolkit(cache: Path, accept_licence: bool) -> Path:
    """Return the toolkit in a cache, putting it together where it is not there yet.

    Args:
        cache: folder of build trees.
        accept_licence: that the user has accepted NVIDIA's licence.

    Raises:
        PackagingError: without the acceptance, or if a part cannot be fetched.
    """
    home = cache / f"cuda-{VERSION}-debian-{SUITE}"
    if home.is_dir():
        return home
    if not accept_licence:
        got = f"{PACKAGE} is in Debian's component non-free: NVIDIA's licence, {LICENCE}, holds for it"
        raise PackagingError("--toolchain debian", wanted="--accept-licence", got=got, remedy="read it, then say so")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        place = Path(temporary)
        log.info("fetching %s from Debian %s, about 87 MB, and headers from the package index", PACKAGE, SUITE)
        package = fetch_package(place / "apt")
        _run(["dpkg-deb", "--extract", str(package), str(place / "package")], place)
        fetch_headers(place / "headers")
        tree = lay_out(place / "package", place / "headers", place / "tree")
        version = nvcc_version(tree / "bin" / "nvcc")
        if version != VERSION:
            raise PackagingError(f"nvcc of Debian {SUITE}", wanted=VERSION, got=version)
        tree.rename(home)
    return home


def fetch_package(folder: Path) -> Path:
    """Download Debian's package with an apt configuration that lies in the folder, and return its file.

    Raises:
        PackagingError: if apt or Debian's keys are not here, or apt fails.
    """
    if not KEYRING.is_file():
        remedy = "install debian-archive-keyring, or name a toolkit with --cuda-home"
        raise PackagingError("Debian's keys", wanted=KEYRING, got="no such file", remedy=remedy)
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").write_text("")
    (folder / "sources.list").write_text(SOURCE.format(keyring=KEYRING, suite=SUITE))
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": os.devnull,
        "Dir::State": folder,
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "--quiet", *(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))]
    _run([*apt, "update"], folder)
    _run([*apt, "download", PACKAGE], folder)
    return next(folder.glob(f"{PACKAGE}_*.deb"))


def fetch_headers(folder: Path) -> None:
    """Download the index's distributions of headers, whose hashes are pinned here, and unpack them into a folder."""
    folder.mkdir()
    requirements = folder / "requirements.txt"
    requirements.write_text(HEADERS)
    fits = ["--only-binary", ":all:", "--platform", "manylinux2014_x86_64"]
    locked = ["--require-hashes", "--requirement", str(requirements)]
    run_pip(["download", "--no-deps", "--dest", str(folder), *fits, *locked])
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def lay_out(package: Path, headers: Path, tree: Path) -> Path:
    """Put compiler, headers and runtime into the layout that nvcc and torch's builder look for.

    Args:
        package: Debian's package, unpacked.
        headers: the index's distributions, unpacked.
        tree: the folder to make.

    Raises:
        PackagingError: if the package lacks a part.
    """
    for source, place in UNPACKED.items():
        there, target = package / source, tree / place
        if not there.exists():
            raise PackagingError(f"{PACKAGE} of Debian {SUITE}", wanted=source, got="no such file")
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if there.is_dir() else shutil.copy2)(there, target)
    (tree / "bin" / "nvcc.profile").write_text(PROFILE)
    for include in sorted(headers.glob("nvidia/*/include")):
        shutil.copytree(include, tree / "include", dirs_exist_ok=True)
    (tree / "lib64").mkdir()
    for library in headers.glob("nvidia/cuda_runtime/lib/libcudart.so.*"):
        shutil.copy2(library, tree / "lib64")
        (tree / "lib64" / "libcudart.so").symlink_to(library.name)
    return tree


def _run(command: Sequence[str], folder: Path) -> None:
    """Run a program of Debian's in a folder.

    Raises:
        PackagingError: with the end of its output, if it fails or is not here.
    """
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        remedy = "this needs apt and dpkg; elsewhere name a toolkit with --cuda-home"
        raise PackagingError(command[0], wanted="on the path", got="none", remedy=remedy) from error
    if done.returncode:
        output = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise PackagingError(f"{command[0]} {command[-1]}", got=output, remedy="it needs Debian's servers")
