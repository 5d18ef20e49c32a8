"""Build the wheels of a target: ours from ``setup.cfg``, and those that the image lacks from its lock.

Built wheels lie in ``wheels/<target>/`` beside the record that made them, with ``built.json`` naming from which
inputs: as long as the inputs' hash stays, a second build takes what lies there. What the index has as source only
(antlr4 for Hydra) is built into a wheel, because Kaggle unpacks ``.tar.gz`` files that are uploaded. A local version
is taken out of a wheel, because Kaggle drops the "+" of its name.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.wheels.cuda_build import CudaBuild, compile_wheel
from spectramind_kit.kaggle.wheels.machine_code import LibraryFacts
from spectramind_kit.kaggle.wheels.package_index import build_constraints, build_wheel, download
from spectramind_kit.kaggle.wheels.repack import without_local_version
from spectramind_kit.kaggle.wheels.targets import Pin, Target, read_lock
from spectramind_kit.kaggle.wheels.wheel_file import WheelContents, read_wheel

log = logging.getLogger(__name__)

BUILT_NAME = "built.json"
PROJECT_FILES = ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Recipe:
    """How one wheel is made.

    Attributes:
        source: "project", or the index's file with its hash.
        key: hash of the inputs; changes when they do.
        make: leaves the wheel in a folder and returns the facts of its compiled libraries.
    """

    source: str
    key: str
    make: Callable[[Path], Sequence[LibraryFacts]]


@dataclass(frozen=True)
class BuiltWheel:
    """A wheel of a target, as ``built.json`` records it.

    Attributes:
        file: its name in the target's folder.
        key: hash of the inputs it was made from.
        sha256: of the file.
        source: "project" or the index's file it came from, with that file's hash.
        original_name: the name its build gave it.
        architectures: what its GPU code is for; empty without GPU code.
        needed: shared libraries that its own ones ask for.
    """

    file: str
    key: str
    sha256: str
    source: str
    original_name: str
    architectures: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


def build_wheels(target: Target, project: Path | None, cuda: CudaBuild | None = None) -> list[BuiltWheel]:
    """Return the wheels of a target, building what is not there yet.

    Args:
        target: the image generation.
        project: the checkout that our own wheel is built from; None leaves it out.
        cuda: how compiled wheels are made; None leaves them out, and leaves those in the store alone.

    Raises:
        PackagingError: if a wheel does not build, does not match its hash, or does not fit the target.
    """
    pins = read_lock(target)
    ours = [project_recipe(project, target)] if project else []
    plain = ours + [locked_recipe(pin, target) for pin in pins if pin.name in target.lacks]
    compiled = [compiled_recipe(pin, target, cuda) for pin in pins if pin.name in target.compiled]
    store = {wheel.key: wheel for wheel in read_built(target) if _is_intact(wheel, target)}
    wanted = plain + (compiled if cuda else [])
    for recipe in wanted:
        if recipe.key not in store:
            wheel = _build(recipe, target)
            store = {key: other for key, other in store.items() if other.file != wheel.file}
            store[recipe.key] = wheel
            write_built(target, store.values())
    current = [store[recipe.key] for recipe in plain + compiled if recipe.key in store]
    write_built(target, current)
    _remove_others(target, current)
    return [store[recipe.key] for recipe in wanted]


def project_recipe(project: Path, target: Target) -> Recipe:
    """Our own wheel, built from a copy so that no ``build/`` or egg-info of the checkout gets in or is left behind."""
    files = [path for name in PROJECT_FILES if (path := project / name).is_file()]
    files += [path for path in sorted(project.glob("spectramind_kit/**/*")) if _is_source(path)]

    def make(folder: Path) -> Sequence[LibraryFacts]:
        with tempfile.TemporaryDirectory() as copy:
            for path in files:
                place = Path(copy, path.relative_to(project))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)
            build_wheel([copy], folder, build_constraints(target))
        return ()

    return Recipe("project", _hash_of(f"{path.relative_to(project)} {sha256_of(path)}" for path in files), make)


def locked_recipe(pin: Pin, target: Target) -> Recipe:
    """A distribution of the lock: downloaded as a wheel for the target's Python, or built from its source."""

    def make(folder: Path) -> Sequence[LibraryFacts]:
        with tempfile.TemporaryDirectory() as temporary:
            requirement = Path(temporary, "requirement.txt")
            requirement.write_text(pin.line() + "\n")
            locked = ["--require-hashes", "--requirement", str(requirement)]
            if pin.is_sdist:
                build_wheel([*locked, "--no-binary", pin.name], folder, build_constraints(target))
            else:
                download(locked, target, folder)
        return ()

    return Recipe(f"{pin.filename} sha256:{pin.sha256}", _hash_of([pin.line(), target.python]), make)


