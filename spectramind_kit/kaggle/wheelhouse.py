"""Build the wheels of a target: ours from ``setup.cfg``, and those that the image lacks from its lock.

Built wheels lie in ``wheels/<target>/`` beside the record that made them, with ``built.json`` saying from which
inputs: as long as the inputs' hash stays, a second build takes what lies there. What the index has as source only
(antlr4 for Hydra) is built into a wheel, because Kaggle unpacks ``.tar.gz`` files that are uploaded.
"""

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.targets import LOCK_NAME, Pin, Target, read_lock
from spectramind_kit.kaggle.wheel_file import WheelContents, read_wheel, sha256_of

log = logging.getLogger(__name__)

BUILT_NAME = "built.json"
CONSTRAINTS_NAME = "build-constraints.txt"
PROJECT_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
FIRST_ZIP_DATE = "315532800"
"""1980-01-01, the oldest date a zip archive can hold: files get the same date in every build."""


@dataclass(frozen=True)
class Recipe:
    """How one wheel is made: ``make(folder)`` leaves it in the folder; ``key`` changes when its inputs do."""

    source: str
    key: str
    make: Callable[[Path], object]


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel of a target, as ``built.json`` records it.

    Attributes:
        file: its name in the target's folder.
        key: hash of the inputs it was made from.
        sha256: of the file.
        source: "project" or the index's file it came from, with that file's hash.
        original_name: the name its build gave it.
    """

    file: str
    key: str
    sha256: str
    source: str
    original_name: str


def build_wheels(target: Target, project: Path) -> list[BuiltWheel]:
    """Return every wheel of a target that needs no compiler, building what is not there yet.

    Args:
        project: the checkout that our own wheel is built from.

    Raises:
        PackagingError: if a wheel does not build, does not match its hash, or does not fit the target.
    """
    recipes = [project_recipe(project, target), *(locked_recipe(pin, target) for pin in read_lock(target))]
    there = {wheel.key: wheel for wheel in read_built(target)}
    built = []
    for recipe in recipes:
        wheel = there.get(recipe.key)
        if wheel is None or not _is_intact(wheel, target):
            wheel = _build(recipe, target)
        built.append(wheel)
        write_built(target, built)
    _remove_others(target, built)
    return built


def project_recipe(project: Path, target: Target) -> Recipe:
    """Our own wheel, built from a copy so that no ``build/`` or egg-info of the checkout gets in or is left behind."""
    files = [path for name in PROJECT_FILES if (path := project / name).is_file()]
    files += [path for path in sorted(project.glob("spectramind_kit/**/*")) if _is_source(path)]

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as copy:
            for path in files:
                place = Path(copy, path.relative_to(project))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)
            _pip_wheel([copy], folder, _constraints(target))

    return Recipe("project", _hash_of(f"{path.relative_to(project)} {sha256_of(path)}" for path in files), make)


def locked_recipe(pin: Pin, target: Target) -> Recipe:
    """A distribution of the lock: downloaded as a wheel for the target's Python, or built from its source."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            requirement = Path(temporary, "requirement.txt")
            requirement.write_text(pin.line() + "\n")
            locked = ["--require-hashes", "--requirement", str(requirement)]
            if pin.is_sdist:
                _pip_wheel([*locked, "--no-binary", pin.name], folder, _constraints(target))
            else:
                download(locked, target, folder)

    return Recipe(f"{pin.filename} sha256:{pin.sha256}", _hash_of([pin.line(), target.python]), make)


def download(arguments: Sequence[str], target: Target, folder: Path) -> None:
    """Download wheels that fit the target's Python and C library, whatever Python runs here."""
    minor = int(target.glibc.split(".")[1])
    platforms = [f"manylinux_2_{older}_x86_64" for older in range(minor, 16, -1)] + ["manylinux2014_x86_64"]
    fits = ["--python-version", target.python, "--implementation", "cp", "--only-binary", ":all:"]
    fits += [part for platform in platforms for part in ("--platform", platform)]
    run_pip(["download", "--no-deps", "--dest", str(folder), *fits, *arguments])


