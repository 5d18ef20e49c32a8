"""The network on a CUDA device: the same loss, gradients and answers as on the CPU, and how fast it learns.

    python benchmarks/gpu/training.py [--planets 96] [--model v50] [--folder FOLDER] [--json FILE]

Simulates light curves, fits them, and then prints

    * the relative error of the loss and of its gradient on the device against the CPU, in single precision and under
      mixed precision, and the largest difference between answers of one trained network on both [sigma of the fit];
    * for every path of the scan, milliseconds of a training step under mixed precision, and peak memory;
    * steps a second of a real training (Lightning, gradient scaling, clipping, averaged weights, data loading), and
      how long 1,000 planets in five folds would take at that rate.

Exits with 1 if an answer differs by more than 1e-5, or a gradient in single precision by more than 1e-3.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spectramind_kit.config import Config, load_config
from spectramind_kit.environment import usable_cuda
from spectramind_kit.networks.batch import Batch, collate
from spectramind_kit.networks.mamba import MambaBlock
from spectramind_kit.networks.scan_in_use import NAMES, choose_path
from spectramind_kit.prediction.ensemble import load_ensemble
from spectramind_kit.prediction.trained_model import TrainedModel
from spectramind_kit.prediction.training_set import TrainingSet
from spectramind_kit.simulation.system import draw_system, label_wavelengths
from spectramind_kit.training.augmentation import simulated_examples
from spectramind_kit.training.examples import Examples
from spectramind_kit.training.folds import assign_folds
from spectramind_kit.training.module import NetworkModule, corrected
from spectramind_kit.training.task import NetworkTask
from spectramind_kit.training.train_network import new_module, train_networks
from spectramind_kit.uncertainty.posthoc import fit_calibration
from spectramind_kit.uncertainty.recalibration import no_recalibration

LARGEST = {"answers": 1e-5, "gradient": 1e-3}
PLANETS, FOLDS = 1000, 5
"""What is projected to."""


def main() -> int:
    """Measure, print, write JSON if asked for; return 0 if the device answers as the CPU does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planets", type=int, default=96)
    parser.add_argument("--model", default="v50")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: shows that the script works")
    parser.add_argument("--folder", type=Path, help="where fitted planets are stored and found again")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    name = usable_cuda() if options.device == "cuda" else "the CPU"
    if name is None:
        raise SystemExit("no CUDA device on which an operation works; --device cpu tries the script without one")
    device = torch.device(options.device)
    print(f"{name}, torch {torch.__version__}; scan: {NAMES[choose_path(device).path]}, {choose_path(device).reason}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        changes = [f"model={options.model}", "simulation=beyond_fit", f"training.simulated_planets={options.planets}"]
        changes += [f"training.epochs={options.epochs}", f"training.patience={options.epochs}"]
        config = load_config([*changes, f"training.device={options.device}"])
        task = NetworkTask(
            *(config.model, config.loss, config.training, 0, folder / "training", folder / "networks", "2025")
        )
        examples = fitted_planets(folder, config)
        figures = agreement(task, examples, device) | step_times(task, examples, device)
        figures |= real_training(task, examples, device)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    bad = [key for key, most in LARGEST.items() if figures[key] > most]
    print("out of bounds: " + ", ".join(bad) if bad else "within bounds")
    return 1 if bad else 0


def fitted_planets(folder: Path, config: Config) -> Examples:
    """Return simulated planets with folds, fitted once."""
    started = time.perf_counter()
    systems = (draw_system(i, np.random.default_rng([7, i]), "2025", config.simulation) for i in range(200))
    spectra = np.stack([system.label("2025") for system in systems])
    ids = np.arange(len(spectra))
    known = TrainingSet(ids, spectra, ids % FOLDS, label_wavelengths())
    labels = TrainedModel(known, fit_calibration(no_recalibration(), len(known.wavelength)))
    examples = simulated_examples(labels, folder, config)
    print(f"{len(examples)} planets simulated and fitted in {time.perf_counter() - started:.0f} s")
    return replace(examples, fold=assign_folds(list(range(len(examples))), FOLDS, seed=0))


def loss_and_gradient(module: NetworkModule, batch: Batch, device: torch.device, half: bool) -> tuple[float, Tensor]:
    """Return the loss of a batch and its gradient, flat, on the CPU; dropout is off."""
    module = module.to(device).eval()
    module.zero_grad(set_to_none=True)
    batch = batch.to(device)
    with torch.autocast(device.type, torch.float16, enabled=half):
        mean, sigma = corrected(batch, module.network(batch))
        loss, _ = module.loss(mean, sigma, batch.truth(), 10_000)
    (loss * (2.0**10 if half else 1.0)).backward()  # as a gradient scaler would
    parts = [p.grad.flatten() for p in module.network.parameters() if p.grad is not None]
    return float(loss.detach()), torch.cat(parts).double().cpu() / (2.0**10 if half else 1.0)


def agreement(task: NetworkTask, examples: Examples, device: torch.device) -> dict[str, float]:
    """Return relative errors of loss and gradient on the device against the CPU."""
    torch.manual_seed(0)
    module = new_module(task, examples, {})
    with torch.no_grad():  # heads of zeros pass no gradient on
        for head in (module.network.wavelength_head, module.network.channel_head):
            head[-1].weight.normal_(std=0.1)
    batch = collate(examples.features[:16], examples.truth[:16])
    loss, gradient = loss_and_gradient(module, batch, torch.device("cpu"), half=False)
    figures = {}
    for half in (False, True) if device.type == "cuda" else (False,):
        other_loss, other = loss_and_gradient(module, batch, device, half)
        prefix = "mixed precision " if half else ""
        figures |= {
            f"{prefix}loss": abs(other_loss - loss) / max(1.0, abs(loss)),
            f"{prefix}gradient": float((other - gradient).norm() / gradient.norm()),
        }
    for key, value in figures.items():
        print(f"{key}: relative error {value:.1e}")
    return figures


def step_times(task: NetworkTask, examples: Examples, device: torch.device, runs: int = 20) -> dict[str, float]:
    """Return milliseconds of a training step of 16 planets by every path of the scan, and the peak memory [GB]."""
    batch = collate(examples.features[:16], examples.truth[:16]).to(device)
    figures = {}
    print(f"{'scan':<12}{'step [ms]':>12}{'peak [GB]':>12}")
    for path in ("cuda", "triton", "segmented") if device.type == "cuda" else ("segmented",):
        module = new_module(task, examples, {}).to(device).train()
        for block in module.network.modules():
            if isinstance(block, MambaBlock):
                block.path = path
        optimiser = torch.optim.AdamW(module.network.parameters(), lr=1e-4)
        scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        try:
            seconds = [one_step(module, batch, optimiser, scaler) for _ in range(runs + 3)][3:]
        except Exception as error:  # whatever a missing wheel or a compiler raises: the others are measured
            print(f"{path:<12}{type(error).__name__}: {str(error).splitlines()[0][:80]}")
            continue
        peak = torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else float("nan")
        figures |= {f"{path}.step_ms": 1e3 * min(seconds), f"{path}.peak_gb": peak}
        print(f"{path:<12}{1e3 * min(seconds):>12.2f}{peak:>12.2f}")
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
    return figures


def one_step(
    module: NetworkModule, batch: Batch, optimiser: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> float:
    """Take one step and return its seconds."""
    device = batch.mean.device
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
        mean, sigma = corrected(batch, module.network(batch))
        loss, _ = module.loss(mean, sigma, batch.truth(), 10_000)
    optimiser.zero_grad(set_to_none=True)
    scaler.scale(loss).backward()
    scaler.step(optimiser)
    scaler.update()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def real_training(task: NetworkTask, examples: Examples, device: torch.device) -> dict[str, float]:
    """Train all folds on the device, answer on both, and return rates and the largest difference of answers [sigma]."""
    shutil.rmtree(task.networks, ignore_errors=True)  # what is finished is not trained again
    started = time.perf_counter()
    train_networks(task, examples)
    seconds = time.perf_counter() - started
    share, batch = task.training.validation_share, task.training.batch_size
    steps = [-(-int(np.sum(examples.fold != fold) * (1.0 - share)) // batch) for fold in range(FOLDS)]
    rate = sum(steps) * task.training.epochs / seconds
    wanted = FOLDS * load_config([]).training.epochs * -(-int(PLANETS * (1 - 1 / FOLDS) * (1.0 - share)) // batch)
    folds = [int(fold) for fold in examples.fold]
    here, there = (
        load_ensemble(task.networks, examples.wavelength, str(where)).answers(examples.features, folds)
        for where in ("cpu", device)
    )
    sigma = np.stack([each.sigma for each in examples.features])
    shift = max(float(np.abs((a[0] - b[0]) / s).max()) for a, b, s in zip(here, there, sigma))
    factor = max(float(np.abs(np.log(a[1] / b[1])).max()) for a, b in zip(here, there))
    moved = float(np.sqrt(np.mean([((a[0] - e.mean) / e.sigma) ** 2 for a, e in zip(here, examples.features)])))
    minutes = wanted / rate / 60.0
    print(f"{rate:.1f} steps/s in training; {PLANETS} planets in {FOLDS} folds: {minutes:.0f} min at that rate")
    print(f"answers on {device.type} and CPU differ by {shift:.1e} sigma, ln sigma by {factor:.1e}; rms {moved:.2f}")
    return {
        "steps_per_s": rate,
        "minutes_of_1000_planets": minutes,
        "answers": max(shift, factor),
        "rms_shift": moved,
    }


if __name__ == "__main__":
    sys.exit(main())
