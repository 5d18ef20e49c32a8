"""Build the wheel dataset for Kaggle.

build_dataset.py targets                                            image generations, and whether one is this machine's
build_dataset.py build --target T [--target T2] --without-cuda [--out dist/<dataset>] [kaggle.owner=me]
build_dataset.py lock --target T                                    hash the versions that the target's record pins
build_dataset.py notebooks                                          kernels/*/*.ipynb from their reviewed sources
"""

import argparse
import logging
import sys
from pathlib import Path

from spectramind_kit.config import load_config
from spectramind_kit.errors import SpectraMindError
from spectramind_kit.kaggle import dataset, kernel, targets, wheelhouse

PROJECT = Path(__file__).parent
WHEELS = PROJECT / "wheels"


def main(arguments: list[str] | None = None) -> int:
    """Run a sub-command; return 0, or 1 after one clear message."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = parse(arguments)
    try:
        options.run(options)
    except SpectraMindError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("targets", help="list the targets").set_defaults(run=show_targets)
    build = commands.add_parser("build", help="build wheels and lay out the dataset")
    build.set_defaults(run=build_dataset)
    build.add_argument("--target", action="append", help="target name; may be repeated (default: kaggle.target)")
    build.add_argument("--without-cuda", action="store_true", required=True, help="only wheels without compiled code")
    build.add_argument("--out", type=Path, help="folder to write (default: dist/<dataset>)")
    build.add_argument("overrides", nargs="*", help="configuration, such as kaggle.owner=me")
    lock = commands.add_parser("lock", help="hash the pinned versions of a target (needs the package index)")
    lock.set_defaults(run=write_lock)
    lock.add_argument("--target", required=True)
    commands.add_parser("notebooks", help="generate the kernels' notebooks").set_defaults(run=write_notebooks)
    return parser.parse_args(arguments)


def show_targets(options: argparse.Namespace) -> None:
    """Print every target and whether its compiled wheels would run here."""
    for name in targets.target_names(WHEELS):
        target = targets.load_target(WHEELS, name)
        reasons = "; ".join(targets.misfits(target)) or "matches this environment"
        print(f"{name}: {', '.join(target.architectures)}: {reasons}")


def build_dataset(options: argparse.Namespace) -> None:
    """Build the wheels of the targets and lay out the dataset."""
    config = load_config(options.overrides).kaggle
    chosen = [targets.load_target(WHEELS, name) for name in options.target or [config.target]]
    wheels = {target.name: wheelhouse.build_wheels(target, PROJECT) for target in chosen}
    out = options.out or PROJECT / "dist" / config.dataset
    manifest = dataset.write_dataset(wheels, chosen, out, config)
    for wheel in manifest["wheels"]:
        print(f"{wheel['path']}  {wheel['size'] / 1e6:.2f} MB  {wheel['licence']}")
    print(
        f"{out}: {sum(wheel['size'] for wheel in manifest['wheels']) / 1e6:.1f} MB in {len(manifest['wheels'])} wheels"
    )


def write_lock(options: argparse.Namespace) -> None:
    """Write a target's lock."""
    for pin in wheelhouse.make_lock(targets.load_target(WHEELS, options.target)):
        print(pin.line())


def write_notebooks(options: argparse.Namespace) -> None:
    """Generate every kernel's notebook."""
    for folder in sorted((PROJECT / "kernels").iterdir()):
        print(kernel.write_notebook(folder))


if __name__ == "__main__":
    sys.exit(main())
