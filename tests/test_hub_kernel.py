"""Builds of a hub's kernel: which one a torch gets, by the rules of the hub's own library."""

import pytest

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.hub_kernel import VARIABLE, attached_kernel, entry, fitting_build, read_builds

BUILDS = (
    "torch29-cxx11-cu126-x86_64-linux",
    "torch29-cxx11-cu128-x86_64-linux",
    "torch210-cxx11-cu126-x86_64-linux",
    "torch210-cxx11-cu128-x86_64-linux",
    "torch210-cxx11-cu130-x86_64-linux",
    "torch210-cxx98-cu128-x86_64-linux",
    "torch210-cxx11-cu128-aarch64-linux",
    "torch210-cxx11-cpu-x86_64-linux",
    "torch210-cxx11-rocm71-x86_64-linux",
    "torch211-cu128-x86_64-linux",
    "torch211-cxx11-cu128-x86_64-linux",
    "torch-cpu",
)


@pytest.fixture
def kernel(tmp_path):
    """A repository with builds for many torches."""
    for name in BUILDS:
        (tmp_path / "build" / name).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "torch, cuda, name",
    [
        ("2.10.0+cu128", "12.8", "torch210-cxx11-cu128-x86_64-linux"),
        ("2.10.0+cu126", "12.6", "torch210-cxx11-cu126-x86_64-linux"),
        ("2.10.1", "12.9", "torch210-cxx11-cu128-x86_64-linux"),
        ("2.10.0", "13.0", "torch210-cxx11-cu130-x86_64-linux"),
        ("2.9.1", "12.8", "torch29-cxx11-cu128-x86_64-linux"),
        ("2.11.0", "12.8", "torch211-cu128-x86_64-linux"),
    ],
)
def test_the_build_of_this_torch_and_of_the_newest_cuda_that_it_has(kernel, torch, cuda, name):
    assert fitting_build(kernel, torch, cuda).folder == kernel / "build" / name
    assert fitting_build(kernel / "build", torch, cuda).folder == kernel / "build" / name


@pytest.mark.parametrize("torch, cuda", [("2.10.0", "12.4"), ("2.8.0", "12.8"), ("2.12.0", "12.8"), ("2.9.0", "13.0")])
def test_no_build_is_told_with_those_that_there_are(kernel, torch, cuda):
    with pytest.raises(SpectraMindError, match=f"a build for torch {torch}, CUDA {cuda}.*torch210-cxx11-cu128"):
        fitting_build(kernel, torch, cuda)


def test_a_build_of_the_stable_abi_serves_later_torches(kernel):
    for name in ("torch-stable-abi210-cu126-x86_64-linux", "torch-stable-abi29-cu128-x86_64-linux"):
        (kernel / "build" / name).mkdir()

    assert fitting_build(kernel, "2.12.0", "12.8").folder.name == "torch-stable-abi210-cu126-x86_64-linux"
    assert fitting_build(kernel, "2.9.0", "12.8").folder.name == "torch-stable-abi29-cu128-x86_64-linux"
    with pytest.raises(SpectraMindError):
        fitting_build(kernel, "2.8.0", "12.8")


def test_other_folders_are_no_builds(tmp_path):
    (tmp_path / "torch-ext").mkdir()
    (tmp_path / "build" / "torch210").mkdir(parents=True)
    assert not read_builds(tmp_path)
    with pytest.raises(SpectraMindError, match="no build for CUDA"):
        fitting_build(tmp_path, "2.10.0", "12.8")


def test_a_build_starts_in_its_folder_or_in_the_package_within(tmp_path):
    with pytest.raises(SpectraMindError, match="__init__.py"):
        entry(tmp_path)
    (tmp_path / "mamba_ssm").mkdir()
    (tmp_path / "mamba_ssm" / "__init__.py").write_text("")
    assert entry(tmp_path) == tmp_path / "mamba_ssm" / "__init__.py"
    (tmp_path / "__init__.py").write_text("")
    assert entry(tmp_path) == tmp_path / "__init__.py"


@pytest.mark.parametrize(
    "text, folder",
    [
        ("", None),
        ("kernels-community/activation=/a", None),
        ("kernels-community/activation=/a:somebody/mamba-ssm=/b/c", "/b/c"),
        ("kernels-community/mamba-ssm=", None),
    ],
)
def test_the_environment_names_it_as_it_does_to_the_hubs_library(text, folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, text)
    found = attached_kernel()
    assert (str(found) if found else None) == folder
