"""A fresh virtual environment that holds what Kaggle's image holds: in its versions, or as far as it is installed here.

The distributions of an environment in the image's versions (``exact_image``), or of the running one, are linked, not
copied: a folder as a whole where it belongs to chosen distributions only, else file
by file (namespace packages are shared). What the target says the image lacks, and the kit itself, stay out, so that a
kernel that forgot to bring a wheel fails here as it would there.
"""

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.targets import Target
from spectramind_kit.kaggle.wheels.virtual_environment import VirtualEnvironment

KIT = "spectramind-kit"
PROGRAMS = ("uv",)
"""Programs of the image, not scripts of Python, that an installation calls."""


@dataclass(frozen=True)
class ImageEnvironment(VirtualEnvironment):
    """A virtual environment that stands for the image.

    Attributes:
        linked: versions of what it holds.
        absent: names the image has and this machine does not.
        exact: whether it was made from the image's own versions.
    """

    linked: Mapping[str, str]
    absent: tuple[str, ...]
    exact: bool = False


def make_environment(target: Target, folder: Path, image: VirtualEnvironment | None = None) -> ImageEnvironment:
    """Create the virtual environment that stands for a target's image.

    Args:
        target: the image generation.
        folder: where it is made, anew.
        image: an environment in the image's versions, to link to; None links to what is installed in the running one.

    Raises:
        PackagingError: if Python makes no environment there.
    """
    python = image.python if image else Path(sys.executable)
    command = [str(python), "-m", "venv", "--clear", "--symlinks", "--without-pip", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PackagingError(f"environment {folder}", wanted=f"made by {python}", got=done.stderr.strip()[-500:])
    installed = installed_distributions(image)
    chosen = image_distributions(target, installed, whole=image is not None)
    environment = ImageEnvironment(
        folder,
        linked={name: installed[name].version for name in sorted(chosen)},
        absent=tuple(sorted({canonicalize_name(name) for name in target.image} - installed.keys())),
        exact=image is not None,
    )
    for relative, path in links([installed[name] for name in chosen], installed.values()).items():
        place = environment.site_packages / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    for name in chosen.intersection(PROGRAMS):
        program = Path(str(installed[name].locate_file(f"../../../bin/{name}")))
        if program.is_file():
            (folder / "bin" / name).symlink_to(program.resolve())
    return environment


def installed_distributions(environment: VirtualEnvironment | None = None) -> dict[str, Distribution]:
    """Return an environment's distributions by canonical name, or the running one's; the first on the path wins."""
    path = sys.path if environment is None else [str(environment.site_packages)]
    found: dict[str, Distribution] = {}
    for distribution in importlib.metadata.distributions(path=path):
        if distribution.metadata["Name"]:
            found.setdefault(canonicalize_name(distribution.metadata["Name"]), distribution)
    return found


def image_distributions(target: Target, installed: Mapping[str, Distribution], whole: bool = False) -> set[str]:
    """Return the image's distributions that are installed, with all they require, without what the image lacks.

    Args:
        target: the image generation.
        installed: what is installed.
        whole: that it is the image's, so that all of it is taken.
    """
    lacks = {canonicalize_name(name) for name in (*target.lacks, *target.compiled)} | {KIT}
    if whole:
        return set(installed) - lacks
    chosen: set[str] = set()
    waiting = [canonicalize_name(name) for name in target.image]
    while waiting:
        name = waiting.pop()
        if name in installed and name not in chosen and name not in lacks:
            chosen.add(name)
            waiting += _required(installed[name])
    return chosen


def links(chosen: Iterable[Distribution], everything: Iterable[Distribution]) -> dict[Path, Path]:
    """Return the fewest links that show the chosen distributions and nothing of the others.

    Args:
        chosen: distributions to show.
        everything: all that are installed.

    Returns:
        path within site-packages -> file or folder it stands for.
    """
    chosen = list(chosen)
    names = {distribution.metadata["Name"] for distribution in chosen}
    others = [distribution for distribution in everything if distribution.metadata["Name"] not in names]
    shared = {folder for distribution in others for file in _files(distribution) for folder in file.parents}
    found = {}
    for distribution in chosen:
        for file in _files(distribution):
            whole = next((folder for folder in [*file.parents][-2::-1] if folder not in shared), file)
            if whole not in found:
                found[whole] = Path(str(distribution.locate_file(str(whole)))).resolve()
    return {relative: path for relative, path in found.items() if path.exists()}


def _files(distribution: Distribution) -> tuple[Path, ...]:
    """Files of a distribution within site-packages."""
    files = [Path(file) for file in distribution.files or ()]
    return tuple(file for file in files if file.parts[0] != ".." and not file.is_absolute())


def _required(distribution: Distribution) -> list[str]:
    requirements = [Requirement(line) for line in distribution.requires or ()]
    return [canonicalize_name(r.name) for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
