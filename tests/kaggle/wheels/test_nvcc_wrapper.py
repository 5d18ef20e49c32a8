"""The program in nvcc's stead: architectures replaced where some are named, everything else passed on."""

import os
import stat
import subprocess

import pytest

from spectramind_kit.kaggle.wheels.nvcc_wrapper import arguments_for, gencode
from spectramind_kit.kaggle.wheels.toolchain import write_wrapper

WANTED = ["sm_75", "sm_80", "compute_80"]
FLAGS = [
    "-gencode=arch=compute_75,code=sm_75",
    "-gencode=arch=compute_80,code=sm_80",
    "-gencode=arch=compute_80,code=compute_80",
]


def test_machine_code_and_ptx_flags():
    assert gencode(WANTED) == FLAGS


@pytest.mark.parametrize(
    "asked, passed",
    [
        (["-gencode", "arch=compute_90,code=sm_90", "-c", "scan.cu"], ["-c", "scan.cu", *FLAGS]),
        (["-gencode=arch=compute_90,code=sm_90", "-c", "scan.cu"], ["-c", "scan.cu", *FLAGS]),
        (["--threads", "4", "-O3", "-gencode", "x", "-lineinfo", "scan.cu"], ["-O3", "scan.cu", *FLAGS]),
        (["--version"], ["--version"]),
        (["-shared", "-lineinfo", "scan.o"], ["-shared", "-lineinfo", "scan.o"]),
    ],
)
def test_arguments(asked, passed):
    assert arguments_for(asked, WANTED) == passed


def test_wrapper_runs_the_toolkits_nvcc(tmp_path):
    nvcc = tmp_path / "cuda" / "bin" / "nvcc"
    nvcc.parent.mkdir(parents=True)
    nvcc.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    nvcc.chmod(nvcc.stat().st_mode | stat.S_IXUSR)
    wrapper = write_wrapper(tmp_path / "wrapper" / "nvcc")
    variables = {**os.environ, "CUDA_HOME": str(tmp_path / "cuda"), "SPECTRAMIND_ARCHITECTURES": "sm_75"}
    command = [str(wrapper), "-gencode", "arch=compute_90,code=sm_90", "scan.cu"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)

    assert done.stdout.split() == ["scan.cu", FLAGS[0]], done.stderr
