"""Wheels without their local version: consistent inside, installable by pip and uv under the upload-safe name."""

import base64
import csv
import hashlib
import subprocess
import sys
import zipfile

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.upload_rules import SAFE_NAME
from spectramind_kit.kaggle.wheels.repack import public_name, without_local_version
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel
from tests.kaggle.tiny_packages import write_wheel

LOCAL = "2.3.1+cu12torch2.10cxx11abiTRUE"


@pytest.fixture
def wheel(tmp_path):
    """A wheel as upstream names its own, with a data folder and a description that mentions a version."""
    path = write_wheel(tmp_path, "tiny-scan", LOCAL)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"tiny_scan-{LOCAL}.data/data/share/scan.txt", "kept")
    return path


def test_local_version_is_gone_everywhere(wheel):
    new = without_local_version(wheel)

    assert new.name == "tiny_scan-2.3.1-py3-none-any.whl" and SAFE_NAME.fullmatch(new.name)
    assert not wheel.exists()
    assert read_wheel(new).version == "2.3.1"
    names = zipfile.ZipFile(new).namelist()
    assert not [name for name in names if "+" in name]
    assert "tiny_scan-2.3.1.data/data/share/scan.txt" in names


def test_record_tells_every_file_and_its_hash(wheel):
    with zipfile.ZipFile(without_local_version(wheel)) as archive:
        info = "tiny_scan-2.3.1.dist-info"
        rows = list(csv.reader(archive.read(f"{info}/RECORD").decode().splitlines()))
        assert sorted(row[0] for row in rows) == sorted(archive.namelist())
        for name, digest, size in rows:
            if name == f"{info}/RECORD":
                assert (digest, size) == ("", "")
                continue
            content = archive.read(name)
            wanted = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={wanted}", str(len(content)))


def test_only_the_version_line_of_the_head_changes(tmp_path):
    path = tmp_path / f"tiny_scan-{LOCAL}-py3-none-any.whl"
    head = f"Metadata-Version: 2.1\nName: tiny-scan\nVersion: {LOCAL}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"tiny_scan-{LOCAL}.dist-info/METADATA", f"{head}\n\nVersion: {LOCAL} of the text\n")
        archive.writestr(f"tiny_scan-{LOCAL}.dist-info/RECORD", "")
    with zipfile.ZipFile(without_local_version(path)) as archive:
        metadata = archive.read("tiny_scan-2.3.1.dist-info/METADATA").decode()

    assert metadata == f"{head.replace(LOCAL, '2.3.1')}\n\nVersion: {LOCAL} of the text\n"


def test_wheel_without_local_version_stays_as_it_is(tmp_path):
    path = write_wheel(tmp_path, "tiny-scan", "2.3.1")
    before = path.read_bytes()

    assert without_local_version(path) == path and path.read_bytes() == before


def test_file_without_metadata_is_refused(tmp_path):
    path = tmp_path / f"tiny_scan-{LOCAL}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_scan.py", "")

    with pytest.raises(PackagingError, match="RECORD"):
        without_local_version(path)


def test_name_keeps_its_tags():
    assert public_name("mamba_ssm-2.3.1+cu12-cp312-cp312-linux_x86_64.whl") == (
        "mamba_ssm-2.3.1-cp312-cp312-linux_x86_64.whl"
    )


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_installable_by_name_from_a_folder(wheel, tmp_path, tool):
    program = [sys.executable, "-m", "pip"] if tool == "pip" else [pytest.importorskip("uv").find_uv_bin(), "pip"]
    new = without_local_version(wheel)
    place = tmp_path / tool
    options = ["--no-index", "--no-deps", "--find-links", str(new.parent), "--target", str(place)]
    subprocess.run([*program, "install", "--quiet", *options, "tiny-scan==2.3.1"], check=True, capture_output=True)

    assert (place / "tiny_scan" / "__init__.py").is_file()
    assert (place / "tiny_scan-2.3.1.dist-info").is_dir()
