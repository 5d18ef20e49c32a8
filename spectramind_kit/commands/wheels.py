"""Build the wheel dataset for Kaggle: ``spectramind wheels ...``, or ``python build_dataset.py ...`` in a checkout.

COMMAND targets                                            image generations, and whether one is this machine's
COMMAND build --target T [--target T2] [--out dist/<dataset>] [kaggle.owner=me]
    --cuda-home DIR                 compile mamba-ssm and causal-conv1d with this CUDA toolkit (default: $CUDA_HOME)
    --toolchain pypi                compile them with the package index's nvcc (targets of CUDA 13)
    --toolchain debian --accept-licence    compile them with Debian's nvcc 12.4, component non-free (targets of CUDA 12)
    --without-cuda                  leave them out
    --package NAME==VERSION         this package in the kit's place: anybody's CUDA extension, with the same checks
    --hub-kernel DIR                take along Hugging Face's kernel mamba-ssm, downloaded to this folder
COMMAND lock --target T                                    hash the versions that the target's record pins
    --freeze FILE                   its image's versions instead, from the `pip freeze` of a session or of its base
COMMAND image --target T [--tests]                         make the image's environment, or one for the tests
COMMAND notebooks [--folder KERNEL]                        kernels' notebooks from their reviewed sources
"""

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import typer

from spectramind_kit.config import load_config
from spectramind_kit.environment import provide_home
from spectramind_kit.errors import PackagingError, SpectraMindError
from spectramind_kit.kaggle.rehearsal import exact_image
from spectramind_kit.kaggle.rules import kernel, shipped
from spectramind_kit.kaggle.wheels import (
    chosen_packages,
    cuda_build,
    dataset,
    debian_toolkit,
    image_lock,
    package_index,
    targets,
    wheelhouse,
)

PROGRAM = "spectramind wheels"


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Run a sub-command; return 0, or 1 after one clear message.

    Args:
        arguments: of the command line; those of this process if not given.
        program: that was called.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    provide_home()
    options = parse(arguments, program)
    try:
        options.run(options)
    except SpectraMindError as error:
        typer.echo(f"error: {error}", err=True)
        return 1
    return 0


@lru_cache(maxsize=1)
def project() -> Path:
    """Return the checkout, or what an installed kit carries, put together in the user's cache."""
    return shipped.writable_project(cuda_build.default_cache())


