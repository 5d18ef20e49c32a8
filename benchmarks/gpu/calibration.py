"""The calibration on a GPU beside the CPU's fused path, for a machine that has one.

    python benchmarks/gpu/calibration.py --data FULL_SIZE_FOLDER [--repeat 5] [--json FILE]

Prints seconds per visit on both paths and the largest difference between their light curves. `--device cpu` runs
torch's path on the CPU: it shows that the script works, not how fast a device is.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from spectramind_kit.calibration import fused, gpu
from spectramind_kit.competition.folder import open_competition
from spectramind_kit.competition.frames import decode_pixels, read_calibration_frames
from spectramind_kit.config import load_config
from spectramind_kit.environment import usable_cuda
from spectramind_kit.instruments import CHANNELS
from spectramind_kit.photometry.binning import bin_edges
from spectramind_kit.photometry.jitter import moment_weights
from spectramind_kit.photometry.window import photometric_pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="full-size competition folder")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    name = usable_cuda() if options.device == "cuda" else "torch on the CPU"
    if name is None:
        raise SystemExit("no CUDA device on which an operation works; --device cpu tries the script without one")
    print(f"device: {name}\n{'':12}{'decode s':>10}{'fused s':>10}{'torch s':>10}{'difference':>12}")
    figures = {}
    for channel in CHANNELS:
        row = measure(options.data, channel, options.device, options.repeat)
        print(
            f"{channel:12}{row['decode_s']:10.3f}{row['fused_s']:10.3f}{row['torch_s']:10.3f}{row['difference']:12.1e}"
        )
        figures |= {f"{channel}/{key}": value for key, value in row.items()}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(data: Path, channel: str, device: str, repeat: int) -> dict[str, float]:
    """Return the best wall times of one channel of the first training visit, and the paths' largest difference."""
    config, folder = load_config(), open_competition(data)
    visit = folder.observations("train", folder.planet_ids("train")[0])[0]
    place = photometric_pixels(channel, config.photometry)
    frames = read_calibration_frames(visit, channel)
    decode_s, pixels = _best(lambda: decode_pixels(visit, channel, *place), repeat)
    mid_time = pixels.time[::2]
    bounds = np.searchsorted(mid_time, bin_edges(mid_time, config.photometry.bin_seconds))
    weight = moment_weights(channel, *place, config.photometry)
    args = pixels, frames, config.calibration, bounds, weight
    fused_s, ours = _best(lambda: fused.bin_decoded(*args), repeat)
    torch_s, theirs = _best(lambda: gpu.bin_decoded(*args, device), repeat)
    difference = np.nanmax(np.abs(theirs.light - ours.light) / np.maximum(np.abs(ours.light), 1000.0))
    return {"decode_s": decode_s, "fused_s": fused_s, "torch_s": torch_s, "difference": float(difference)}


def _best(work, repeat: int):
    """Return the shortest of some runs after a first one [s], and the result."""
    seconds = []
    for _ in range(repeat + 1):
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:]), result


if __name__ == "__main__":
    main()
