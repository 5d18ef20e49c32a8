"""The Triton scan without a GPU: right in Triton's interpreter, and compiled to machine code that a T4 can hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spectramind_kit.networks import triton_scan

PROJECT = Path(__file__).parents[2]
SIZES = ("time", "channels", "n_state", "chunks")
KERNELS = ("_chunk_states", "_chunk_adjoints", "_carry", "_outputs", "_gradients")


@pytest.fixture(scope="module")
def interpreted():
    """Errors of the interpreted kernels, by case and by what they belong to."""
    pytest.importorskip("triton")
    variables = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-m", "tests.networks.interpreted_scan"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=PROJECT)
    if "only 0-dimensional arrays can be converted" in done.stderr:
        pytest.skip("the interpreter of this Triton (3.6 and earlier) does not work with this numpy")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", ["everything", "bare", "shorter than a chunk", "large steps"])
def test_value_and_every_gradient_are_right(interpreted, case):
    assert interpreted[case] and max(interpreted[case].values()) < 2e-6, interpreted[case]


@pytest.mark.parametrize("name, capability", [*((name, 75) for name in KERNELS), ("_gradients", 90)])
def test_kernels_compile_and_fit(name, capability, monkeypatch, tmp_path):
    """Machine code is made without a GPU; a block of a T4 has 64 KB of shared memory."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from spectramind_kit.networks import triton_kernels

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    kernel = getattr(triton_kernels, name)
    constants = {"GATED": True, "SOFTPLUS": True, "REVERSE": True, "STATES": 16, "STEPS": triton_scan.STEPS}
    constants |= {"BLOCK": triton_scan.CHANNELS, "CHUNKS": triton_scan.CHUNKS}
    constants = {key: value for key, value in constants.items() if key in kernel.arg_names}
    kinds = {name: "i32" if name in SIZES else "*fp32" for name in kernel.arg_names}
    source = ASTSource(kernel, kinds | dict.fromkeys(constants, "constexpr"), constants)
    target = GPUTarget("cuda", capability, 32)
    compiled = triton.compile(source, target=target, options={"num_warps": triton_scan.WARPS})
    assert compiled.asm["cubin"] and compiled.metadata.shared <= 64 * 1024
    assert "bf16" not in compiled.asm["ptx"]


def test_module_imports_without_triton_and_a_call_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    one = torch.ones(1, 1, 1)
    with pytest.raises(ImportError, match="triton"):
        triton_scan.triton_scan(one, one, -one[0], one, one)