def parse(arguments: Sequence[str] | None, program: str = PROGRAM) -> argparse.Namespace:
    """Read the command line.

    Args:
        arguments: as in ``main``.
        program: likewise.
    """
    description = (__doc__ or "").replace("COMMAND", program)
    parser = argparse.ArgumentParser(
        prog=program, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("targets", help="list the targets").set_defaults(run=show_targets)
    build = commands.add_parser("build", help="build wheels and lay out the dataset")
    build.set_defaults(run=build_dataset)
    build.add_argument("--target", action="append", help="target name; may be repeated (default: kaggle.target)")
    add_compiler_options(build)
    build.add_argument("--package", action="append", metavar="NAME==VERSION", help="only this; may be repeated")
    build.add_argument("--hub-kernel", type=Path, metavar="DIR", help="the hub's kernel mamba-ssm, to take along")
    build.add_argument("--out", type=Path, help="folder to write (default: dist/<dataset>)")
    build.add_argument("overrides", nargs="*", help="configuration, such as kaggle.owner=me")
    lock = commands.add_parser("lock", help="hash the pinned versions of a target (needs the package index)")
    lock.set_defaults(run=write_lock)
    lock.add_argument("--target", required=True)
    lock.add_argument("--freeze", type=Path, metavar="FILE", help="write image.lock from this `pip freeze`")
    image = commands.add_parser("image", help="make an environment in the image's versions, and print its Python")
    image.set_defaults(run=make_image)
    image.add_argument("--target", required=True)
    image.add_argument("--tests", action="store_true", help="one over it that the checkout's tests run in")
    image.add_argument("--python", type=Path, help="an interpreter of the target's Python (default: look for one)")
    image.add_argument("--cache", type=Path, default=cuda_build.default_cache(), help="folder of build trees")
    notebooks = commands.add_parser("notebooks", help="generate the kernels' notebooks")
    notebooks.set_defaults(run=write_notebooks)
    notebooks.add_argument("--folder", type=Path, action="append", help="of a kernel; may be repeated (default: all)")
    return parser.parse_args(arguments)


def add_compiler_options(build: argparse.ArgumentParser) -> None:
    """Add what chooses the compiler of the CUDA wheels."""
    choice = build.add_mutually_exclusive_group()
    choice.add_argument("--without-cuda", action="store_true", help="only wheels without compiled code")
    choice.add_argument("--cuda-home", type=Path, default=os.environ.get("CUDA_HOME"), help="a CUDA toolkit")
    choice.add_argument("--toolchain", choices=["pypi", "debian"], help="put the compiler together from there")
    build.add_argument("--accept-licence", action="store_true", help="NVIDIA's, for --toolchain debian")
    build.add_argument("--python", type=Path, help="an interpreter of the target's Python (default: look for one)")
    build.add_argument("--jobs", type=int, default=0, help="files compiled at a time (default: one a core)")
    build.add_argument("--cache", type=Path, default=cuda_build.default_cache(), help="folder of build trees")


def cuda_options(options: argparse.Namespace, chosen: Sequence[targets.Target]) -> cuda_build.CudaBuild | None:
    """Return how compiled wheels of targets are made; None if they are not wanted.

    Raises:
        PackagingError: if no option chooses, or the compiler cannot be put together.
    """
    if options.without_cuda:
        return None
    if not (options.toolchain or options.cuda_home):
        wanted = "one of --cuda-home DIR, --toolchain pypi, --toolchain debian, --without-cuda"
        raise PackagingError("compiler of the CUDA wheels", wanted=wanted, got="none, and CUDA_HOME is not set")
    cache = options.cache.resolve()
    if options.toolchain == "debian":
        for target in chosen:
            debian_toolkit.check_target(target)
        home = debian_toolkit.make_toolkit(cache, options.accept_licence)
    else:
        home = None if options.toolchain else Path(options.cuda_home).resolve()
    return cuda_build.CudaBuild(cache, home, options.python, options.jobs)


def show_targets(options: argparse.Namespace) -> None:
    """Print every target and whether its compiled wheels would run here."""
    for name in targets.target_names(project() / "wheels"):
        target = targets.load_target(project() / "wheels", name)
        problems = "; ".join(targets.incompatibilities(target)) or "matches this environment"
        typer.echo(f"{name}: {', '.join(target.architectures)}: {problems}")


def build_dataset(options: argparse.Namespace) -> None:
    """Build the wheels of the targets and lay out the dataset."""
    config = load_config(options.overrides).kaggle
    chosen = [targets.load_target(project() / "wheels", name) for name in options.target or [config.target]]
    cuda, packages = cuda_options(options, chosen), chosen_packages.parse_packages(options.package or [])
    ours = None if packages else project()
    if packages:
        compiled, cache = cuda is not None, options.cache.resolve()
        chosen = [chosen_packages.target_of(packages, target, cache, compiled) for target in chosen]
        if not any(override.startswith("kaggle.dataset=") for override in options.overrides):
            config = dataclasses.replace(config, dataset=chosen_packages.dataset_slug(packages))
    wheels = {target.name: wheelhouse.build_wheels(target, ours, cuda) for target in chosen}
    # In the checkout as ever; beside what an installed kit put together in the cache nobody would look for it.
    beside = project() if project() == shipped.PACKAGE.parent else Path()
    out = options.out or beside / "dist" / config.dataset
    manifest = dataset.write_dataset(wheels, chosen, out, config, ours, options.hub_kernel)
    for wheel in manifest["wheels"]:
        typer.echo(f"{wheel['path']}  {wheel['size'] / 1e6:.2f} MB  {wheel['licence']}")
    typer.echo(
        f"{out}: {sum(wheel['size'] for wheel in manifest['wheels']) / 1e6:.1f} MB in {len(manifest['wheels'])} wheels"
    )


def write_lock(options: argparse.Namespace) -> None:
    """Write a target's lock, or the one of its image."""
    target = targets.load_target(project() / "wheels", options.target)
    if options.freeze:
        typer.echo("\n".join(image_lock.pin_lines(image_lock.make_image_lock(target, options.freeze))))
    else:
        typer.echo("\n".join(pin.line() for pin in package_index.make_lock(target)))


def make_image(options: argparse.Namespace) -> None:
    """Make an environment in a target's image's versions, where it is not there yet, and print its Python."""
    target, cache = targets.load_target(project() / "wheels", options.target), options.cache.resolve()
    if options.tests:
        environment = exact_image.make_test_environment(target, cache, project().resolve(), options.python)
    else:
        environment = exact_image.make_exact_image(target, cache, options.python)
    typer.echo(environment.python)


def write_notebooks(options: argparse.Namespace) -> None:
    """Generate the notebooks of some kernels, or of all of the kit's."""
    for folder in options.folder or sorted((project() / "kernels").iterdir()):
        typer.echo(kernel.write_notebook(folder))
