"""Start-up: seconds until the package, the help, the commands and a submission of stored planets are there.

    python benchmarks/startup.py [--runs 5] [--train 40] [--test 16] [--json FILE]

Every run is a fresh process; the median counts. CPU seconds (of its worker processes too) stand beside the wall clock,
because on a machine that others use they say what an idle one would need. ``submit`` runs on a simulated folder like
the demo's, in a work folder where every product is stored, without a network.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

IMPORTS = {
    "import spectramind_kit": "import spectramind_kit",
    "import of the commands": "import spectramind_kit.runs",
    "import of a worker": "import spectramind_kit.prediction.worker",
    "import of one that fits": "import spectramind_kit.prediction.worker, spectramind_kit.photometry.light_curves, "
    "spectramind_kit.fitting.posterior",
}
HEAVY = (
    "torch",
    "torch_geometric",
    "pytorch_lightning",
    "hydra",
    "numba",
    "scipy.optimize",
    "scipy.special",
    "matplotlib",
)


def main() -> None:
    """Measure, print a table, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--train", type=int, default=40, help="training planets of the simulated folder")
    parser.add_argument("--test", type=int, default=16, help="its test planets")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    spectramind = [sys.executable, "-m", "spectramind_kit"]
    commands = {name: [sys.executable, "-c", code] for name, code in IMPORTS.items()}
    commands["spectramind --help"] = [*spectramind, "--help"]
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        commands["submit, all stored"] = stored_submission(spectramind, Path(folder), options.train, options.test)
        print(f"{'median of ' + str(options.runs):<24}{'wall [s]':>10}{'CPU [s]':>10}")
        for name, command in commands.items():
            walls, cpus = zip(*(seconds(command) for _ in range(options.runs)), strict=True)
            figures |= {f"{name}, wall [s]": median(walls), f"{name}, CPU [s]": median(cpus)}
            print(f"{name:<24}{median(walls):>10.2f}{median(cpus):>10.2f}", flush=True)
    for name, code in IMPORTS.items():
        loaded = heavy_modules(code)
        figures[f"{name}, heavy modules"] = len(loaded)
        print(f"{name} loads {', '.join(loaded) or 'nothing heavy'}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def stored_submission(spectramind: list[str], folder: Path, n_train: int, n_test: int) -> list[str]:
    """Simulate a competition, train and submit once; return the command that submits it again from what is stored."""
    data, work = folder / "data", folder / "work"
    planets = ["--train", str(n_train), "--test", str(n_test)]
    subprocess.run([*spectramind, "simulate", "--out", str(data), *planets], check=True, capture_output=True)
    submit = [*spectramind, "submit", "--data", str(data), "--work", str(work), "model=none"]
    subprocess.run(submit, check=True, capture_output=True)
    return submit


def seconds(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall and CPU seconds, those of its own children included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def heavy_modules(code: str) -> list[str]:
    """Return which heavy modules are loaded after a piece of code."""
    code = f"{code}\nimport sys\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


if __name__ == "__main__":
    main()
