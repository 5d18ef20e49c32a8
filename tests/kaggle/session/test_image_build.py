"""Building the dataset in a session: from the source that came with an earlier one, for the image that this is."""

import json
import shutil
import tempfile

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session import image_build
from spectramind_kit.kaggle.session.image_build import build_in_session, find_toolkit, session_target
from spectramind_kit.kaggle.session.inputs import find_source
from spectramind_kit.kaggle.wheels.dataset import write_dataset
from spectramind_kit.kaggle.wheels.wheelhouse import read_built


@pytest.fixture
def attached(tmp_path, target, project, config, monkeypatch):
    """The tiny dataset with its source, attached read-only; scratch is a folder of the test's."""
    shutil.copytree(target.folder, project / "wheels" / target.name, ignore=shutil.ignore_patterns("*.whl", "built*"))
    (project / "build_dataset.py").write_text("")
    out = tmp_path / "input" / "datasets" / "me" / "tiny-wheels"
    write_dataset({target.name: read_built(target)}, [target], out, config, project)
    for path in out.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path / "input"))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield out
    for path in [out, *out.rglob("*")]:
        path.chmod(0o755)


def test_source_that_travels_is_what_wheels_are_built_from(attached, project):
    names = sorted(str(path.relative_to(attached / "source")) for path in (attached / "source").rglob("*"))

    assert {"setup.cfg", "pyproject.toml", "build_dataset.py", "spectramind_kit/probe.py"} <= set(names)
    assert any(name.endswith("target.toml") for name in names) and any(name.endswith(".lock") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".whl")]
    assert find_source() == attached / "source"


@pytest.mark.usefixtures("offline_pip")
def test_dataset_is_built_from_the_attached_source(attached, config, target, tmp_path):
    out = tmp_path / "working" / "tiny-wheels"
    manifest = build_in_session(out, config, target=target.name, cuda=False)
    first = json.loads((attached / "manifest.json").read_text())

    assert [wheel["name"] for wheel in manifest["wheels"]] == [wheel["name"] for wheel in first["wheels"]]
    assert any((tmp_path / "scratch").glob("build-wheels-*/source/setup.cfg"))
    assert (out / "install.py").is_file() and (out / "source" / "setup.cfg").is_file()


def test_session_that_no_target_describes_is_told(target, monkeypatch):
    monkeypatch.setattr(image_build, "incompatibilities", lambda target: ["made for torch 2.10, here is 2.99"])
    with pytest.raises(PackagingError, match="here is 2.99.*write wheels/<new target>"):
        session_target(target.folder.parent)

    monkeypatch.setattr(image_build, "incompatibilities", lambda target: [])
    assert session_target(target.folder.parent).name == target.name


def test_toolkit_is_where_the_compiler_is(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    with pytest.raises(PackagingError, match="bin/nvcc.*run it with a GPU"):
        find_toolkit()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").write_text("")
    assert find_toolkit() == tmp_path and find_toolkit(str(tmp_path)) == tmp_path


def test_dataset_without_a_checkout_has_no_source(tmp_path, target, config):
    write_dataset({target.name: read_built(target)}, [target], tmp_path / "out", config)

    assert not (tmp_path / "out" / "source").exists()
