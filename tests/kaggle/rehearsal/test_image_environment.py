"""The environment that stands for the image: what it has, what it lacks, which programs it brings."""

import dataclasses
import shutil
import subprocess

import pytest

from spectramind_kit.kaggle.rehearsal.image_environment import (
    image_distributions,
    installed_distributions,
    make_environment,
)


def test_what_the_image_lacks_stays_out(target):
    installed = installed_distributions()
    lacking = dataclasses.replace(target, image={"papermill": "*"}, lacks={}, compiled={"tqdm": "1"})

    assert "tqdm" in image_distributions(dataclasses.replace(lacking, compiled={}), installed)
    assert "tqdm" not in image_distributions(lacking, installed)


def test_installer_of_the_image_is_on_its_path(target, tmp_path):
    pytest.importorskip("uv")
    environment = make_environment(dataclasses.replace(target, image={"uv": "*", "pip": "*"}), tmp_path / "venv")
    uv = shutil.which("uv", path=str(environment.folder / "bin"))

    assert uv is not None
    assert subprocess.run([uv, "--version"], capture_output=True, text=True).stdout.startswith("uv ")
    without = make_environment(dataclasses.replace(target, image={"pip": "*"}), tmp_path / "other")
    assert not (without.folder / "bin" / "uv").exists()
