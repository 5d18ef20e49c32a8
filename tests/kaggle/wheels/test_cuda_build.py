"""Compilers and build environments: which are refused, what a build keeps, says and leaves. No CUDA is needed here."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import build_environment, cuda_build
from spectramind_kit.kaggle.wheels.build_environment import (
    BuildEnvironment,
    find_python,
    make_build_environment,
    requirements,
)
from spectramind_kit.kaggle.wheels.cuda_build import CudaBuild, compile_wheel, run_build, work_at_once
from spectramind_kit.kaggle.wheels.machine_code import LibraryFacts
from spectramind_kit.kaggle.wheels.targets import load_target, read_lock, target_names
from spectramind_kit.kaggle.wheels.toolchain import Toolchain, find_cuobjdump, open_toolchain
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels, read_built

WHEELS = Path(__file__).parents[3] / "wheels"
HERE = "{}.{}".format(*sys.version_info)


@pytest.fixture
def environment(tmp_path) -> BuildEnvironment:
    """The running Python's, under another name, with the parts of a compiler beside it."""
    folder = tmp_path / "environment"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    )  # a link would leave the environment's packages behind
    python.chmod(0o755)
    (folder / "lib" / "python3" / "site-packages" / "nvidia" / "cu13" / "lib").mkdir(parents=True)
    return BuildEnvironment(folder)


def make_nvcc(home: Path, release: str) -> Path:
    """Write a CUDA toolkit that can do no more than state its version."""
    (home / "bin").mkdir(parents=True, exist_ok=True)
    nvcc = home / "bin" / "nvcc"
    nvcc.write_text(f'#!/bin/sh\necho "Cuda compilation tools, release {release}, V{release}.88"\n')
    nvcc.chmod(0o755)
    return home


def test_toolkit_of_the_same_major_version_is_taken(tmp_path, target, environment):
    toolchain = open_toolchain(target, environment, make_nvcc(tmp_path / "cuda", "12.4"))

    assert toolchain.version == "12.4"
    variables = toolchain.variables(tmp_path / "nvcc", ["sm_75", "compute_80"])
    assert variables["SPECTRAMIND_ARCHITECTURES"] == "sm_75 compute_80"
    assert variables["CUDA_HOME"] == str(tmp_path / "cuda") and variables["PYTORCH_NVCC"] == str(tmp_path / "nvcc")


def test_toolkit_of_another_major_version_is_refused(tmp_path, target, environment):
    with pytest.raises(PackagingError, match="CUDA 12.*got 13.0.*--cuda-home"):
        open_toolchain(target, environment, make_nvcc(tmp_path / "cuda", "13.0"))


def test_folder_without_compiler_is_refused(tmp_path, target, environment):
    with pytest.raises(PackagingError, match="bin/nvcc"):
        open_toolchain(target, environment, tmp_path)


def test_index_has_no_compiler_for_cuda_12(target, tmp_path, monkeypatch):
    monkeypatch.setattr(cuda_build, "make_build_environment", _must_not_run)
    pin = read_lock(target)[0]
    with pytest.raises(PackagingError, match="--toolchain pypi.*--cuda-home"):
        compile_wheel(pin, target, CudaBuild(tmp_path), tmp_path / "none.txt", tmp_path)


@pytest.mark.parametrize("jobs, threads", [(1, 1), (2, 2), (8, 2)])
def test_architectures_of_a_file_are_compiled_side_by_side_where_cores_are_free(jobs, threads):
    assert work_at_once(jobs) == {"MAX_JOBS": str(jobs), "NVCC_APPEND_FLAGS": f"--threads={threads}"}


def test_compiler_of_the_index_gets_the_names_a_linker_looks_for(target, environment):
    parts = make_nvcc(environment.cuda_parts, "13.0")
    (parts / "lib" / "libcudart.so.13").write_text("")
    target = dataclasses.replace(target, cuda="13.0", toolchain={"nvidia-cuda-nvcc": "13.0.88"})

    assert open_toolchain(target, environment, None).home == parts
    assert (parts / "lib64" / "libcudart.so").is_file()
    assert open_toolchain(target, environment, None).version == "13.0"


def test_missing_cuobjdump_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackagingError, match="cuobjdump"):
        find_cuobjdump(Toolchain(tmp_path, "13.0", ()))


def test_python_of_the_target_is_looked_for(tmp_path):
    assert find_python(HERE) == Path(sys.executable)
    with pytest.raises(PackagingError, match="wanted 2.5.*--python"):
        find_python("2.5")
    with pytest.raises(PackagingError, match="wanted 3.99"):
        find_python("3.99", Path(sys.executable))


def test_environment_holds_exactly_the_targets_torch():
    for name in target_names(WHEELS):
        target = load_target(WHEELS, name)
        wanted = requirements(target)
        assert f"torch=={target.image['torch']}" in wanted and target.image["torch"].startswith(target.torch)
        assert [f"{part}=={version}" in wanted for part, version in target.toolchain.items()] == [True] * len(
            target.toolchain
        )


def test_torch_for_another_cuda_is_refused(tmp_path, target, monkeypatch):
    monkeypatch.setattr(build_environment, "_run", lambda command: "")
    monkeypatch.setattr(build_environment, "find_python", lambda version, given: Path("/usr/bin/python3.12"))
    monkeypatch.setattr(build_environment, "torch_facts", lambda _: {**target.facts(), "cuda": "13.0", "glibc": None})

    with pytest.raises(PackagingError, match="made for cuda 12.8, here is 13.0.*build in the image"):
        make_build_environment(target, tmp_path, tmp_path / "none.txt", None)
    assert not (tmp_path / "ready.json").exists()


