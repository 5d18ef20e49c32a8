"""Install this dataset's wheels into the running Python, without network. Plain Python: needs nothing but itself.

It travels with the wheels (it lies beside ``manifest.json``) and runs before anything of the kit is there:

    runpy.run_path(".../install.py")["install"]()

It finds its own folder, takes the wheels made for this Python, torch, CUDA and C++ ABI, checks their SHA-256, installs
them in one call of uv or pip that may touch neither the index nor any dependency (``--no-deps`` is what protects the
image's torch, numpy and protobuf), imports them in another process, has the kit try a real selective scan where there
is a GPU, and prints what became of each.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMAT = "spectramind wheel dataset, 1"
INPUT_ROOT_VARIABLE = "KAGGLE_INPUT_ROOT"
"""As in ``kaggle.rules.session_folders``, which cannot be imported before the kit is installed."""
PROTECTED = ("torch", "triton", "numpy", "protobuf", "setuptools", "pip")
"""What no dataset may bring: the image's own are built for each other."""
CXX11_SYMBOL = b"torchCheckFailEPKcS2_jRKNSt7__cxx11"
"""Part of a symbol of torch's core library if it was built with the C++11 ABI (GCC, "Dual ABI")."""
SCAN_MODULE = "spectramind_kit.networks.scan_in_use"
"""The part of the kit that tries the scans on the device; run, it prints name and reason in JSON."""

KERNEL_VARIABLE = "LOCAL_KERNELS"
"""As in ``hub_kernel``: where the kit looks for a kernel of Hugging Face's hub."""
KERNEL = "mamba-ssm"
MANY_FOLDERS = 60
"""A folder with more of them holds data, and is not searched for what is attached."""

INSTALL_SECONDS = 900
"""How long one installer may take [s]; it takes 10 where nothing is wrong."""
CHECK_SECONDS = 300
"""How long a check in another process may take [s]: torch alone loads for a minute on a busy machine."""

# Modules are run up to their first use of torch, which belongs to the image and takes longer than all else together.
IMPORT_CHECK = """
import importlib, sys
class TorchAsked(BaseException): pass
class StopAtTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch": raise TorchAsked(name)
sys.meta_path.insert(0, StopAtTorch())
for name in sys.argv[1:]:
    try: importlib.import_module(name)
    except TorchAsked: pass
"""
# Machine code is loaded for real: that is where a wrong torch or ABI shows.
EXTENSION_CHECK = "import importlib, sys, torch\nfor name in sys.argv[1:]: importlib.import_module(name)"


class InstallError(RuntimeError):
    """The dataset is incomplete or altered, or its wheels do not install or import."""


def install(folder=None):
    """Install what fits, print a table, and return it.

    Args:
        folder: the dataset; where None, the folder of this file, or else the one found under the input root.

    Returns:
        list of (name, version, outcome), one row a wheel.

    Raises:
        InstallError: if a wheel is missing or altered, or one without compiled code fails to install or import. One
            with compiled code that does not load is reported, and the session goes on without it.
    """
    start = time.perf_counter()
    folder, manifest = find_dataset(folder)
    target, wheels, problems = choose_target(manifest, session_facts())
    skipped = {wheel["path"]: skip_reason(wheel, problems) for wheel in wheels}
    wanted = [wheel for wheel in wheels if not skipped[wheel["path"]]]
    with tempfile.TemporaryDirectory() as temporary:
        paths = [with_its_name(find_wheel(folder, wheel), wheel, temporary) for wheel in wheels]
        chosen = [path for path, wheel in zip(paths, wheels) if wheel in wanted]
        tool = run_installer(chosen) if chosen else "nothing to do"
    check_imports([name for wheel in wanted if not wheel["compiled"] for name in wheel["imports"]])
    broken = extension_errors([wheel for wheel in wanted if wheel["extensions"]])
    rows = [(wheel["name"], wheel["version"], outcome(wheel, skipped, broken)) for wheel in wheels]
    print_table(target, rows)
    if problems or not any(wheel["compiled"] for wheel in wheels):
        say("no CUDA wheel fits:", "; ".join(problems) or "this dataset holds none", "- going on without")
    if any(wheel["source"] == "project" for wheel in wheels):
        attach_kernel(folder, manifest)
        say("selective scan: {}, {}".format(*scan_in_use()))
    say(f"{len(wanted)} wheels in {time.perf_counter() - start:.1f} s ({tool})")
    return rows


def find_dataset(folder=None):
    """Return the dataset's folder and its manifest, found by the manifest's content under any mount layout."""
    places = [Path(folder)] if folder else [Path(__file__).resolve().parent]
    root = Path(os.environ.get(INPUT_ROOT_VARIABLE, "/kaggle/input"))
    for depth in () if folder else range(1, 5):
        places += sorted(path.parent for path in root.glob("*/" * depth + "manifest.json"))
    for place in places:
        manifest = read_facts(place / "manifest.json")
        if manifest.get("format") == FORMAT:
            return place, manifest
    raise InstallError(f"no manifest.json of a wheel dataset in {[str(place) for place in places]}; attach the dataset")


