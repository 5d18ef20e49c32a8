"""A tiny target, project, competition and kernel, and a Kaggle on the loopback: all without network."""

import os

os.environ["KAGGLE_API_ENVIRONMENT"] = "LOCALHOST"  # read when the client is imported: no test may speak to Kaggle

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.remote.polling import PollingPolicy
from spectramind_kit.kaggle.wheels.targets import LOCK_NAME, Pin, Target, load_target
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels
from spectramind_kit.settings.kaggle import KaggleConfig
from tests.kaggle.loopback import LoopbackKaggle, client_variables, serving
from tests.kaggle.tiny_packages import BACKEND, KERNEL, PROBE, PYPROJECT, write_kernel, write_sdist, write_wheel

TARGET = """
python = "3.12"
torch = "2.10"
cuda = "12.8"
cxx11_abi = true
glibc = "2.35"
architectures = ["sm_75"]
[lacks]
tiny-spectra = "1.2"
tiny-grammar = "4.9"
[image]
ipykernel = "6.17.1"
numpy = "2.0.2"
papermill = "*"
pip = "24.1.2"
unheard-of-package = "1.0"
"""


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    """A folder pip can find links in: a wheel and a source distribution."""
    folder = tmp_path_factory.mktemp("index")
    write_wheel(folder, "tiny-spectra", "1.2")
    write_sdist(folder, "tiny-grammar", "4.9")
    return folder


@pytest.fixture
def offline_pip(index, monkeypatch) -> None:
    """Let pip find distributions in the local folder only."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))


@pytest.fixture(scope="session")
def built(tmp_path_factory, index) -> tuple[Path, Path]:
    """The tiny target and checkout with their wheels built, once: (folder of the target, checkout)."""
    root = tmp_path_factory.mktemp("built")
    target, project = make_target(root / "wheels", index), make_project(root / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(index))
        build_wheels(target, project)
    return target.folder, project


@pytest.fixture
def target(tmp_path, built) -> Target:
    """A target whose wheels have been built."""
    folder = shutil.copytree(built[0], tmp_path / "wheels" / built[0].name)
    return load_target(folder.parent, folder.name)


@pytest.fixture
def project(tmp_path, built) -> Path:
    """The checkout that the target's wheels were built from."""
    return shutil.copytree(built[1], tmp_path / "project")


def make_target(wheels: Path, index: Path) -> Target:
    """Write a target with a lock on the local index."""
    folder = wheels / "cp312-torch2.10-cu128"
    folder.mkdir(parents=True)
    (folder / "target.toml").write_text(TARGET)
    names = {
        "tiny-spectra": ("1.2", "tiny_spectra-1.2-py3-none-any.whl"),
        "tiny-grammar": ("4.9", "tiny-grammar-4.9.tar.gz"),
    }
    pins = [Pin(name, version, sha256_of(index / file), file) for name, (version, file) in names.items()]
    (folder / LOCK_NAME).write_text("# hashed pins\n" + "".join(f"{pin.line()}\n" for pin in pins))
    return load_target(wheels, folder.name)


def make_project(folder: Path) -> Path:
    """Write a checkout of a tiny kit."""
    (folder / "spectramind_kit" / "__pycache__").mkdir(parents=True)
    (folder / "spectramind_kit" / "__init__.py").write_text("")
    (folder / "spectramind_kit" / "probe.py").write_text(PROBE)
    (folder / "spectramind_kit" / "backend.py").write_text(
        BACKEND.format(name="spectramind-kit", version="0.1", module="spectramind_kit")
    )
    (folder / "spectramind_kit" / "__pycache__" / "stale.pyc").write_text("stale")
    (folder / "pyproject.toml").write_text(PYPROJECT.replace('["."]', '["spectramind_kit"]'))
    (folder / "setup.cfg").write_text("[metadata]\n")
    return folder


@pytest.fixture
def competition(tmp_path) -> Path:
    """A competition folder with an answer for three planets, and with what no session may see."""
    folder = tmp_path / "competition"
    (folder / "test" / "1").mkdir(parents=True)
    (folder / "truth").mkdir()
    (folder / "truth" / "test.csv").write_text("planet_id,wl_1,sigma_1\n1,0.1,0.1\n")
    (folder / "simulation.json").write_text("{}")
    (folder / "adc_info.csv").write_text("gain\n1\n")
    (folder / "sample_submission.csv").write_text("planet_id,wl_1,sigma_1\n1,0.1,0.1\n2,0.1,0.1\n3,0.1,0.1\n")
    return folder


@pytest.fixture
def kernel(tmp_path) -> Path:
    """A kernel that installs the dataset and lets the tiny kit write a submission."""
    return write_kernel(tmp_path / "kernels" / "tiny", KERNEL)


@pytest.fixture
def config() -> KaggleConfig:
    """Limits and names for the tiny dataset."""
    return KaggleConfig(
        target="cp312-torch2.10-cu128",
        owner="somebody",
        dataset="tiny-wheels",
        competition="tiny-competition",
        layout="owner",
        hours=9.0,
        rerun_planets=1100,
        cores=4,
        memory_gb=29.0,
        disk_gb=20.0,
    )


@pytest.fixture
def kaggle(tmp_path, monkeypatch) -> Iterator[LoopbackKaggle]:
    """A Kaggle on the loopback that the real client speaks to as somebody; the test fails if it speaks to others."""
    home = tmp_path / "client-home"
    home.mkdir()
    contacted = set()
    connect = socket.socket.connect

    def watched(self, address):
        contacted.add(address)
        return connect(self, address)

    with serving() as server:
        for name in ("no_proxy", "NO_PROXY", "KAGGLE_API_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in client_variables(server.port, home).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tempfile, "tempdir", str(home))
        monkeypatch.setattr(socket.socket, "connect", watched)
        server.competitions.add("tiny-competition")
        yield server
    assert not server.foreign and contacted <= {("127.0.0.1", server.port)}


@pytest.fixture
def api(kaggle):
    """The official client, opened."""
    from spectramind_kit.kaggle.remote.client import open_client

    return open_client()


@pytest.fixture
def polling() -> PollingPolicy:
    """More than a loopback needs, on however busy a machine."""
    return PollingPolicy(poll=0.01, timeout=60.0)


@pytest.fixture
def short_polling() -> PollingPolicy:
    """For what never comes."""
    return PollingPolicy(poll=0.01, timeout=0.3)


@pytest.fixture
def wheel_folder(tmp_path) -> Path:
    """A folder to push: metadata, a manifest, and wheels in a folder of their own."""
    folder = tmp_path / "tiny-wheels"
    (folder / "wheels" / "cp312").mkdir(parents=True)
    (folder / "wheels" / "cp312" / "tiny-1.0-py3-none-any.whl").write_bytes(b"wheel" * 1000)
    (folder / "manifest.json").write_text("{}")
    facts = {"id": "somebody/tiny-wheels", "title": "Tiny wheels", "licenses": [{"name": "other"}]}
    (folder / "dataset-metadata.json").write_text(json.dumps({**facts, "subtitle": "Wheels for tests, all tiny"}))
    return folder