@pytest.mark.parametrize("on_the_image", [True, False])
def test_image_itself_shares_its_packages(tmp_path, target, monkeypatch, on_the_image):
    commands = []
    reasons = [] if on_the_image else ["made for torch 2.10, here is 2.13"]
    monkeypatch.setattr(build_environment, "_run", lambda command: commands.append(command))
    monkeypatch.setattr(build_environment, "torch_facts", lambda _: {})
    monkeypatch.setattr(
        build_environment.install, "incompatibilities", lambda facts, session: reasons if session else []
    )
    make_build_environment(dataclasses.replace(target, python=HERE), tmp_path, tmp_path / "none.txt", None)

    assert ("--system-site-packages" in commands[0]) == on_the_image
    assert "torch" in str(commands[1]) and (tmp_path / "ready.json").is_file()


def test_finished_environment_is_taken_as_it_is(tmp_path, target):
    (tmp_path / "ready.json").write_text(json.dumps(requirements(target)))

    assert make_build_environment(target, tmp_path, tmp_path / "none.txt", Path("/nowhere")).folder == tmp_path


@pytest.fixture
def compiler(tmp_path, target, environment, monkeypatch):
    """A build of the tiny sources in which only CUDA itself is left out; (target with a compiled part, build)."""
    facts = [LibraryFacts("scan.so", ("sm_75",), ("libc.so.6",), "2.17", "3.4.21", "")]
    monkeypatch.setattr(cuda_build, "make_build_environment", lambda *_: environment)
    monkeypatch.setattr(cuda_build, "check_machine_code", lambda *_: facts)
    monkeypatch.setattr(cuda_build, "find_cuobjdump", lambda _: "cuobjdump")
    lacks = {name: version for name, version in target.lacks.items() if name != "tiny-grammar"}
    target = dataclasses.replace(target, lacks=lacks, compiled={"tiny-grammar": "4.9"}, image={"torch": "2.10.0"})
    return target, CudaBuild(tmp_path / "cache", make_nvcc(tmp_path / "cuda", "12.8"), jobs=1)


@pytest.mark.usefixtures("offline_pip")
def test_compiled_wheel_joins_the_others_and_is_not_built_twice(compiler, project, monkeypatch, tmp_path):
    target, build = compiler
    built = build_wheels(target, project, build)

    assert [wheel.architectures for wheel in built] == [(), (), ("sm_75",)]
    assert built[-1].needed == ("libc.so.6",) and built == read_built(target)
    assert (build.cache / target.name / "tiny_grammar-4.9-sm_75" / "pyproject.toml").is_file()
    assert "tiny" in (build.cache / target.name / "tiny-grammar.log").read_text()
    monkeypatch.setattr("spectramind_kit.kaggle.wheels.wheelhouse.compile_wheel", _must_not_run)
    assert build_wheels(target, project, build) == built


@pytest.mark.usefixtures("offline_pip")
def test_build_without_cuda_leaves_compiled_wheels_in_the_store(compiler, project):
    target, build = compiler
    built = build_wheels(target, project, build)

    assert build_wheels(target, project) == built[:-1]
    assert (target.folder / built[-1].file).is_file() and read_built(target) == built


@pytest.mark.usefixtures("offline_pip")
def test_interrupted_build_goes_on_in_its_tree(compiler, tmp_path, monkeypatch):
    target, build = compiler
    pin = next(pin for pin in read_lock(target) if pin.name == "tiny-grammar")
    compile_wheel(pin, target, build, tmp_path / "none.txt", tmp_path / "first")
    monkeypatch.setattr(cuda_build, "unpack_source", _must_not_run)
    compile_wheel(pin, target, build, tmp_path / "none.txt", tmp_path / "second")

    assert [path.name for path in (tmp_path / "second").iterdir()] == ["tiny_grammar-4.9-py3-none-any.whl"]


def test_failing_build_shows_its_last_words(tmp_path, environment):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "setup.py").write_text("raise SystemExit('nvcc fatal: Unsupported gpu architecture')")
    with pytest.raises(PackagingError, match="(?s)Unsupported gpu architecture.*build.log"):
        run_build(tmp_path / "tree", environment, {}, tmp_path / "build.log", tmp_path / "out")


def test_set_ups_are_asked_to_compile(compiler, tmp_path, monkeypatch):
    """From the release after 2.3.2 on mamba-ssm compiles only where it is asked to, and reports a success else."""
    target, build = compiler
    asked = {}
    monkeypatch.setattr(cuda_build, "run_build", lambda tree, environment, variables, *_: asked.update(variables))
    monkeypatch.setattr(cuda_build, "unpack_source", lambda pin, environment, tree: tree.mkdir())
    compile_wheel(read_lock(target)[-1], target, build, tmp_path / "none.txt", tmp_path / "out")

    assert asked["MAMBA_KEEP_CUDA_BUILD"] == asked["MAMBA_FORCE_BUILD"] == asked["CAUSAL_CONV1D_FORCE_BUILD"] == "TRUE"
    assert "MAMBA_SKIP_CUDA_BUILD" not in asked


def test_command_line_wants_to_know_the_compiler():
    variables = {"PATH": "/usr/bin:/bin"}
    command = [sys.executable, str(WHEELS.parent / "build_dataset.py"), "build", "--target", "cp312-torch2.10-cu128"]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)

    assert done.returncode == 1 and "--without-cuda" in done.stderr


def _must_not_run(*arguments):
    raise AssertionError(f"built again: {arguments}")