def compiled_recipe(pin: Pin, target: Target, cuda: CudaBuild | None) -> Recipe:
    """A distribution of the lock that is compiled for the target's Python, torch, CUDA and GPUs."""

    def make(folder: Path) -> Sequence[LibraryFacts]:
        if cuda is None:  # the recipe then only names what the store may hold
            raise PackagingError(f"{pin.filename} for {target.name}", wanted="a compiler", got="none")
        return compile_wheel(pin, target, cuda, build_constraints(target), folder)

    inputs = [pin.line(), target.python, target.image["torch"], target.cuda, *target.architectures]
    return Recipe(f"{pin.filename} sha256:{pin.sha256}", _hash_of(inputs), make)


def read_built(target: Target) -> list[BuiltWheel]:
    """Return what was built for a target, from ``built.json``."""
    path = target.folder / BUILT_NAME
    records: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return [
        BuiltWheel(**{**each, "architectures": tuple(each["architectures"]), "needed": tuple(each["needed"])})
        for each in records
    ]


def write_built(target: Target, wheels: Iterable[BuiltWheel]) -> None:
    """Record what was built."""
    records = [asdict(wheel) for wheel in wheels]
    (target.folder / BUILT_NAME).write_text(json.dumps(records, indent=1) + "\n")


def check_fit(path: Path, contents: WheelContents, target: Target) -> None:
    """Refuse a wheel whose tags do not fit the target, and a distribution that the image has.

    Raises:
        PackagingError: naming the wheel and the tag.
    """
    if canonicalize_name(contents.name) in {canonicalize_name(name) for name in target.image}:
        raise PackagingError(f"wheel {path.name}", wanted="nothing that the image has", got=contents.name)
    pythons = {python for tag in contents.tags for python in tag.split("-")[0].split(".")}
    fits = pythons & {target.python_tag, "py3"} if not contents.compiled else pythons & {target.python_tag}
    if not fits:
        raise PackagingError(f"wheel {path.name}", wanted=f"a wheel for {target.python_tag}", got=list(contents.tags))


def _build(recipe: Recipe, target: Target) -> BuiltWheel:
    """Make a wheel, check it and put it into the target's folder."""
    log.info("building %s for %s", recipe.source, target.name)
    with tempfile.TemporaryDirectory() as temporary:
        libraries = recipe.make(Path(temporary))
        wheels = list(Path(temporary).glob("*.whl"))
        if len(wheels) != 1:
            raise PackagingError(f"build of {recipe.source}", wanted="one wheel", got=[path.name for path in wheels])
        check_fit(wheels[0], read_wheel(wheels[0]), target)
        original, wheel = wheels[0].name, without_local_version(wheels[0])
        file = target.folder / wheel.name
        shutil.move(wheel, file)
    architectures = tuple(sorted({name for library in libraries for name in library.architectures}))
    needed = tuple(sorted({name for library in libraries for name in library.needed}))
    return BuiltWheel(file.name, recipe.key, sha256_of(file), recipe.source, original, architectures, needed)


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _is_intact(wheel: BuiltWheel, target: Target) -> bool:
    path = target.folder / wheel.file
    return path.is_file() and sha256_of(path) == wheel.sha256


def _remove_others(target: Target, wheels: Iterable[BuiltWheel]) -> None:
    """Delete wheels of earlier inputs, so that a dataset never carries two versions."""
    current = {wheel.file for wheel in wheels}
    for path in target.folder.glob("*.whl"):
        if path.name not in current:
            path.unlink()


def _hash_of(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
