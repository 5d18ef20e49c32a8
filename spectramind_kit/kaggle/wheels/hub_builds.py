"""Pack a kernel of Hugging Face's hub, which a user has downloaded, into the wheel dataset.

Of its builds go along those that the hub's library would load in the dataset's targets. ``install.py`` holds the files
against the manifest and names the folder to the kit, which tries it on the device before it uses it.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError, SpectraMindError
from spectramind_kit.files import sha256_of
from spectramind_kit.hub_kernel import KERNEL, Build, entry, fitting_build
from spectramind_kit.kaggle.wheels.targets import Target

PLACE = f"hub/{KERNEL}"
"""Where it lies in the dataset."""
REPOSITORY = f"kernels-community/{KERNEL}"
METADATA = "metadata.json"


def copy_kernel(kernel: Path, targets: Sequence[Target], out: Path) -> dict:
    """Copy the builds that fit the targets below ``out``, and return the manifest's record of them.

    Args:
        kernel: folder of the kernel, as ``kernels download`` or a clone of its repository leaves it.
        targets: what the dataset is for.
        out: folder of the dataset.

    Raises:
        PackagingError: if a target has no build that fits, the kernel is another one, or it has no code for the
            target's devices.
    """
    builds = {build.folder: build for build in (_build_for(kernel, target) for target in targets)}
    for folder in builds:
        shutil.copytree(folder, out / PLACE / "build" / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    files = sorted(path for path in (out / PLACE).rglob("*") if path.is_file())
    return {
        "repository": REPOSITORY,
        "path": PLACE,
        "licence": _stated(next(iter(builds))).get("license", "not stated"),
        "files": {str(path.relative_to(out / PLACE)): sha256_of(path) for path in files},
    }


def _build_for(kernel: Path, target: Target) -> Build:
    remedy = f"name the folder of {REPOSITORY}, downloaded whole"
    try:
        build = fitting_build(kernel, target.torch, target.cuda, target.cxx11_abi)
        entry(build.folder)
    except SpectraMindError as error:
        raise PackagingError(f"--hub-kernel {kernel} for {target.name}", got=str(error), remedy=remedy) from error
    stated = _stated(build.folder)
    name = str(stated.get("name", KERNEL)).replace("_", "-")
    if name != KERNEL:
        raise PackagingError(f"--hub-kernel {kernel}", wanted=KERNEL, got=name, remedy=remedy)
    there = {str(each).split("+")[0] for each in stated.get("backend", {}).get("archs", [])}
    wanted = {f"{arch[3:-1]}.{arch[-1]}" for arch in target.architectures if arch.startswith("sm_")}
    if there and not wanted <= there:
        raise PackagingError(f"devices of {build.folder}", wanted=sorted(wanted), got=sorted(there))
    return build


def _stated(folder: Path) -> dict:
    """Return what a build states of itself; older ones state nothing."""
    path = folder / METADATA
    return json.loads(path.read_text()) if path.is_file() else {}
