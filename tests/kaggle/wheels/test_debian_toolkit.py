"""The toolkit of Debian's compiler and the index's headers: asked for, fetched apart, laid out as nvcc wants it."""

import dataclasses
import os
import zipfile
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import debian_toolkit
from spectramind_kit.kaggle.wheels.debian_toolkit import HEADERS, UNPACKED, check_target, make_toolkit
from spectramind_kit.kaggle.wheels.targets import load_target

NVCC = '#!/bin/sh\necho "Cuda compilation tools, release 12.4, V12.4.131"\n'
APT = """#!/bin/sh
echo "$@" >> {record}
case "$*" in *download*) touch nvidia-cuda-toolkit_12.4_amd64.deb;; esac
"""
DPKG = '#!/bin/sh\ncp -r "{package}/." "$3"\n'


@pytest.fixture
def debian(tmp_path, monkeypatch):
    """Programs in the place of Debian's; the package that they hand out, of the real layout, and apt's calls."""
    package, programs, record = tmp_path / "package", tmp_path / "programs", tmp_path / "apt.txt"
    programs.mkdir()
    for place in UNPACKED:
        (package / place).parent.mkdir(parents=True, exist_ok=True)
        if place.endswith(("crt", "libdevice")):
            (package / place).mkdir()
            (package / place / "part").write_text("")
        else:
            (package / place).write_text(NVCC)
            (package / place).chmod(0o755)
    for name, text in {"apt-get": APT, "dpkg-deb": DPKG}.items():
        (programs / name).write_text(text.format(record=record, package=package))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(debian_toolkit, "KEYRING", Path(__file__))
    monkeypatch.setattr(debian_toolkit, "run_pip", index)
    return package, record


def index(arguments):
    """Stand in for pip: the headers and the runtime, as wheels."""
    folder = Path(arguments[arguments.index("--dest") + 1])
    assert "--require-hashes" in arguments and (folder / "requirements.txt").read_text() == HEADERS
    with zipfile.ZipFile(folder / "nvidia_cuda_runtime.whl", "w") as archive:
        archive.writestr("nvidia/cuda_runtime/include/cuda_runtime.h", "")
        archive.writestr("nvidia/cuda_nvcc/include/crt/host_config.h", "")
        archive.writestr("nvidia/cuda_runtime/lib/libcudart.so.12", "")


def test_toolkit_is_laid_out_once(debian, tmp_path):
    home = make_toolkit(tmp_path / "cache", accept_licence=True)

    for place in ("bin/nvcc", "bin/cudafe++", "bin/cuobjdump", "nvvm/bin/cicc", "nvvm/libdevice/part", "bin/crt/part"):
        assert (home / place).is_file(), place
    assert "$(TOP)/nvvm/libdevice" in (home / "bin" / "nvcc.profile").read_text()
    assert (home / "include" / "cuda_runtime.h").is_file() and (home / "include" / "crt" / "host_config.h").is_file()
    assert (home / "lib64" / "libcudart.so").resolve().name == "libcudart.so.12"
    assert (home / "LICENSE").is_file() and [path.name for path in home.parent.iterdir()] == [home.name]
    calls = debian[1].read_text()
    assert make_toolkit(tmp_path / "cache", accept_licence=False) == home and debian[1].read_text() == calls


def test_apt_has_nothing_of_the_machines(debian, tmp_path):
    make_toolkit(tmp_path / "cache", accept_licence=True)
    for call in debian[1].read_text().splitlines():
        settings = dict(part.split("=", 1) for part in call.split() if "::" in part)
        assert settings["Dir::Etc::sourceparts"] == os.devnull
        for key in ("Dir::Etc::sourcelist", "Dir::State", "Dir::State::status", "Dir::Cache"):
            assert settings[key].startswith(str(tmp_path / "cache")), key
        assert "install" not in call.split()


def test_licence_is_asked_for_before_anything_is_fetched(debian, tmp_path):
    with pytest.raises(PackagingError, match="wanted --accept-licence, got .*non-free.*nvidia.com"):
        make_toolkit(tmp_path / "cache", accept_licence=False)
    assert not debian[1].exists()


def test_package_that_lacks_a_part_leaves_nothing(debian, tmp_path):
    (debian[0] / "usr/bin/cudafe++").unlink()

    with pytest.raises(PackagingError, match="wanted usr/bin/cudafe.., got no such file"):
        make_toolkit(tmp_path / "cache", accept_licence=True)
    assert not list((tmp_path / "cache").iterdir())


def test_compiler_of_another_version_is_refused(debian, tmp_path):
    nvcc = debian[0] / "usr/lib/nvidia-cuda-toolkit/bin/nvcc"
    nvcc.write_text(NVCC.replace("12.4", "12.8"))

    with pytest.raises(PackagingError, match="wanted 12.4, got 12.8"):
        make_toolkit(tmp_path / "cache", accept_licence=True)


def test_failing_apt_shows_its_last_words(debian, tmp_path):
    (tmp_path / "programs" / "apt-get").write_text("#!/bin/sh\necho 'E: The repository is not signed.' >&2; exit 100\n")

    with pytest.raises(PackagingError, match="apt-get update: got E: The repository is not signed"):
        make_toolkit(tmp_path / "cache", accept_licence=True)


def test_machine_without_apt_or_keys_is_told_so(debian, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackagingError, match="apt-get: wanted on the path.*--cuda-home"):
        make_toolkit(tmp_path / "cache", accept_licence=True)
    monkeypatch.setattr(debian_toolkit, "KEYRING", tmp_path / "none.gpg")
    with pytest.raises(PackagingError, match="Debian's keys.*--cuda-home"):
        make_toolkit(tmp_path / "cache", accept_licence=True)


def test_targets_of_another_cuda_are_refused(target):
    check_target(target)
    with pytest.raises(PackagingError, match="wanted CUDA 12, got 13.0; take --toolchain pypi"):
        check_target(dataclasses.replace(target, cuda="13.0"))


def test_it_serves_kaggles_image():
    check_target(load_target(Path(__file__).parents[3] / "wheels", "cp312-torch2.10-cu128"))
