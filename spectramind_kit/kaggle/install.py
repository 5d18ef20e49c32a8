"""Install this dataset's wheels into the running Python, without network. Plain Python: needs nothing but itself.

It travels with the wheels (it lies beside ``manifest.json``) and runs before anything of the kit is there:

    runpy.run_path(".../install.py")["install"]()

It finds its own folder, takes the wheels made for this Python, torch and CUDA, checks their SHA-256, installs them in
one call of uv or pip that may touch neither the index nor any dependency (``--no-deps`` is what protects the image's
torch, numpy and protobuf), imports them in another process and prints what became of each.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

FORMAT = "spectramind wheel dataset, 1"
INPUT_ROOT_VARIABLE = "KAGGLE_INPUT_ROOT"


class InstallError(RuntimeError):
    """The dataset is incomplete or altered, or its wheels do not install or import."""


def install(folder=None):
    """Install what fits, print a table, and return it.

    Args:
        folder: the dataset; where None, the folder of this file, or else the one found under the input root.

    Returns:
        list of (name, version, outcome), one row a wheel.

    Raises:
        InstallError: if a wheel is missing or altered, or a wheel without compiled code fails to install or import.
    """
    start = time.perf_counter()
    folder, manifest = find_dataset(folder)
    target, wheels, reasons = choose_target(manifest, session_facts())
    rows, wanted = [], []
    for wheel in wheels:
        verify(folder, wheel)
        reason = skip_reason(wheel, reasons)
        rows.append((wheel["name"], wheel["version"], "skipped: " + reason if reason else "installed"))
        wanted += [] if reason else [wheel]
    tool = run_installer([folder / wheel["path"] for wheel in wanted]) if wanted else "nothing to do"
    check_imports([name for wheel in wanted for name in wheel["imports"]])
    print_table(target, rows)
    compiled = any(wheel["architectures"] for wheel in wheels)
    if reasons or not compiled:
        print("no CUDA wheel fits:", "; ".join(reasons) or "this dataset holds none", "- going on without")
    print(f"{len(wanted)} wheels in {time.perf_counter() - start:.1f} s ({tool})")
    return rows


def find_dataset(folder=None):
    """Return the dataset's folder and its manifest, found by the manifest's content under any mount layout."""
    places = [Path(folder)] if folder else [Path(__file__).resolve().parent]
    root = Path(os.environ.get(INPUT_ROOT_VARIABLE, "/kaggle/input"))
    for depth in () if folder else range(1, 5):
        places += sorted(path.parent for path in root.glob("*/" * depth + "manifest.json"))
    for place in places:
        path = place / "manifest.json"
        manifest = json.loads(path.read_text()) if path.is_file() else {}
        if manifest.get("format") == FORMAT:
            return place, manifest
    raise InstallError(f"no manifest.json of a wheel dataset in {[str(place) for place in places]}; attach the dataset")


def session_facts():
    """Return what compiled wheels depend on: Python, torch, CUDA and C library; None where it is not there.

    torch is not imported: its ``version.py`` tells, in milliseconds, and stays replaceable.
    """
    torch = {}
    try:
        where = importlib.metadata.distribution("torch").locate_file("torch/version.py")
        exec(Path(where).read_text(), torch)
    except (importlib.metadata.PackageNotFoundError, OSError):
        pass
    return {
        "python": "{}.{}".format(*sys.version_info),
        "torch": ".".join(torch["__version__"].split(".")[:2]) if "__version__" in torch else None,
        "cuda": torch.get("cuda"),
        "glibc": platform.libc_ver()[1] or None,
    }


def misfits(target, session):
    """Return why compiled wheels of a target would not run in a session; empty if they would.

    Python and torch must agree in their minor version, CUDA in its major one, and the session's C library must not
    be older than the target's.
    """
    reasons = []
    for key, parts in (("python", 2), ("torch", 2), ("cuda", 1)):
        wanted, got = target[key], session.get(key)
        if got is None or _version(got)[:parts] != _version(wanted)[:parts]:
            reasons.append(f"made for {key} {wanted}, here is {got or 'none'}")
    if session.get("glibc") and _version(session["glibc"]) < _version(target["glibc"]):
        reasons.append(f"made for glibc {target['glibc']}, here is {session['glibc']}")
    return reasons


def choose_target(manifest, session):
    """Return the name of the target that fits best, its wheels, and why its compiled wheels do not fit."""
    if not manifest["targets"] or not manifest["wheels"]:
        raise InstallError("the dataset's manifest lists no wheel; build it again")
    reasons = {name: misfits(facts, session) for name, facts in manifest["targets"].items()}
    target = min(reasons, key=lambda name: len(reasons[name]))
    return target, [wheel for wheel in manifest["wheels"] if wheel["target"] == target], reasons[target]


def skip_reason(wheel, reasons):
    """Return why a wheel is not installed: it does not fit, or the same version is there already; "" if it is.

    The kit's own wheel is always installed: its version does not change with every change of its source.
    """
    if wheel["compiled"] and reasons:
        return reasons[0]
    try:
        there = importlib.metadata.version(wheel["name"])
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "already here" if there == wheel["version"] and wheel["source"] != "project" else ""


def verify(folder, wheel):
    """Refuse a wheel that is missing or whose bytes are not those the manifest was made with."""
    path = Path(folder) / wheel["path"]
    if not path.is_file():
        raise InstallError(f"{path} is missing; upload the dataset again, with `-r zip`, so that folders travel")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != wheel["sha256"]:
        raise InstallError(f"{path} was altered: SHA-256 {digest}, the manifest says {wheel['sha256']}")


def run_installer(paths):
    """Install wheel files with uv if it is there, else with pip; return which."""
    uv = shutil.which("uv")
    common = ["--no-index", "--no-deps"]
    outside = ["--break-system-packages"] if sys.prefix == sys.base_prefix else []
    pip = [sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-warn-script-location"]
    commands = {"pip": [*pip, "--disable-pip-version-check", "--root-user-action=ignore", *common, *outside]}
    if uv:
        commands = {
            "uv": [uv, "pip", "install", "--python", sys.executable, "--reinstall", *common, *outside],
            **commands,
        }
    # A user's pip configuration (indexes, constraints, required virtual environments) has no say here.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environment["PIP_CONFIG_FILE"] = os.devnull
    said = []
    for tool, command in commands.items():
        done = subprocess.run([*command, *map(str, paths)], env=environment, capture_output=True, text=True)
        if done.returncode == 0:
            return tool
        said.append(f"{tool}: {(done.stderr or done.stdout).strip()[-2000:]}")
    raise InstallError("the wheels do not install\n" + "\n".join(said))


def check_imports(names):
    """Import modules in a process of their own, so that a broken one is seen here and not in the middle of a run."""
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, cwd=os.sep)
    if done.returncode:
        raise InstallError(f"installed, but `import {', '.join(names)}` fails:\n{done.stderr.strip()[-2000:]}")


def print_table(target, rows):
    """Print what became of each wheel."""
    session = "{python}, torch {torch}, CUDA {cuda}".format(**session_facts())
    print(f"wheels of target {target} on Python {session}")
    for name, version, outcome in rows:
        print(f"  {name:<28} {version:<14} {outcome}")


def _version(text):
    return tuple(int(part) for part in text.split(".")[:2])


if __name__ == "__main__":
    install(*sys.argv[1:2])
