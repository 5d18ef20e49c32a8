"""Offline installation of the wheel dataset: seconds with pip and with uv, and the dataset's size.

    python benchmarks/install.py --dataset dist/spectramind-wheels [--target T] [--image exact] [--runs 3] [--json FILE]

Each run makes a fresh environment with what the image has (linked from the running one, or in the image's own versions,
which compiled wheels need) and runs the dataset's ``install.py`` in it as a notebook does. The best run counts; the
others tell how busy the machine was.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from uv import find_uv_bin

from spectramind_kit.config import load_config
from spectramind_kit.kaggle.rehearsal.exact_image import make_exact_image
from spectramind_kit.kaggle.rehearsal.image_environment import make_environment
from spectramind_kit.kaggle.wheels.cuda_build import default_cache
from spectramind_kit.kaggle.wheels.targets import Target, load_target
from spectramind_kit.kaggle.wheels.virtual_environment import VirtualEnvironment

SYSTEM_PATH = "/usr/bin:/bin"
WHEELS = Path(__file__).parents[1] / "wheels"


def main() -> None:
    """Measure, print a table, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--target", default=load_config([]).kaggle.target)
    parser.add_argument("--image", choices=["linked", "exact"], default="linked")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    dataset, target = options.dataset.resolve(), load_target(WHEELS, options.target)
    image = make_exact_image(target, default_cache()) if options.image == "exact" else None
    figures = {"megabytes": round(size_of(dataset) / 1e6, 2), "wheels": len(list(dataset.rglob("*.whl")))}
    for tool, path in {"pip": SYSTEM_PATH, "uv": f"{Path(find_uv_bin()).parent}:{SYSTEM_PATH}"}.items():
        figures[tool] = [install_seconds(dataset, target, image, tool, path) for _ in range(options.runs)]
    print(f"{dataset.name}: {figures['wheels']} wheels, {figures['megabytes']} MB")
    print(f"{'tool':<6}{'best [s]':>10}{'worst [s]':>11}")
    for tool in ("pip", "uv"):
        print(f"{tool:<6}{min(figures[tool]):>10.1f}{max(figures[tool]):>11.1f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def install_seconds(dataset: Path, target: Target, image: VirtualEnvironment | None, tool: str, path: str) -> float:
    """Install into a fresh environment and return the seconds that install.py states.

    Args:
        dataset: to be installed.
        target: whose image is stood for.
        image: an environment in its versions; None links what is here.
        tool: that must be used.
        path: where programs are looked for.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = make_environment(target, Path(folder, "venv"), image)
        command = [str(environment.python), str(dataset / "install.py")]
        variables = {"PATH": path, "HOME": folder, "LANG": os.environ.get("LANG", "C.UTF-8")}
        printed = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=True).stdout
    stated = re.search(r"in ([\d.]+) s \((\w+)\)", printed)
    if stated is None or stated[2] != tool:
        raise SystemExit(f"installed with another tool than {tool}:\n{printed}")
    return float(stated[1])


def size_of(folder: Path) -> int:
    """Return the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
