"""What the kit brings beside its modules: a wheel carries all of it, and works from any folder without a checkout."""

import configparser
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules import shipped
from spectramind_kit.kaggle.rules.shipped import shipped_folder, writable_project
from tests.site_folders import SITE_FOLDERS

PROJECT = Path(__file__).parents[3]


def test_every_kernel_and_target_is_in_the_wheel():
    parsed = configparser.ConfigParser()
    parsed.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]  # places keep their letters
    parsed.read(PROJECT / "setup.cfg")
    lines = parsed["options.data_files"]
    carried = {file for patterns in lines.values() for line in patterns.split() for file in PROJECT.glob(line)}
    kernels = {path for path in PROJECT.glob("kernels/*/*") if path.is_file()}
    targets = {path for path in PROJECT.glob("wheels/**/*") if path.suffix in (".toml", ".lock", ".txt")}
    assert len(kernels) >= 15 and kernels | targets <= carried
    for place, patterns in lines.items():
        assert all(
            file.parent == PROJECT / place.removeprefix("share/spectramind_kit").lstrip("/")
            for line in patterns.split()
            for file in PROJECT.glob(line)
        )
    assert {path.name for path in carried if path.parent == PROJECT} >= {"setup.cfg", "pyproject.toml", "README.md"}


def test_a_checkout_is_its_own_project(tmp_path):
    assert shipped_folder() == writable_project(tmp_path) == PROJECT
    assert not list(tmp_path.iterdir())


def test_the_source_that_travels_with_a_dataset_is_a_project_without_kernels(tmp_path, monkeypatch):
    for name in ("setup.cfg", "build_dataset.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(shipped, "PACKAGE", tmp_path / "spectramind_kit")
    assert writable_project(tmp_path / "cache") == tmp_path and not (tmp_path / "cache").exists()


def test_modules_alone_are_told_what_they_lack(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "PACKAGE", tmp_path / "spectramind_kit")
    monkeypatch.setattr(shipped, "_SHARE", "share/nothing/")
    with pytest.raises(PackagingError, match="install the kit from its wheel"):
        shipped_folder()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment with the kit's wheel, and what it needs from this one; runs its commands elsewhere."""
    root = tmp_path_factory.mktemp("installed")
    project = root / "project"  # a copy, because setuptools leaves its traces
    carried = ["spectramind_kit", "kernels", "wheels", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]
    project.mkdir()
    for name in (*carried, "build_dataset.py"):
        subprocess.run(["cp", "-r", PROJECT / name, project], check=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", root, project]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = root.glob("*.whl")
    venv.create(root / "environment", with_pip=False)
    binaries = root / "environment" / "bin"
    install = [*pip, "--python", binaries / "python", "install", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    # Other packages are this environment's, or of the one below it; their paths come first, but hold no such modules.
    around = {**os.environ, "PYTHONPATH": os.pathsep.join(SITE_FOLDERS), "XDG_CACHE_HOME": str(root / "cache")}

    def run(*words, program="spectramind"):
        return subprocess.run(
            [binaries / program, *words], cwd=elsewhere, env=around, capture_output=True, text=True, check=False
        )

    return run, elsewhere, root


def test_an_installed_kit_builds_and_writes_kernels_without_a_checkout(installed):
    run, elsewhere, root = installed
    where = run("-c", "import spectramind_kit; print(spectramind_kit.__file__)", program="python")
    assert str(root / "environment") in where.stdout, where
    done = run("wheels", "--help")
    assert done.returncode == 0 and "spectramind wheels build" in done.stdout, done.stderr
    done = run("wheels", "targets")
    assert done.returncode == 0 and "cp312-torch2.10-cu128: sm_75" in done.stdout, done.stderr
    assert run("wheels", "build", "--target", "cp312-torch2.10-cu128").stderr.startswith("error: compiler of the CUDA")
    done = run("new", "kernel", "my-train", "--from", "train", "kaggle.owner=ada")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (elsewhere / "my-train").iterdir()} == {
        "kernel-metadata.json",
        "my-train.ipynb",
        "my-train.py",
    }
    # Its target is known: what stops the rehearsal is that there is no dataset.
    where = ("--data", elsewhere, "--dataset", elsewhere / "none", "--work", root / "work")
    done = run("dry-run", "my-train", *where)
    assert done.returncode == 1 and "competition" in done.stderr + done.stdout and "target" not in done.stderr, done
    (project,) = (root / "cache" / "spectramind-wheels").iterdir()
    for name in ("setup.cfg", "spectramind_kit/cli.py", "wheels/build-constraints.txt", "kernels/submit/submit.py"):
        assert (project / name).read_bytes() == (PROJECT / name).read_bytes()
    assert not list(project.rglob("__pycache__"))