def read_facts(path):
    """Return the JSON object of a file; an empty one where there is none, as in datasets that others made."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def session_facts():
    """Return what compiled wheels depend on: Python, torch, CUDA, C++ ABI and C library; None where it is not there.

    torch is not imported: its files hold all of it, and are read in milliseconds.
    """
    torch, abi = {}, None
    try:
        distribution = importlib.metadata.distribution("torch")
        exec(Path(str(distribution.locate_file("torch/version.py"))).read_text(), torch)
        abi = CXX11_SYMBOL in Path(str(distribution.locate_file("torch/lib/libc10.so"))).read_bytes()
    except (importlib.metadata.PackageNotFoundError, OSError):
        pass
    return {
        "python": "{}.{}".format(*sys.version_info),
        "torch": ".".join(torch["__version__"].split(".")[:2]) if "__version__" in torch else None,
        "cuda": torch.get("cuda"),
        "cxx11_abi": abi,
        "glibc": platform.libc_ver()[1] or None,
    }


def incompatibilities(target, session):
    """Return why compiled wheels of a target would not run in a session; empty if they would.

    Python and torch must agree in their minor version, CUDA in its major one, torch's C++ ABI where it is known,
    and the session's C library must not be older than the target's.
    """
    problems = []
    for key, parts in (("python", 2), ("torch", 2), ("cuda", 1)):
        wanted, got = target[key], session.get(key)
        if got is None or _version(got)[:parts] != _version(wanted)[:parts]:
            problems.append(f"made for {key} {wanted}, here is {got or 'none'}")
    if session.get("cxx11_abi") not in (None, target["cxx11_abi"]):
        problems.append(f"made for C++11 ABI {target['cxx11_abi']}, here is {session['cxx11_abi']}")
    if session.get("glibc") and _version(session["glibc"]) < _version(target["glibc"]):
        problems.append(f"made for glibc {target['glibc']}, here is {session['glibc']}")
    return problems


def choose_target(manifest, session):
    """Return the name of the target that fits best, its wheels, and why its compiled wheels do not fit."""
    if not manifest["targets"] or not manifest["wheels"]:
        raise InstallError("the dataset's manifest lists no wheel; build it again")
    problems = {name: incompatibilities(facts, session) for name, facts in manifest["targets"].items()}
    target = min(problems, key=lambda name: len(problems[name]))
    return target, [wheel for wheel in manifest["wheels"] if wheel["target"] == target], problems[target]


def skip_reason(wheel, problems):
    """Return why a wheel is not installed: it does not fit, or the same version is there already; "" if it is.

    The kit's own wheel is always installed: its version does not change with every change of its source.
    """
    if wheel["name"].lower() in PROTECTED:
        raise InstallError(f"the dataset brings {wheel['name']}, which belongs to the image; build it again")
    if wheel["compiled"] and problems:
        return problems[0]
    try:
        there = importlib.metadata.version(wheel["name"])
    except importlib.metadata.PackageNotFoundError:
        return ""
    return "already here" if there == wheel["version"] and wheel["source"] != "project" else ""


def find_wheel(folder, wheel):
    """Return a wheel's file, of whatever name; refuse one that is missing or has other bytes than the manifest states.

    An upload may change a name ("+" is dropped) or a folder; the bytes still identify the wheel.
    """
    listed = Path(folder) / wheel["path"]
    for path in [listed] if listed.is_file() else sorted(Path(folder).rglob("*.whl")):
        if path.stat().st_size == wheel["size"] or path == listed:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest == wheel["sha256"]:
                return path
            if path == listed:
                raise InstallError(f"{path} was altered: SHA-256 {digest}, the manifest says {wheel['sha256']}")
    raise InstallError(f"{listed} is missing; upload the dataset again, with `-r zip`, so that folders travel")


def with_its_name(path, wheel, temporary):
    """Return a file that bears the wheel's own name, a link to it in a temporary folder where the upload changed it."""
    name = Path(wheel["path"]).name
    if path.name == name:
        return path
    (Path(temporary) / name).symlink_to(path)
    return Path(temporary) / name


def run_installer(paths):
    """Install wheel files with uv if it is there, else with pip; return which."""
    uv = shutil.which("uv")
    common = ["--no-index", "--no-deps"]
    outside = ["--break-system-packages"] if sys.prefix == sys.base_prefix else []
    pip = [sys.executable, "-m", "pip", "install", "--force-reinstall", "--no-compile", "--no-warn-script-location"]
    commands = {"pip": [*pip, "--disable-pip-version-check", "--root-user-action=ignore", *common, *outside]}
    if uv:
        commands = {
            "uv": [uv, "pip", "install", "--python", sys.executable, "--reinstall", *common, *outside],
            **commands,
        }
    # A user's pip configuration (indexes, constraints, required virtual environments) has no say here.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environment["PIP_CONFIG_FILE"] = os.devnull
    failures = []
    for tool, command in commands.items():
        status, output, errors = call([*command, *map(os.path.abspath, paths)], INSTALL_SECONDS, environment)
        if status == 0:
            return tool
        failures.append(f"{tool}: {(errors or output).strip()[-2000:]}")
    raise InstallError("the wheels do not install\n" + "\n".join(failures))


