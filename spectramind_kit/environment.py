"""Where we run: folders, versions, git commit, devices."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

PACKAGES = ("numpy", "scipy", "polars", "torch", "hydra-core", "omegaconf", "typer", "matplotlib")
"""Packages whose versions a run's manifest records."""


def package_versions(names: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """Return installed versions by distribution name; "missing" where a package is not installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions


def git_commit(folder: Path | None = None) -> str:
    """Return the commit of the checkout the package lies in, "unknown" outside a checkout."""
    where = folder or Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=where, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def describe() -> dict[str, object]:
    """Return what a manifest says about the machine: Python, platform, cores, package versions, commit."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": available_cores(),
        "packages": package_versions(),
        "git_commit": git_commit(),
    }


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory() -> float:
    """Memory that new processes could use without swapping [bytes]; infinite where the system does not tell."""
    try:
        table = Path("/proc/meminfo").read_text()
        return 1024.0 * int(next(line.split()[1] for line in table.splitlines() if line.startswith("MemAvailable:")))
    except (OSError, StopIteration, ValueError):
        return float("inf")


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
