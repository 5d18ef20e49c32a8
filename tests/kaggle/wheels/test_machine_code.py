"""What is read from compiled libraries, and which are refused for a target."""

import dataclasses
import subprocess
import sys

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels.build_environment import BuildEnvironment
from spectramind_kit.kaggle.wheels.machine_code import (
    LibraryFacts,
    check_cuda,
    check_import,
    check_library,
    read_library,
)

GOOD = LibraryFacts(
    name="selective_scan_cuda.cpython-312-x86_64-linux-gnu.so",
    architectures=("sm_75",),
    needed=("libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libcudart.so.12", "libstdc++.so.6", "libc.so.6"),
    glibc="2.32",
    glibcxx="3.4.21",
    search_path="",
)


def test_library_that_fits_is_accepted(target):
    check_library(GOOD, target)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"architectures": ("sm_90",)}, "GPU code.*sm_75.*sm_90"),
        ({"architectures": ("compute_75", "sm_75")}, "compute_75"),
        ({"needed": ("libcudart.so.13",)}, "libcudart.so.12.*libcudart.so.13"),
        ({"needed": ("libcublas.so.12",)}, "libcublas"),
        ({"glibc": "2.38"}, "glibc at most 2.35, got 2.38"),
        ({"glibcxx": "3.4.32"}, "GLIBCXX"),
        ({"search_path": "/opt/build/lib"}, "no search path.*/opt/build/lib"),
    ],
)
def test_library_that_would_not_run_is_refused(target, change, message):
    with pytest.raises(PackagingError, match=message):
        check_library(dataclasses.replace(GOOD, **change), target)


def test_wheel_with_code_for_the_gpus_is_accepted(target):
    plain = dataclasses.replace(GOOD, name="plain.so", architectures=())

    check_cuda("scan.whl", ["cp312-cp312-linux_x86_64"], [plain, GOOD], target)
    check_library(plain, target)


@pytest.mark.parametrize(
    "tag, libraries",
    [
        ("py3-none-any", []),
        ("cp312-cp312-linux_x86_64", []),
        ("cp312-cp312-linux_x86_64", [dataclasses.replace(GOOD, architectures=())]),
        ("py3-none-any", [GOOD]),
        ("cp313-cp313-linux_x86_64", [GOOD]),
    ],
)
def test_wheel_that_left_cuda_out_is_refused(target, tag, libraries):
    with pytest.raises(PackagingError, match="wheel scan.whl: wanted a wheel of cp312 with GPU code, got .*left CUDA"):
        check_cuda("scan.whl", [tag], libraries, target)


@pytest.fixture
def library(tmp_path):
    """A real shared library with a search path, and a program that lists GPU code as cuobjdump does."""
    source = tmp_path / "star.c"
    source.write_text('#include <stdio.h>\nvoid shine(void) { puts("light"); }\n')
    path = tmp_path / "star.so"
    command = ["gcc", "-shared", "-fPIC", "-Wl,-rpath,/opt/build/lib", "-o", str(path), str(source)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no C compiler here")
    lister = tmp_path / "cuobjdump"
    lister.write_text(
        "#!/bin/sh\n"
        "if [ $1 = --list-ptx ]; then echo 'PTX file    1: star.3.sm_80.ptx'; exit; fi\n"
        "echo 'ELF file    1: star.1.sm_75.cubin'; echo 'ELF file    2: star.2.sm_80.cubin'\n"
    )
    lister.chmod(0o755)
    return path, str(lister)


def test_facts_of_a_real_library(library):
    facts = read_library(*library)

    assert facts.architectures == ("compute_80", "sm_75", "sm_80")
    assert facts.needed == ("libc.so.6",)
    assert facts.search_path == "/opt/build/lib"
    assert facts.glibc.startswith("2.") and facts.glibcxx == "0"


def test_import_with_the_targets_torch(tmp_path):
    environment = BuildEnvironment(tmp_path / "venv")
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "scan.py").write_text("import torch\n")
    (tmp_path / "other.py").write_text("raise ImportError('undefined symbol: _ZN3c10')\n")

    check_import(tmp_path, ["scan"], environment)
    with pytest.raises(PackagingError, match="undefined symbol"):
        check_import(tmp_path, ["scan", "other"], environment)
