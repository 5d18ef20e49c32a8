"""The selective scan on a CUDA device: our Triton kernels against mamba_ssm's CUDA kernel and the segmented torch scan.

    python benchmarks/gpu/scan.py [--runs 20] [--sweep] [--json FILE]

Prints milliseconds of a forward pass and of a forward and backward pass with gate, skip connection, bias and softplus,
the largest relative errors of value and gradients against the segments in double precision, how long the device takes
to copy as many bytes as must be read and written (the floor), and how much longer Triton takes than the CUDA kernel. A
path that does not run here (no wheel, say) is left out and named. ``--sweep`` tries other
tile sizes of the Triton kernels on the middle case and prints the time of each; the best belong into ``triton_scan``.
Exits with 1 if an error is out of bounds.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from spectramind_kit.networks import triton_scan
from spectramind_kit.networks.scan_in_use import choose_path
from spectramind_kit.networks.scan_paths import SCANS

CASES = ((4, 64, 1024), (4, 64, 5625), (16, 128, 5625), (4, 256, 5625), (1, 64, 67_500), (4, 256, 67_500))
"""Batch, channel, time."""
SWEPT = CASES[3]
STATES = 16
BOUND = 1e-4
"""Largest relative error allowed in single precision."""


def main() -> int:
    """Measure, print a table, write JSON if asked for; return 0 if all errors are within bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--sweep", action="store_true", help="try tile sizes of the Triton kernels")
    parser.add_argument("--json", type=Path, help="write the figures here, by flat name")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here")
        return 1
    device = torch.device("cuda")
    path, reason = choose_path(device)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; used by default: {path} ({reason})")
    heads = f"{'batch, channel, time':<22}{'scan':<11}{'forward':>10}{'+ backward':>12}{'error':>10}{'gradients':>11}"
    print(f"{heads}   [ms]")
    figures: dict[str, float] = {}
    for case in CASES:
        figures |= measure(case, device, options.runs)
    print_ratios(figures)
    if options.sweep:
        figures |= sweep(device, options.runs)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    worst = max(value for name, value in figures.items() if name.endswith("error"))
    print(f"largest error {worst:.1e}: {'ok' if worst < BOUND else 'OUT OF BOUNDS'}")
    return 0 if worst < BOUND else 1


def measure(case: tuple[int, int, int], device: torch.device, runs: int) -> dict[str, float]:
    """Measure all paths on inputs of one shape; print a row each."""
    inputs = scan_inputs(case, device)
    exact = value_and_gradients("segmented", [x.double() for x in inputs])
    name = "x".join(map(str, case))
    figures = {f"{name}.floor.{key}": ms for key, ms in floor(case, device, runs).items()}
    print(f"{', '.join(map(str, case)):<22}{'floor':<11}" + "".join(f"{ms:>11.3f}" for ms in figures.values()))
    for path in ("cuda", "triton", "segmented"):
        try:
            got = value_and_gradients(path, inputs)
        except Exception as error:  # whatever a wheel or a compiler raises: the others are measured
            print(f"{', '.join(map(str, case)):<22}{path:<11}{type(error).__name__}: {str(error).splitlines()[0][:80]}")
            continue
        errors = [float((g - w).abs().max() / w.abs().max()) for g, w in zip(got, exact)]
        few = runs if path != "segmented" else 1
        row = {
            "forward": milliseconds(lambda path=path: forward(path, inputs), few),
            "forward + backward": milliseconds(lambda path=path: value_and_gradients(path, inputs), few),
            "error": errors[0],
            "gradient error": max(errors[1:]),
        }
        times = f"{row['forward']:>10.3f}{row['forward + backward']:>12.3f}"
        print(f"{', '.join(map(str, case)):<22}{path:<11}{times}{row['error']:>10.0e}{row['gradient error']:>11.0e}")
        figures |= {f"{name}.{path}.{key}": value for key, value in row.items()}
    return figures


def floor(case: tuple[int, int, int], device: torch.device, runs: int) -> dict[str, float]:
    """Return milliseconds to copy the bytes that cannot be spared: every input and gradient once, y once, and dy."""
    batch, channels, time = case
    wide, maps = batch * channels * time, 2 * batch * STATES * time
    read_or_written = {"forward": 4 * wide + maps, "forward + backward": 11 * wide + 3 * maps}
    halves = {key: torch.empty(number // 2, device=device) for key, number in read_or_written.items()}
    return {key: milliseconds(half.clone, runs) for key, half in halves.items()}


def scan_inputs(case: tuple[int, int, int], device: torch.device) -> list[Tensor]:
    """Return u, delta, A, B, C, D, z and the bias of delta, as a trained block has them."""
    batch, channels, time = case
    torch.manual_seed(0)
    u, delta, z = torch.randn(3, batch, channels, time, device=device)
    B, C = torch.randn(2, batch, STATES, time, device=device)
    rates = -torch.arange(1.0, STATES + 1, device=device).repeat(channels, 1)
    D, bias = torch.randn(2, channels, device=device)
    return [u, 0.3 * delta, rates, B, C, D, z, 0.3 * bias - 4.0]


def forward(path: str, inputs: list[Tensor]) -> Tensor:
    """Return the scan's value."""
    with torch.no_grad():
        return SCANS[path](*inputs, delta_softplus=True)


def value_and_gradients(path: str, inputs: list[Tensor]) -> list[Tensor]:
    """Return the scan's value and the gradients of all inputs."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    y = SCANS[path](*leaves, delta_softplus=True)
    return [y.detach(), *torch.autograd.grad(y, leaves, torch.ones_like(y))]


def milliseconds(act: Callable[[], object], runs: int) -> float:
    """Return the best of several runs after two to warm up, by the device's own clock [ms]."""
    best = float("inf")
    for run in range(runs + min(2, runs)):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        act()
        end.record()
        torch.cuda.synchronize()
        best = min(best, start.elapsed_time(end)) if run >= min(2, runs) else best
    return best


def print_ratios(figures: dict[str, float]) -> None:
    """Print, and add, how much longer Triton takes than the CUDA kernel, where both ran."""
    for case in CASES:
        name, key = "x".join(map(str, case)), "forward + backward"
        if {f"{name}.{path}.{key}" for path in ("cuda", "triton")} <= set(figures):
            ratio = figures[f"{name}.triton.{key}"] / figures[f"{name}.cuda.{key}"]
            figures[f"{name}.triton over cuda"] = ratio
            print(f"{name}: Triton takes {ratio:.2f} times as long as the CUDA kernel, forward and backward")


def sweep(device: torch.device, runs: int) -> dict[str, float]:
    """Return milliseconds, forward and backward, for other tile sizes."""
    inputs, figures = scan_inputs(SWEPT, device), {}
    kept = triton_scan.STEPS, triton_scan.WARPS, triton_scan.CHANNELS
    for steps, warps, channels in itertools.product((32, 64, 128), (1, 2, 4), (8, 16, 32)):
        triton_scan.STEPS, triton_scan.WARPS, triton_scan.CHANNELS = steps, warps, channels
        try:
            time = milliseconds(lambda: value_and_gradients("triton", inputs), runs)
        except Exception as error:  # a tile may be too large for the device
            print(f"steps {steps}, warps {warps}, channels {channels}: {type(error).__name__}")
            continue
        figures[f"sweep.{steps}x{warps}x{channels}"] = time
        print(f"steps {steps}, warps {warps}, channels {channels}: {time:.3f} ms", flush=True)
    triton_scan.STEPS, triton_scan.WARPS, triton_scan.CHANNELS = kept
    return figures


if __name__ == "__main__":
    sys.exit(main())
