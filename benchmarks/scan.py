"""The CPU's selective scan against mambapy's parallel scan and a plain loop over time: processor-seconds, one thread.

    python benchmarks/scan.py [--runs 3] [--json FILE]

The best of the runs counts. Errors are the largest difference from a loop in double precision over the largest value;
that of the gradients (the worst of all inputs) is asked for the shortest sequence only, where the loop can be
differentiated. What would take minutes or more gigabytes than a notebook has is not run; the table says so.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mambapy.pscan import pscan
from torch import Tensor

from spectramind_kit.networks.scan_paths import loop_scan
from spectramind_kit.networks.segmented_scan import segmented_scan

STATES = 16
CASES = ((4, 64, 1024), (4, 64, 5625), (1, 64, 67_500), (4, 256, 1024), (4, 256, 5625), (1, 256, 67_500))
"""Batch, channel, time; 5,625 is a visit of AIRS in pairs of frames, 67,500 one of FGS1."""
LARGEST_RIVAL = {"forward": 67_500 * 64, "forward + backward": 4 * 64 * 5625, "loop": 4 * 64 * 1024}
"""Elements of the input up to which the others run: any pass, a backward pass, a backward pass of the loop."""


def main() -> None:
    """Measure all cases, print a table, and write JSON if asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here, by flat name")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'batch, channel, time':<22}{'scan':<10}{'forward':>10}{'+ backward':>12}{'error':>10}{'gradients':>11}   [s]"
    )
    figures: dict[str, float] = {}
    for case in CASES:
        figures |= measure(case, options.runs)
    print("-: not run, for it takes minutes or more memory than a notebook has (gradients: the first case only)")
    for shape in ("4x64x1024", "4x64x5625"):
        ratio = figures[f"{shape}.mambapy.forward + backward"] / figures[f"{shape}.ours.forward + backward"]
        figures[f"{shape}.speed-up over mambapy"] = ratio
        print(f"{shape}: {ratio:.1f} times as fast as mambapy, forward and backward")
    for name, per_step in {n: s / int(n.split(".")[0].split("x")[2]) for n, s in ours(figures).items()}.items():
        print(f"{name}: {1e6 * per_step:.1f} us a step of time")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def ours(figures: dict[str, float]) -> dict[str, float]:
    """Return our seconds forward and backward, by case."""
    return {name: s for name, s in figures.items() if name.endswith("ours.forward + backward")}


def measure(case: tuple[int, int, int], runs: int) -> dict[str, float]:
    """Measure all scans on inputs of one shape; print a row each."""
    inputs = scan_inputs(*case)
    exact = [x.double() for x in inputs]
    with torch.no_grad():
        true = loop_scan(*exact)
    true_gradients = gradients(loop_scan, exact) if case == CASES[0] else None
    figures = {}
    for name, scan in {"ours": segmented_scan, "mambapy": blelloch_scan, "loop": loop_scan}.items():
        row = measure_scan(scan, inputs, runs, allowed(name, case))
        with torch.no_grad():
            row["error"] = relative_error(scan(*inputs), true) if row else None
        if true_gradients:
            pairs = zip(gradients(scan, inputs), true_gradients)
            row["gradient error"] = max(relative_error(got, wanted) for got, wanted in pairs)
        print_row(case, name, row)
        figures |= {f"{'x'.join(map(str, case))}.{name}.{k}": v for k, v in row.items() if v is not None}
    return figures


def allowed(name: str, case: tuple[int, int, int]) -> set[str]:
    """Return the passes that a scan is asked for."""
    size = case[0] * case[1] * case[2]
    passes = {"forward", "forward + backward"}
    if name == "ours":
        return passes
    most = {**LARGEST_RIVAL, **({"forward + backward": LARGEST_RIVAL["loop"]} if name == "loop" else {})}
    return {p for p in passes if size <= most[p]}


def measure_scan(scan: Callable[..., Tensor], inputs: list[Tensor], runs: int, passes: set[str]) -> dict[str, float]:
    """Return processor-seconds of the passes that are allowed."""
    row = {}
    if "forward" in passes:
        with torch.no_grad():
            row["forward"] = best_seconds(lambda: scan(*inputs), runs)
    if "forward + backward" in passes:
        row["forward + backward"] = best_seconds(lambda: gradients(scan, inputs), runs)
    return row


def scan_inputs(batch: int, channels: int, time: int) -> list[Tensor]:
    """Return u, delta, A, B, C as a trained network has them: steps of about 0.02, decays -1 to -16."""
    torch.manual_seed(0)
    u, delta = torch.randn(batch, channels, time), 0.04 * torch.rand(batch, channels, time)
    return [u, delta, -torch.arange(1.0, STATES + 1).repeat(channels, 1), *torch.randn(2, batch, STATES, time)]


def blelloch_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Return the scan by mambapy's parallel scan over all states at once."""
    u, delta, B, C = (x.transpose(1, 2) for x in (u, delta, B, C))
    states = pscan(torch.exp(delta[..., None] * A), (delta * u)[..., None] * B[:, :, None])
    return (states @ C[..., None]).squeeze(3).transpose(1, 2)


def gradients(scan: Callable[..., Tensor], inputs: list[Tensor]) -> tuple[Tensor, ...]:
    """Run a scan forward and backward; return the gradients of all inputs."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    return torch.autograd.grad(scan(*leaves).sin().sum(), leaves)


def best_seconds(act: Callable[[], object], runs: int) -> float:
    """Return the least processor time of several runs [s]."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        act()
        best = min(best, time.process_time() - start)
    return best


def relative_error(got: Tensor, wanted: Tensor) -> float:
    """Return the largest difference over the largest value."""
    return float((got.detach().double() - wanted).abs().max() / wanted.abs().max())


def print_row(case: tuple[int, int, int], name: str, row: dict[str, float | None]) -> None:
    """Print one line of the table; a pass that was not run is a dash."""
    cells = ((row.get(key), width, form) for key, width, form in COLUMNS)
    text = "".join(f"{'-' if value is None else format(value, form):>{width}}" for value, width, form in cells)
    print(f"{', '.join(map(str, case)):<22}{name:<10}{text}", flush=True)


COLUMNS = (
    ("forward", 10, ".3f"),
    ("forward + backward", 12, ".3f"),
    ("error", 10, ".0e"),
    ("gradient error", 11, ".0e"),
)


if __name__ == "__main__":
    main()
