"""Small real parts of the CUDA wheels, compiled: `make test-wheels`. They need the package index and take minutes.

The whole build (some thousand seconds of processor time) is `build_dataset.py build`, not a test.
"""

import dataclasses
import subprocess
import venv
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.build_environment import BuildEnvironment
from spectramind_kit.kaggle.wheels.debian_toolkit import make_toolkit
from spectramind_kit.kaggle.wheels.machine_code import check_library, read_library
from spectramind_kit.kaggle.wheels.package_index import SKIPPED_CUDA, build_constraints, run_pip
from spectramind_kit.kaggle.wheels.targets import load_target, read_lock
from spectramind_kit.kaggle.wheels.toolchain import find_cuobjdump, open_toolchain, write_wrapper
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel

pytestmark = pytest.mark.wheels

TARGET = load_target(Path(__file__).parents[2] / "wheels", "cp312-torch2.11-cu130")
RECURRENCE = """
// h_t = a_t h_(t-1) + x_t, one channel a thread.
__global__ void scan(const float *a, const float *x, float *h, int steps) {
    const int channel = blockIdx.x * blockDim.x + threadIdx.x;
    float state = 0.f;
    for (int t = 0; t < steps; ++t) {
        state = a[channel * steps + t] * state + x[channel * steps + t];
        h[channel * steps + t] = state;
    }
}
extern "C" void run(const float *a, const float *x, float *h, int steps) { scan<<<1, 32>>>(a, x, h, steps); }
"""


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory):
    """The package index's nvcc, put together in an environment of its own."""
    folder = tmp_path_factory.mktemp("toolchain") / "environment"
    venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    environment = BuildEnvironment(folder)
    parts = [f"{name}=={version}" for name, version in TARGET.toolchain.items()]
    run_pip(["install", "--quiet", *parts], python=environment.python)
    return open_toolchain(TARGET, environment, None)


@pytest.mark.parametrize("architectures", [("sm_75",), ("sm_75", "sm_80", "compute_80")])
def test_recurrence_compiles_for_the_architectures_asked_for(toolchain, tmp_path, architectures):
    (tmp_path / "scan.cu").write_text(RECURRENCE)
    wrapper = write_wrapper(tmp_path / "nvcc")
    asked = ["-gencode", "arch=compute_90,code=sm_90", "-shared", "-Xcompiler", "-fPIC", "-cudart", "shared"]
    variables = {**toolchain.variables(wrapper, architectures), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [str(wrapper), *asked, "-o", "scan.so", "scan.cu"], cwd=tmp_path, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    facts = read_library(tmp_path / "scan.so", find_cuobjdump(toolchain))

    assert facts.architectures == tuple(sorted(architectures))
    check_library(facts, dataclasses.replace(TARGET, architectures=architectures))


def test_nvcc_of_cuda_13_refuses_pascal(toolchain, tmp_path):
    (tmp_path / "scan.cu").write_text(RECURRENCE)
    nvcc = str(toolchain.home / "bin" / "nvcc")
    command = [nvcc, "-gencode=arch=compute_60,code=sm_60", "-c", "scan.cu"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode != 0 and "compute_60" in done.stderr


def test_debians_nvcc_compiles_for_kaggles_image(tmp_path):
    """It takes part of CUB, half precision and bfloat16 from the index's headers, as the kernels do."""
    target = load_target(Path(__file__).parents[2] / "wheels", "cp312-torch2.10-cu128")
    try:
        home = make_toolkit(tmp_path / "cache", accept_licence=True)
    except PackagingError as error:
        pytest.skip(f"no Debian within reach: {error}")
    venv.EnvBuilder(symlinks=True).create(tmp_path / "environment")
    environment = BuildEnvironment(tmp_path / "environment")
    compiler = open_toolchain(target, environment, home)
    wrapper = write_wrapper(tmp_path / "nvcc")
    headers = "#include <cub/cub.cuh>\n#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n"
    (tmp_path / "scan.cu").write_text(headers + RECURRENCE)
    variables = environment.variables(compiler.variables(wrapper, target.architectures))
    command = [str(wrapper), "-gencode", "arch=compute_90,code=sm_90", "-Xcompiler", "-fPIC", "-c", "scan.cu"]
    subprocess.run([*command, "-o", "scan.o"], cwd=tmp_path, env=variables, check=True)
    link = ["g++", "-shared", "scan.o", f"-L{home / 'lib64'}", "-lcudart", "-o", "scan.so"]
    subprocess.run(link, cwd=tmp_path, check=True)
    facts = read_library(tmp_path / "scan.so", find_cuobjdump(compiler))

    check_library(facts, target)
    assert facts.architectures == tuple(sorted(target.architectures)) and "libcudart.so.12" in facts.needed


def test_mamba_builds_without_cuda_from_its_locked_source(tmp_path):
    pytest.importorskip("torch")
    pin = next(pin for pin in read_lock(TARGET) if pin.name == "mamba-ssm")
    requirement = tmp_path / "requirement.txt"
    requirement.write_text(pin.line() + "\n")
    options = ["--no-deps", "--no-build-isolation", "--require-hashes", "--no-binary", pin.name]
    command = ["wheel", *options, "--wheel-dir", str(tmp_path), "--requirement", str(requirement)]
    run_pip(command, build_constraints(TARGET), variables=SKIPPED_CUDA)
    (wheel,) = tmp_path.glob("*.whl")
    contents = read_wheel(wheel)

    assert (contents.name.replace("_", "-"), contents.version) == (pin.name, pin.version)
    assert contents.tags == ("py3-none-any",) and "mamba_ssm" in contents.imports and not contents.compiled
