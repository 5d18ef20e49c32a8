"""Where we run: folders, versions, git commit, devices."""

import getpass
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("numpy", "scipy", "polars", "torch", "hydra-core", "omegaconf", "typer", "matplotlib")
"""Packages that the kit cannot do without."""
RECORDED = (
    *PACKAGES,
    *("numba", "llvmlite", "triton", "mamba-ssm", "torch-geometric", "pytorch-lightning", "safetensors", "pydantic"),
)
"""Packages whose versions a run's manifest records."""

_CONTROL_GROUPS = Path("/sys/fs/cgroup")


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Return installed versions by distribution name; "missing" where a package is not installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions


def home_folder() -> Path | None:
    """Return the user's home; None where there is none, as for a number without a name in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def provide_home() -> None:
    """Set HOME to a folder among temporary files where the user has none: jupyter and setuptools stop without."""
    if home_folder() is not None:
        return
    place = Path(tempfile.gettempdir()) / f"home-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    owned = place.stat().st_uid == os.getuid()
    os.environ["HOME"] = str(place) if owned else tempfile.mkdtemp(prefix="home-")


def login_name() -> str:
    """Return the user's name, "" where the machine knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # of Python before 3.13, and since
        return ""


def git_commit(folder: Path | None = None) -> str:
    """Return the commit of the checkout the package lies in, "unknown" outside a checkout.

    A checkout that the package merely lies somewhere below of, as one with a virtual environment in it, is another's.

    Args:
        folder: top of the checkout; the folder that holds the package if not given.
    """
    where = (folder or Path(__file__).parents[1]).resolve()
    try:
        top, commit = _git(where, "rev-parse", "--show-toplevel", "HEAD").splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return "unknown"
    return commit if Path(top).resolve() == where else "unknown"


def git_is_dirty(folder: Path | None = None) -> bool | None:
    """Return whether the package differs from the commit of its checkout; None outside a checkout.

    Only the package counts, files that Git does not know included: what else lies in a checkout makes no product.

    Args:
        folder: top of the checkout; the folder that holds the package if not given.
    """
    if git_commit(folder) == "unknown":
        return None
    where = folder or Path(__file__).parents[1]
    try:
        return bool(_git(where, "status", "--porcelain", "--", Path(__file__).parent.name))
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    """Return what a command of Git prints, run in a folder."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout


def describe() -> dict[str, object]:
    """Return what a manifest says about the machine: Python, platform, cores, versions, commit, CUDA, threads."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": available_cores(),
        "packages": package_versions(RECORDED),
        "git_commit": git_commit(),
        "git_dirty": git_is_dirty(),
        "cuda": cuda_in_use(),
        "threads": threads_in_use(),
    }


def cuda_in_use() -> str | None:
    """Return CUDA's version and the device that torch sees; None without, or while nothing has loaded torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return f"{torch.version.cuda}, {torch.cuda.get_device_name(0)}"


def threads_in_use() -> int | None:
    """Return the threads that torch computes with; None while nothing has loaded torch.

    Sums are added up in another order by another number of threads, which a training carries into the fifth digit.
    """
    torch = sys.modules.get("torch")
    return None if torch is None else max(1, min(torch.get_num_threads(), available_cores()))


def available_cores() -> int:
    """Cores this process may use: the affinity's, or as many as a container's quota of CPU time comes to."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *(int(quota) for quota in _cpu_quotas())]))


def available_memory() -> float:
    """Memory that new processes could use without swapping [bytes]; infinite where the system does not tell.

    The machine's, or what a container's limit leaves of it.
    """
    return min([_free_memory(), *_memory_left()])


def _free_memory() -> float:
    try:
        table = Path("/proc/meminfo").read_text()
        return 1024.0 * int(next(line.split()[1] for line in table.splitlines() if line.startswith("MemAvailable:")))
    except (OSError, StopIteration, ValueError):
        return float("inf")


def _cpu_quotas() -> Iterator[float]:
    """Yield the cores' worth of CPU time that control groups allow this process; see cgroups(7)."""
    for folder in _control_groups("cpu"):
        quota = _numbers(folder / "cpu.max") or [
            *_numbers(folder / "cpu.cfs_quota_us"),
            *_numbers(folder / "cpu.cfs_period_us"),
        ]
        if len(quota) == 2 and min(quota) > 0:
            yield quota[0] / quota[1]


def _memory_left() -> Iterator[float]:
    """Yield what limits of memory leave, the cache of files, which can be given up, not counted [bytes]."""
    for folder in _control_groups("memory"):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            if most := _numbers(folder / limit):
                cache = _numbers(folder / "memory.stat", after="inactive_file") or [0.0]
                yield max(0.0, most[0] - sum(_numbers(folder / used)) + cache[0])


def _control_groups(kind: str) -> Iterator[Path]:
    """Yield folders of the control groups that this process may lie in, of both versions, up to the root."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for root in (_CONTROL_GROUPS, _CONTROL_GROUPS / kind):
        yield root
        for line in lines:
            place = Path(line.rpartition(":")[2].lstrip("/"))
            yield from (root / folder for folder in (place, *place.parents) if folder != Path())


def _numbers(path: Path, after: str = "") -> list[float]:
    """Return the numbers in a small file, or in its line that begins with a word; none where there is no such file."""
    try:
        text = path.read_text()
    except OSError:
        return []
    if after:
        text = next((line.removeprefix(after) for line in text.splitlines() if line.startswith(f"{after} ")), "")
    try:
        return [float(word) for word in text.split()]
    except ValueError:  # "max": no limit
        return []


def usable_cuda() -> str | None:
    """Return the name of the CUDA device if a real operation works on it, else None.

    ``torch.cuda.is_available()`` is True on devices whose architecture the build has no kernels for.
    """
    import torch

    if not torch.cuda.is_available():
        return None
    try:
        probe = torch.ones(8, device="cuda")
        torch.cuda.synchronize()
        return torch.cuda.get_device_name(0) if float((probe * 2).sum()) == 16.0 else None
    except RuntimeError:
        return None
