"""Start-up: what a command or a worker loads before it knows what is to be done."""

import pickle
import subprocess
import sys

import pytest

ONLY_FOR_WORK = (
    "numba",
    "scipy.optimize",
    "scipy.interpolate",
    "scipy.ndimage",
    "scipy.special",
    "scipy.signal",
    "scipy.stats",
    "matplotlib",
    "distributed",
    "torch",
)
"""What some step computes with; all of it together takes seconds to import."""


def loaded_by(code, *arguments):
    """Return the modules that a fresh process has loaded after a piece of code."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["spectramind_kit.cli", "spectramind_kit.runs", "spectramind_kit.prediction.worker"])
def test_commands_and_workers_load_what_computes_only_when_they_compute(module):
    assert not loaded_by(f"import {module}") & {*ONLY_FOR_WORK, "hydra"}


def test_help_loads_no_array():
    assert not loaded_by("import spectramind_kit.cli") & {"numpy", "polars", "pydantic"}


def test_a_worker_that_is_handed_a_configuration_loads_no_hydra(config, tmp_path):
    path = tmp_path / "config.pickle"
    path.write_bytes(pickle.dumps(config))
    loaded = loaded_by("import pickle; pickle.load(open(sys.argv[1], 'rb'))", str(path))
    assert "spectramind_kit.config" in loaded and not loaded & {"hydra", "omegaconf"}
