"""Prove a dataset's CUDA wheels on a device: install them, compare with references, time against a loop in torch.

    python -m venv proof && proof/bin/pip install torch==2.11.0 einops==0.8.2 transformers==5.0.0
    proof/bin/python benchmarks/gpu/wheels.py --dataset dist/spectramind-wheels [--json FILE]

The Python it runs under must have the torch that the wheels were built for, and gets them installed. Everything else
is measured here: seconds of the installation, largest errors of the selective scan (value and every gradient, against
the recurrence in double precision) and of the causal convolution, and milliseconds of a forward and backward pass.
Exits with 1 if no wheel of the dataset runs on the device, or an error is out of bounds. Of the kit it needs what the
dataset brings.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

BOUND = 1e-3
"""Largest relative error allowed in single precision; gradients sum over thousands of steps."""
SHAPES = ((4, 64, 1024), (4, 64, 5625), (4, 256, 5625))
STATES = 16
NAMES = ("u", "delta", "A", "B", "C", "D")


def main() -> int:
    """Install, compare, time; print a table; return 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    installer = options.dataset / "install.py"
    printed = subprocess.run([sys.executable, str(installer)], capture_output=True, text=True, check=True).stdout
    print(printed)
    if "selective scan: CUDA wheel" not in printed:
        print("no CUDA wheel of this dataset runs here")
        return 1
    import torch

    from spectramind_kit.networks.scan_paths import SCANS  # the dataset has just brought it

    reference = SCANS["loop"]

    figures = {
        "device": torch.cuda.get_device_name(),
        "capability": ".".join(map(str, torch.cuda.get_device_capability())),
        "torch": torch.__version__,
        "megabytes": round(sum(p.stat().st_size for p in options.dataset.rglob("*.whl")) / 1e6, 1),
        "install_seconds": float(re.search(r"wheels in ([\d.]+) s", printed)[1]),
        "scan_errors": scan_errors(reference, (2, 16, 300)),
        "convolution_error": convolution_error(),
        "milliseconds": [scan_milliseconds(reference, shape) for shape in SHAPES],
    }
    print_figures(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    worst = max(figures["convolution_error"], *figures["scan_errors"].values())
    print(f"largest error {worst:.1e}: {'ok' if worst < BOUND else 'OUT OF BOUNDS'}")
    return 0 if worst < BOUND else 1


def scan_inputs(shape: tuple[int, int, int]) -> list:
    """Return inputs on the GPU: u, delta (batch, channel, time), A (channel, state), B, C (batch, state, time), D."""
    import torch

    torch.manual_seed(0)
    batch, channels, steps = shape
    u, delta = torch.randn(2, *shape, device="cuda").unbind(0)
    a = -torch.rand(channels, STATES, device="cuda") - 0.5
    b, c = torch.randn(2, batch, STATES, steps, device="cuda").unbind(0)
    inputs = [u, 0.1 * delta.abs(), a, b, c, torch.randn(channels, device="cuda")]
    return [x.detach().requires_grad_() for x in inputs]


def scan_errors(reference, shape: tuple[int, int, int]) -> dict[str, float]:
    """Return relative errors of the CUDA scan's value and gradients against the recurrence in double precision."""
    import torch
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    inputs = scan_inputs(shape)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    y, wanted = selective_scan_fn(*inputs), reference(*exact)
    weight = torch.randn_like(y)
    got = [y, *torch.autograd.grad((y * weight).sum(), inputs)]
    true = [wanted, *torch.autograd.grad((wanted * weight).sum(), exact)]
    return {name: relative_error(g, w) for name, g, w in zip(("y", *(f"d{n}" for n in NAMES)), got, true)}


def convolution_error() -> float:
    """Return the relative error of the causal convolution against torch's own in double precision."""
    import torch
    from causal_conv1d import causal_conv1d_fn

    torch.manual_seed(0)
    x, kernel, bias = (torch.randn(shape, device="cuda") for shape in ((2, 64, 500), (64, 4), (64,)))
    padded = torch.nn.functional.pad(x.double(), (3, 0))
    wanted = torch.nn.functional.conv1d(padded, kernel.double()[:, None], bias.double(), groups=64)
    return relative_error(causal_conv1d_fn(x, kernel, bias), wanted)


def scan_milliseconds(reference, shape: tuple[int, int, int]) -> dict[str, object]:
    """Return milliseconds of forward and backward by the CUDA scan, and of forward by a loop over time in torch."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    inputs = scan_inputs(shape)
    constants = [x.detach() for x in inputs]
    return {
        "shape": list(shape),
        "cuda_forward": milliseconds(lambda: selective_scan_fn(*constants)),
        "cuda_forward_backward": milliseconds(lambda: selective_scan_fn(*inputs).sum().backward()),
        "loop_forward": milliseconds(lambda: reference(*constants), runs=2),
    }


def milliseconds(act, runs: int = 10) -> float:
    """Return the best of several runs after one to warm up [ms]."""
    import torch

    best = float("inf")
    for run in range(runs + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        act()
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start) if run else best
    return 1e3 * best


def relative_error(got, wanted) -> float:
    """Return the largest difference over the largest value."""
    got, wanted = got.detach().double(), wanted.detach().double()
    return float((got - wanted).abs().max() / wanted.abs().max())


def print_figures(figures: dict) -> None:
    """Print what was measured."""
    print(f"{figures['device']} ({figures['capability']}), torch {figures['torch']}")
    print(f"{figures['megabytes']} MB of wheels, installed in {figures['install_seconds']} s")
    print("scan errors: " + ", ".join(f"{name} {error:.1e}" for name, error in figures["scan_errors"].items()))
    print(f"convolution error: {figures['convolution_error']:.1e}")
    print(f"{'batch, channel, time':<22}{'forward':>10}{'+ backward':>12}{'loop':>10}{'speed-up':>10}   [ms]")
    for row in figures["milliseconds"]:
        forward, both, loop = row["cuda_forward"], row["cuda_forward_backward"], row["loop_forward"]
        print(f"{row['shape']!s:<22}{forward:>10.3f}{both:>12.3f}{loop:>10.1f}{loop / forward:>10.0f}")


if __name__ == "__main__":
    sys.exit(main())
