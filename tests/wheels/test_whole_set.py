"""The kit's own dataset, built and installed as on Kaggle: `make test-wheels`. Needs the package index."""

import shutil
import subprocess
from pathlib import Path

import pytest

from spectramind_kit.config import load_config
from spectramind_kit.kaggle.rehearsal.image_environment import make_environment
from spectramind_kit.kaggle.rehearsal.isolation import Mount, Stage, command_in_namespaces, offline_means
from spectramind_kit.kaggle.wheels.dataset import write_dataset
from spectramind_kit.kaggle.wheels.targets import load_target, target_names
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels

pytestmark = pytest.mark.wheels

PROJECT = Path(__file__).parents[2]
MOUNT = "/kaggle/input/datasets/spectramind/spectramind-wheels"


@pytest.mark.parametrize("name", target_names(PROJECT / "wheels"))
def test_whole_set_installs_without_network_and_agrees_with_the_image(tmp_path, name):
    means = offline_means()
    if means is None:
        pytest.skip("this system allows no mount and network namespaces")
    for file in ("target.toml", "requirements.lock", "../build-constraints.txt"):
        place = tmp_path / "wheels" / name / file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "wheels" / name / file, place)
    target, out = load_target(tmp_path / "wheels", name), tmp_path / "dataset"
    wheels = build_wheels(target, PROJECT)
    write_dataset({name: wheels}, [target], out, load_config([]).kaggle)
    assert sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) < 15e6

    environment = make_environment(target, tmp_path / "venv")
    (tmp_path / "root").mkdir()
    stage = Stage((Mount(str(out), MOUNT),), (), "/", str(tmp_path / "root"))
    command = command_in_namespaces(means, stage, [str(environment.python), f"{MOUNT}/install.py"])
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
    assert done.returncode == 0, done.stderr
    assert f"wheels of target {name}" in done.stdout

    check = subprocess.run([str(environment.python), "-m", "pip", "check"], capture_output=True, text=True).stdout
    ours = [wheel.file.split("-")[0].replace("_", "-") for wheel in wheels]
    assert not [line for line in check.splitlines() if line.split()[0] in ours], check