def check_imports(names):
    """Import modules in a process of their own, so that a broken one fails here and not in the middle of a run."""
    error = _run_python(IMPORT_CHECK, names)
    if error:
        raise InstallError(f"installed, but `import {', '.join(names)}` fails:\n{error}")


def extension_errors(wheels):
    """Return why compiled modules do not load, by the path of their wheel; empty if all do, which takes one process."""
    if not wheels or not _run_python(EXTENSION_CHECK, [name for wheel in wheels for name in wheel["extensions"]]):
        return {}
    return {wheel["path"]: _run_python(EXTENSION_CHECK, wheel["extensions"]).split("\n")[-1] for wheel in wheels}


def outcome(wheel, skipped, broken):
    """Return what became of a wheel, in words."""
    path = wheel["path"]
    if skipped[path]:
        return "skipped: " + skipped[path]
    return "installed, but does not load: " + broken[path] if broken.get(path) else "installed"


def attach_kernel(folder, manifest):
    """Name a kernel of Hugging Face's hub to the kit: this dataset's, or one attached beside it.

    The kit tries it on the device before it uses it. One that the user has named already is left to the user.

    Raises:
        InstallError: if a file of this dataset's was altered or is missing.
    """
    if KERNEL in os.environ.get(KERNEL_VARIABLE, ""):
        return
    recorded = manifest.get("hub_kernel")
    if recorded:
        place = Path(folder) / recorded["path"]
        for name, digest in recorded["files"].items():
            if not (place / name).is_file() or hashlib.sha256((place / name).read_bytes()).hexdigest() != digest:
                raise InstallError(f"{place / name} was altered or is missing; upload the dataset again")
    else:
        place = find_kernel()
    if place:
        named = f"kernels-community/{KERNEL}={place}"
        os.environ[KERNEL_VARIABLE] = ":".join(filter(None, [os.environ.get(KERNEL_VARIABLE), named]))
        say("kernel of Hugging Face's hub:", place)


def find_kernel():
    """Return the folder of an attached kernel of the hub, by what its builds state or hold; None if there is none."""
    for folder in attached_folders(Path(os.environ.get(INPUT_ROOT_VARIABLE, "/kaggle/input"))):
        for build in sorted(folder.glob("build/torch*-linux")):
            stated = str(read_facts(build / "metadata.json").get("name", ""))
            if stated.replace("_", "-") == KERNEL or (build / KERNEL.replace("-", "_")).is_dir():
                return folder
    return None


def attached_folders(root, depth=6):
    """Yield a folder and those below it, but for folders of planets: a competition has thousands."""
    yield root
    below = sorted(path for path in root.glob("*") if path.is_dir()) if depth else []
    if len(below) <= MANY_FOLDERS and not (root / "sample_submission.csv").is_file():
        for path in below:
            yield from attached_folders(path, depth - 1)


def scan_in_use():
    """Return which selective scan a job here will use, and why, as the installed kit finds out by running it."""
    status, output, errors = call([sys.executable, "-m", SCAN_MODULE], CHECK_SECONDS)
    try:
        name, reason = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError, TypeError):
        status = status or 1
    if status:
        lines = (errors or output).strip().splitlines() or ["it ended without a message"]
        return "unknown", f"the kit does not say: {lines[-1]}"
    return name, reason


def print_table(target, rows):
    """Print what became of each wheel."""
    session = "{python}, torch {torch}, CUDA {cuda}".format(**session_facts())
    say(f"wheels of target {target} on Python {session}")
    for name, version, outcome in rows:
        say(f"  {name:<28} {version:<14} {outcome}")


def say(*words):
    """Print a line of information; a session is not lost because nobody can read it."""
    with contextlib.suppress(OSError, ValueError):  # a closed output, or one that has no such letter
        print(*words)


def call(command, seconds, environment=None):
    """Run a program and whatever it starts, for so long at most; return its exit status and both its outputs.

    Args:
        command: the program and its arguments.
        seconds: after so long it is ended, and its errors say so [s].
        environment: its variables; None is the caller's.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = {"text": True, "errors": "replace", "cwd": os.sep, "start_new_session": True, "env": environment}
    try:
        process = subprocess.Popen(command, **pipes, **options)
    except OSError as error:
        return 127, "", f"{command[0]} does not start: {error}"
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, "", f"{Path(command[0]).name} was not done after {seconds:g} s"
    return process.returncode, output, errors


def _run_python(code, names):
    """Run code in a new process; return the end of its output if it fails, else ""."""
    status, _, errors = call([sys.executable, "-c", code, *names], CHECK_SECONDS)
    return errors.strip()[-2000:] or "it ended without a message" if status else ""


def _version(text):
    """Return (major, minor). The package ``packaging`` would do it, but nothing is installed yet when this runs."""
    return tuple(int(part) for part in text.split(".")[:2])


if __name__ == "__main__":
    install(*sys.argv[1:2])
