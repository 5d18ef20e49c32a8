"""What the kit brings beside its modules: kernels, targets, and the files that its own wheel is built from.

In a checkout they lie in it. A wheel carries them as data files, below share/spectramind_kit of the environment; wheels
are built, and kernels changed, in a copy of these beside the installed modules, which has the layout of a checkout.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import distributions
from pathlib import Path

import spectramind_kit
from spectramind_kit.errors import PackagingError
from spectramind_kit.files import files_below, sha256_of

PACKAGE = Path(spectramind_kit.__file__).parent
_DISTRIBUTION = "spectramind-kit"
_SHARE = "share/spectramind_kit/"
_MARK = "setup.cfg"
_OF_A_CHECKOUT = (_MARK, "build_dataset.py")
"""Beside the modules, in a checkout and in the source that travels with a dataset of wheels."""


def shipped_folder() -> Path:
    """Return the folder that holds kernels/, wheels/ and setup.cfg: the checkout, or where a wheel put them.

    Raises:
        PackagingError: if the kit was installed without them.
    """
    checkout = PACKAGE.parent
    if all((checkout / name).is_file() for name in _OF_A_CHECKOUT):
        return checkout
    # All of them: an environment may see another's, such as a checkout that is installed in place.
    for distribution in distributions(name=_DISTRIBUTION):
        for file in distribution.files or ():
            if file.as_posix().endswith(_SHARE + _MARK) and (place := Path(str(file.locate())).resolve()).is_file():
                return place.parent
    raise PackagingError(
        "kernels and targets of the kit",
        wanted=f"{_SHARE}{_MARK} beside the installed kit",
        got="none",
        remedy="install the kit from its wheel with pip, or work in a checkout",
    )


def writable_project(cache: Path) -> Path:
    """Return a folder with the layout of a checkout that may be written to: the checkout itself, or a copy.

    Args:
        cache: folder for the copy, which has its content in its name.
    """
    shipped = shipped_folder()
    if shipped == PACKAGE.parent:
        return shipped
    parts = {**_content(shipped, Path()), **_content(PACKAGE, Path(PACKAGE.name))}
    digest = hashlib.sha256("\n".join(f"{place} {sha256_of(file)}" for place, file in parts.items()).encode())
    project = cache / f"project-{spectramind_kit.__version__}-{digest.hexdigest()[:12]}"
    if not project.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            made = Path(temporary, "project")
            for place, file in parts.items():
                (made / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, made / place)
            os.replace(made, project)
    return project


def _content(folder: Path, below: Path) -> dict[str, Path]:
    """Return the files of a folder by their place in the project, in order."""
    found = {(below / place).as_posix(): file for place, file in files_below(folder).items()}
    return {place: found[place] for place in sorted(found) if "__pycache__" not in place}
