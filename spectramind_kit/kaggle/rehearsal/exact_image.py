"""An environment in the very versions of a target's image: its Python, its torch, all that its lock names.

It is made once, in the cache of the wheels' build trees, and reused as long as the lock stays; nothing runs in it but
through links, so nothing changes it. Another one over it, with the kit and its tests' tools, is what the test suite
runs in: what fails there fails on Kaggle.
"""

import hashlib
import logging
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.kaggle.wheels.build_environment import find_python, torch_facts
from spectramind_kit.kaggle.wheels.image_lock import parse_pins, pin_lines, read_image_lock, run_uv
from spectramind_kit.kaggle.wheels.targets import Target
from spectramind_kit.kaggle.wheels.virtual_environment import VirtualEnvironment

log = logging.getLogger(__name__)

READY_NAME = "ready"
TEST_PINS = "requirements-dev.txt"


def make_exact_image(target: Target, cache: Path, python: Path | None = None) -> VirtualEnvironment:
    """Return the environment of an image, making it where it is not there yet.

    Args:
        target: the image generation.
        cache: folder of build trees.
        python: an interpreter of the target's Python; None looks for one.

    Raises:
        PackagingError: if the target has no ``image.lock``, there is no such Python, a version cannot be had, or torch
            is another build than the target's.
    """
    pins = read_image_lock(target)
    image = VirtualEnvironment(cache / target.name / f"image-{_key(target, pins)}")
    if not (image.folder / READY_NAME).is_file():
        log.info("making the image %s, %d distributions, in %s", target.name, len(pins), image.folder)
        _make(image, find_python(target.python, python))
        _install(image, pin_lines(pins))
        if problems := install.incompatibilities(target.facts(), torch_facts(image)):
            remedy = "the index has this torch for another CUDA: name another one, UV_EXTRA_INDEX_URL"
            got = "; ".join(problems)
            raise PackagingError(f"image {target.name}", wanted=target.facts(), got=got, remedy=remedy)
        (image.folder / READY_NAME).write_text("")
    return image


def make_test_environment(target: Target, cache: Path, project: Path, python: Path | None = None) -> VirtualEnvironment:
    """Return an environment over an image's in which a checkout's tests run.

    It holds the checkout itself, what the target says the image lacks, and of the tools that the checkout is developed
    with those that the image has not.

    Args:
        target: the image generation.
        cache: folder of build trees.
        project: the checkout.
        python: an interpreter of the target's Python; None looks for one.

    Raises:
        PackagingError: as for the image.
    """
    image, pins = make_exact_image(target, cache, python), read_image_lock(target)
    tools = parse_pins((project / TEST_PINS).read_text())
    more = {name: version for name, version in {**tools, **target.lacks}.items() if name not in pins}
    tests = VirtualEnvironment(image.folder.with_name(f"tests-{_key(target, {**pins, **more})}"))
    if not (tests.folder / READY_NAME).is_file():
        log.info("making the environment of the tests over it, %d distributions, in %s", len(more), tests.folder)
        _make(tests, image.python)
        # As a site's own folder: its .pth files hold, too, such as the one that brings distutils back.
        (tests.site_packages / "image.pth").write_text(f"import site; site.addsitedir({str(image.site_packages)!r})\n")
        if (image.folder / "share").is_dir():
            (tests.folder / "share").symlink_to(image.folder / "share")  # nbconvert's templates lie there
        _install(tests, pin_lines(more))
        (tests.folder / READY_NAME).write_text("")
    _install(tests, ["--no-build-isolation", "--editable", str(project)])
    return tests


def _make(environment: VirtualEnvironment, python: Path) -> None:
    """Make a bare environment, anew where an interrupted run left one."""
    command = [str(python), "-m", "venv", "--clear", "--without-pip", str(environment.folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise PackagingError(f"environment {environment.folder}", wanted=f"made by {python}", got=done.stderr[-500:])


def _install(environment: VirtualEnvironment, wanted: Sequence[str]) -> None:
    run_uv(["pip", "install", "--python", str(environment.python), "--no-deps", *wanted])


def _key(target: Target, pins: Mapping[str, str]) -> str:
    return hashlib.sha256("\n".join([target.python, *pin_lines(pins)]).encode()).hexdigest()[:12]