def make_lock(target: Target) -> list[Pin]:
    """Ask the index for the pins of a target's record and write their hashes into its lock.

    The file taken is a wheel that fits the target where there is one, else the source distribution.
    """
    pins = []
    for name, version in target.lacks.items():
        with tempfile.TemporaryDirectory() as temporary:
            try:
                download([f"{name}=={version}"], target, Path(temporary))
            except PackagingError:
                log.info("%s %s: no wheel on the index, taking its source", name, version)
                source = ["--no-deps", "--no-binary", name, "--dest", temporary, f"{name}=={version}"]
                run_pip(["download", *source], _constraints(target))
            file = next(Path(temporary).iterdir())
            pins.append(Pin(name, version, sha256_of(file), file.name))
    head = f"# What Kaggle's image lacks. Made by: build_dataset.py lock --target {target.name}\n"
    (target.folder / LOCK_NAME).write_text(head + "".join(f"{pin.line()}\n" for pin in pins))
    return pins


def run_pip(arguments: Sequence[str], constraints: Path | None = None) -> None:
    """Run pip of this Python; build environments that it makes keep to the constraints.

    Raises:
        PackagingError: with pip's last words, if it fails.
    """
    environment = {**os.environ, "SOURCE_DATE_EPOCH": FIRST_ZIP_DATE, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if constraints is not None and constraints.is_file():
        environment |= {"PIP_CONSTRAINT": str(constraints), "PIP_BUILD_CONSTRAINT": str(constraints)}
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise PackagingError(f"pip {' '.join(arguments)}", got=said, remedy="pip needs its index, or PIP_FIND_LINKS")


def read_built(target: Target) -> list[BuiltWheel]:
    """Return what ``built.json`` says was built for a target."""
    path = target.folder / BUILT_NAME
    return [BuiltWheel(**record) for record in json.loads(path.read_text())] if path.is_file() else []


def write_built(target: Target, wheels: Iterable[BuiltWheel]) -> None:
    """Record what was built."""
    records = [asdict(wheel) for wheel in wheels]
    (target.folder / BUILT_NAME).write_text(json.dumps(records, indent=1) + "\n")


def check_fit(path: Path, contents: WheelContents, target: Target) -> None:
    """Refuse a wheel whose tags do not fit the target, and a distribution that the image has.

    Raises:
        PackagingError: naming the wheel and the tag.
    """
    if contents.name.lower() in {name.lower() for name in target.image}:
        raise PackagingError(f"wheel {path.name}", wanted="nothing that the image has", got=contents.name)
    pythons = {python for tag in contents.tags for python in tag.split("-")[0].split(".")}
    fits = pythons & {target.python_tag, "py3"} if not contents.compiled else pythons & {target.python_tag}
    if not fits:
        raise PackagingError(f"wheel {path.name}", wanted=f"a wheel for {target.python_tag}", got=list(contents.tags))


def _build(recipe: Recipe, target: Target) -> BuiltWheel:
    """Make a wheel, check it and put it into the target's folder."""
    log.info("building %s for %s", recipe.source, target.name)
    with tempfile.TemporaryDirectory() as temporary:
        recipe.make(Path(temporary))
        wheels = list(Path(temporary).glob("*.whl"))
        if len(wheels) != 1:
            raise PackagingError(f"build of {recipe.source}", wanted="one wheel", got=[path.name for path in wheels])
        check_fit(wheels[0], read_wheel(wheels[0]), target)
        file = shutil.move(wheels[0], target.folder / wheels[0].name)
    return BuiltWheel(file.name, recipe.key, sha256_of(file), recipe.source, file.name)


def _pip_wheel(arguments: Sequence[str], folder: Path, constraints: Path) -> None:
    run_pip(["wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder), *arguments], constraints)


def _constraints(target: Target) -> Path:
    return target.folder.parent / CONSTRAINTS_NAME


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _is_intact(wheel: BuiltWheel, target: Target) -> bool:
    path = target.folder / wheel.file
    return path.is_file() and sha256_of(path) == wheel.sha256


def _remove_others(target: Target, wheels: Iterable[BuiltWheel]) -> None:
    """Delete wheels of earlier inputs, so that a dataset never carries two versions."""
    keep = {wheel.file for wheel in wheels}
    for path in target.folder.glob("*.whl"):
        if path.name not in keep:
            path.unlink()


def _hash_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
