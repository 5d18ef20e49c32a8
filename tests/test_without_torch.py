"""From simulated frames to a submission where torch cannot be imported: the fit alone is numpy's and scipy's."""

import subprocess
import sys

from spectramind_kit.work_folder.submission import read_submission

SCRIPT = """
import sys
from importlib.machinery import PathFinder
from pathlib import Path

HIDDEN = ("torch", "torch_geometric", "pytorch_lightning", "safetensors")


class WithoutTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in HIDDEN else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTorch
from spectramind_kit import runs
from spectramind_kit.config import load_config
from spectramind_kit.simulation.simulated_folder import simulate_folder

root = Path(sys.argv[1])
small = ["simulation.airs_average=75", "simulation.fgs1_average=900", "workers=1", "model=none"]
config = load_config(small)
simulate_folder(root / "data", 3, 1, config.simulation, seed=2)
runs.train(root / "data", root / "work", config)
runs.submit(root / "data", root / "work", config)
"""


def test_the_fit_alone_goes_from_frames_to_submission(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(read_submission(tmp_path / "work" / "submission.csv")) == 1
