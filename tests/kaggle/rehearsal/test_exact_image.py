"""The environment in an image's versions: made once, checked, left alone by what runs over it."""

import dataclasses
import subprocess
import sys
import zipfile

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rehearsal.dry_run import packages_note
from spectramind_kit.kaggle.rehearsal.exact_image import TEST_PINS, make_exact_image, make_test_environment
from spectramind_kit.kaggle.rehearsal.image_environment import make_environment
from spectramind_kit.kaggle.rehearsal.notebook_run import places_of_python
from spectramind_kit.kaggle.wheels import image_lock
from spectramind_kit.kaggle.wheels.install import CXX11_SYMBOL
from tests.kaggle.tiny_packages import PYPROJECT, write_wheel

HERE = "{}.{}".format(*sys.version_info)


@pytest.fixture
def exact(target, tmp_path, monkeypatch):
    """A target of the running Python whose image holds a tiny torch and one distribution more."""
    pytest.importorskip("uv")
    index = tmp_path / "uv-index"
    index.mkdir()
    torch = write_wheel(index, "torch", "2.10.0")
    with zipfile.ZipFile(torch, "a") as archive:
        archive.writestr("torch/version.py", "__version__ = '2.10.0+cu128'\ncuda = '12.8'\n")
        archive.writestr("torch/lib/libc10.so", CXX11_SYMBOL)
    for version in ("1.0", "1.2"):
        write_wheel(index, "tiny-star", version)
    write_wheel(index, "tiny-spectra", "1.2")
    write_wheel(index, "tiny-tool", "5.0")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    (target.folder / image_lock.LOCK_NAME).write_text("tiny-star==1.0\ntorch==2.10.0\n")
    return dataclasses.replace(target, python=HERE, image={"tiny-star": "*"}, lacks={"tiny-spectra": "1.2"})


def answer(environment, code):
    done = subprocess.run([str(environment.python), "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_holds_the_locks_versions_and_is_made_once(exact, tmp_path, monkeypatch):
    image = make_exact_image(exact, tmp_path / "cache")
    assert answer(image, "import tiny_star; print(tiny_star.version)") == "1.0"

    monkeypatch.setattr("spectramind_kit.kaggle.rehearsal.exact_image.run_uv", None)
    assert make_exact_image(exact, tmp_path / "cache") == image


def test_another_lock_is_another_environment(exact, tmp_path):
    first = make_exact_image(exact, tmp_path / "cache")
    (exact.folder / image_lock.LOCK_NAME).write_text("tiny-star==1.2\ntorch==2.10.0\n")
    second = make_exact_image(exact, tmp_path / "cache")

    assert first != second and answer(second, "import tiny_star; print(tiny_star.version)") == "1.2"


def test_an_interrupted_one_is_made_anew(exact, tmp_path):
    image = make_exact_image(exact, tmp_path / "cache")
    (image.folder / "ready").unlink()
    (image.site_packages / "left.py").write_text("")

    assert make_exact_image(exact, tmp_path / "cache") == image
    assert not (image.site_packages / "left.py").exists()


def test_torch_of_another_cuda_is_refused(exact, tmp_path):
    with pytest.raises(PackagingError, match="made for cuda 13.0, here is 12.8.*UV_EXTRA_INDEX_URL"):
        make_exact_image(dataclasses.replace(exact, cuda="13.0"), tmp_path / "cache")


def test_a_version_that_cannot_be_had_is_named(exact, tmp_path):
    (exact.folder / image_lock.LOCK_NAME).write_text("tiny-star==7.0\n")
    with pytest.raises(PackagingError, match="tiny-star==7.0"):
        make_exact_image(exact, tmp_path / "cache")


def test_a_dry_run_links_to_it_and_says_that_versions_agree(exact, tmp_path):
    image = make_exact_image(exact, tmp_path / "cache")
    environment = make_environment(exact, tmp_path / "venv", image)

    assert environment.linked == {"tiny-star": "1.0", "torch": "2.10.0"} and environment.exact
    assert answer(environment, "import tiny_star; print(tiny_star.version)") == "1.0"
    assert str(image.site_packages) in places_of_python(environment) and environment.base == image.base
    check = packages_note(environment, exact)
    assert (check.state, check.detail) == ("ok", "2 distributions in the image's versions; not here: none")


def test_linked_packages_say_what_differs(exact, tmp_path):
    """What the record names is told by name, what it requires by number."""
    other = dataclasses.replace(exact, image={"numpy": "0.1", "papermill": "*"})
    environment = make_environment(other, tmp_path / "venv")
    (exact.folder / image_lock.LOCK_NAME).write_text("numpy==0.1\nclick==0.1\npyyaml==0.1\n")
    check = packages_note(environment, other)

    assert check.state == "note" and "(image 0.1) and 2 more" in check.detail
    assert f"numpy {environment.linked['numpy']} (image 0.1)" in check.detail


def test_tests_get_the_checkout_and_what_the_image_has_not(exact, tmp_path, project):
    (project / TEST_PINS).write_text("# tools\ntiny-tool==5.0\ntiny-star==1.2\n")
    (project / "backend.py").write_text(EDITABLE)
    (project / "pyproject.toml").write_text(PYPROJECT)
    image = make_exact_image(exact, tmp_path / "cache")
    (image.site_packages / "shim.pth").write_text("import sys; sys.shim_of_the_image = True\n")
    (image.folder / "share" / "jupyter").mkdir(parents=True)
    tests = make_test_environment(exact, tmp_path / "cache", project)
    names = "tiny_star", "tiny_tool", "tiny_spectra"
    versions = [answer(tests, f"import {name}; print({name}.version)") for name in names]

    assert versions == ["1.0", "5.0", "1.2"]
    kit = answer(tests, "import spectramind_kit; print(spectramind_kit.__file__)")
    assert kit == str(project / "spectramind_kit" / "__init__.py")
    assert answer(tests, "import sys; print(sys.shim_of_the_image)") == "True"
    assert (tests.folder / "share" / "jupyter").is_dir()
    assert not [*image.site_packages.glob("tiny_tool*"), *image.site_packages.glob("*spectramind*")]


EDITABLE = """
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    file, info = "spectramind_kit-0.1-py3-none-any.whl", "spectramind_kit-0.1.dist-info"
    with zipfile.ZipFile(os.path.join(folder, file), "w") as archive:
        archive.writestr("spectramind_kit.pth", os.getcwd())
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: spectramind-kit\\nVersion: 0.1\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
    return file

build_wheel = build_editable
"""
"""A build backend of the checkout that needs nothing."""
