"""Which selective scan a device gets, decided by running it there: forward, backward, held against the recurrence.

A CUDA device that reports itself present may run nothing, because torch, Triton or a wheel has no code for its
architecture; a wheel may be built for another torch; a kernel may run and be wrong. Only a real operation shows which.
``selective_scan``, ``spectramind selftest`` and the wheel dataset's ``install.py`` all ask here, the last one by

    python -m spectramind_kit.networks.scan_in_use

which prints JSON. torch is imported only where there is a device to ask.
"""

import glob
import json
import os
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.hub_kernel import attached_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

NAMES = {
    "cuda": "CUDA wheel",
    "hub": "Hugging Face kernel",
    "triton": "Triton",
    "segmented": "torch segments",
    "loop": "torch loop",
}
"""What a path is called where people read it."""
TOLERANCE = 1e-4
"""Largest difference from the recurrence in double precision, relative to the largest value."""
SHAPE = (2, 20, 200, 16)
"""Batch, channel, time and state of the trial: more than one tile of any kernel, and no multiple of one."""
DEVICES = "/dev/nvidia[0-9]*", "/dev/dxg"
"""Where NVIDIA's driver, native or of WSL, shows that there is a device."""


class Choice(NamedTuple):
    """A path by which to scan, and why this one."""

    path: str
    reason: str


def choose_path(device: "torch.device") -> Choice:
    """Return the fastest path that works on a device; tried once a process and device.

    Raises:
        SpectraMindError: if no path works there.
    """
    return Choice("segmented", "the scan for CPUs") if device.type == "cpu" else _tried(device)


@lru_cache(maxsize=16)
def _tried(device: "torch.device") -> Choice:
    outcomes = []
    for path in _paths(device):
        try:
            error = trial_error(path, device)
        except Exception as failure:  # a foreign kernel may raise anything; the next path is tried
            outcomes.append(f"{NAMES[path]} fails ({_first_line(failure)})")
            continue
        if error < TOLERANCE:
            return Choice(path, "; ".join([*outcomes, f"within {error:.0e} of the recurrence on {_name(device)}"]))
        outcomes.append(f"{NAMES[path]} is off by {error:.0e}")
    raise SpectraMindError(
        f"selective scan on {device}", wanted="a path that works", got="; ".join(outcomes), remedy="run on the CPU"
    )


def _paths(device: "torch.device") -> tuple[str, ...]:
    """Return what is worth trying on a device, fastest first; a kernel of the hub only where one is attached."""
    hub = ("hub",) if attached_kernel() else ()
    return ("cuda", *hub, "triton", "segmented") if device.type == "cuda" else ("segmented",)


def trial_error(path: str, device: "torch.device") -> float:
    """Return the largest relative error of a path on a device, of its value and all gradients.

    Raises whatever the path raises.
    """
    import torch

    from spectramind_kit.networks.scan_paths import SCANS

    # The first scan may be asked for where gradients are off, as in prediction, or in half precision.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        inputs = _trial_inputs()
        exact = [x.double().requires_grad_() for x in inputs]
        tried = [x.to(device).requires_grad_() for x in inputs]
        wanted, got = _value_and_gradients(SCANS["loop"], exact), _value_and_gradients(SCANS[path], tried)
        errors = [(g.cpu() - w).abs().max() / w.abs().max() for g, w in zip(got, wanted)]
        return float(torch.stack(errors).nan_to_num(nan=torch.inf).max())


def _value_and_gradients(scan: "Callable[..., torch.Tensor]", inputs: "list[torch.Tensor]") -> "list[torch.Tensor]":
    import torch

    y = scan(*inputs, delta_softplus=True)
    weight = torch.linspace(-1.0, 2.0, SHAPE[2], device=y.device, dtype=y.dtype).expand_as(y)
    return [y.detach(), *torch.autograd.grad(y, inputs, weight)]


def _trial_inputs() -> "list[torch.Tensor]":
    """Return u, delta, A, B, C, D, z and the bias of delta, with slow and fast decays."""
    import torch

    batch, channels, time, states = SHAPE
    random = torch.Generator("cpu").manual_seed(0)
    kind = {"generator": random, "device": "cpu", "dtype": torch.float32}
    u, delta, z = torch.randn(3, batch, channels, time, **kind)
    B, C = torch.randn(2, batch, states, time, **kind)
    rates = -torch.linspace(1.0, states, states, device="cpu", dtype=torch.float32).repeat(channels, 1) * torch.rand(
        channels, 1, **kind
    )
    D, bias = torch.randn(2, channels, **kind)
    return [u, delta, rates, B, C, D, z, bias - 3.0]


def scan_in_use() -> tuple[str, str]:
    """Return the name of the scan that a job on this machine uses, and why.

    It is tried in a process of its own, which a kernel that crashes takes down alone.
    """
    if not device_shown():
        return NAMES["segmented"], "no CUDA device"
    done = subprocess.run([sys.executable, "-m", __spec__.name], capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        return NAMES["segmented"], f"on the CPU: the trial on the CUDA device died ({lines[-1]})"
    name, reason = json.loads(done.stdout.strip().splitlines()[-1])
    return name, reason


def device_shown() -> bool:
    """Return whether the system shows a CUDA device, and the environment does not hide it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and any(glob.glob(pattern) for pattern in DEVICES)


def tried_here() -> tuple[str, str]:
    """Return what ``scan_in_use`` does, tried in this process; on the CPU where the first CUDA device runs nothing."""
    if not device_shown():
        return NAMES["segmented"], "no CUDA device"
    import torch

    if not torch.cuda.is_available():
        return NAMES["segmented"], "on the CPU: this torch sees no CUDA device"
    try:
        path, reason = choose_path(torch.device("cuda", 0))
    except SpectraMindError as error:
        return NAMES["segmented"], f"on the CPU: {error.got}"
    return NAMES[path], reason


def _name(device: "torch.device") -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tried_here()) + "\n")
