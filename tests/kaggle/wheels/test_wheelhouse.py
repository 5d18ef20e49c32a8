"""Wheels of a target: what is built, what is taken from an earlier build, what is refused."""

import dataclasses
import zipfile
from pathlib import Path

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.wheels import package_index
from spectramind_kit.kaggle.wheels.package_index import make_lock
from spectramind_kit.kaggle.wheels.targets import LOCK_NAME, incompatibilities, load_target, read_lock, target_names
from spectramind_kit.kaggle.wheels.wheel_file import read_wheel
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels, check_fit, project_recipe, read_built
from tests.kaggle.tiny_packages import write_wheel

pytestmark = pytest.mark.usefixtures("offline_pip")


def test_builds_project_wheel_sdist_and_wheel(target, project):
    built = build_wheels(target, project)

    assert built == read_built(target)
    assert {wheel.file for wheel in built} == {path.name for path in target.folder.glob("*.whl")}
    assert [read_wheel(target.folder / wheel.file).name for wheel in built] == [
        "spectramind-kit",
        "tiny-spectra",
        "tiny-grammar",
    ]
    assert all(sha256_of(target.folder / wheel.file) == wheel.sha256 for wheel in built)


def test_project_wheel_leaves_no_litter_in_checkout_and_carries_none(target, project):
    (target.folder / "built.json").unlink()
    before = sorted(project.rglob("*"))
    built = build_wheels(target, project)

    assert sorted(project.rglob("*")) == before
    assert not [n for n in zipfile.ZipFile(target.folder / built[0].file).namelist() if "pycache" in n]


def test_second_build_runs_no_pip(target, project, monkeypatch):
    first = read_built(target)
    monkeypatch.setattr("spectramind_kit.kaggle.wheels.package_index.run_pip", _must_not_run)

    assert build_wheels(target, project) == first


def test_changed_source_rebuilds_only_the_project(target, project):
    first = read_built(target)
    (project / "spectramind_kit" / "probe.py").write_text("changed = True\n")
    second = build_wheels(target, project)

    assert second[0].sha256 != first[0].sha256
    assert second[1:] == first[1:]


def test_interrupted_build_records_only_what_lies_there(target, project, monkeypatch):
    (target.folder / read_built(target)[2].file).unlink()
    (project / "spectramind_kit" / "probe.py").write_text("changed = True\n")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(PackagingError, match="tiny"):
        build_wheels(target, project)

    assert all(sha256_of(target.folder / wheel.file) == wheel.sha256 for wheel in read_built(target))
    assert len(read_built(target)) == 2


def test_altered_wheel_in_store_is_built_again(target, project):
    first = read_built(target)
    (target.folder / first[1].file).write_bytes(b"altered")

    assert build_wheels(target, project) == first


def test_wheel_of_an_earlier_version_is_removed(target, project):
    (target.folder / "tiny_spectra-1.1-py3-none-any.whl").write_bytes(b"old")
    built = build_wheels(target, project)

    assert {path.name for path in target.folder.glob("*.whl")} == {wheel.file for wheel in built}


def test_download_with_another_hash_is_refused(target, project):
    (target.folder / "built.json").unlink()
    lock = target.folder / LOCK_NAME
    pin = read_lock(target)[0]
    lock.write_text(lock.read_text().replace(pin.sha256, "0" * 64))

    with pytest.raises(PackagingError, match="(?i)hash"):
        build_wheels(target, project)


def test_make_lock_finds_wheel_first_and_source_else(target):
    reviewed = read_lock(target)

    assert make_lock(target) == reviewed
    assert [pin.is_sdist for pin in reviewed] == [False, True]
    assert read_lock(target) == reviewed


def test_source_is_asked_for_its_version_with_the_tools_that_are_here_first(target, monkeypatch):
    asked = []

    def download_source(name, arguments, folder, *, isolated=True, **_):
        asked.append(isolated)
        if len(asked) < 2:
            raise PackagingError("pip download", got="no hatchling here")
        (folder / f"{name}-1.0.tar.gz").write_bytes(b"")

    monkeypatch.setattr(package_index, "download_source", download_source)
    monkeypatch.setattr(package_index, "download", lambda *_: (_ for _ in ()).throw(PackagingError("no wheel")))

    assert package_index.find_pin("scan", "1.0", target).filename == "scan-1.0.tar.gz"
    assert asked == [False, True]


def test_lock_that_differs_from_the_record_is_refused(target):
    changed = dataclasses.replace(target, lacks={**target.lacks, "tiny-spectra": "1.3"})

    with pytest.raises(PackagingError, match="1.3.*lock --target"):
        read_lock(changed)


def test_unhashed_line_is_refused(target):
    (target.folder / LOCK_NAME).write_text("tiny-spectra==1.2\n")

    with pytest.raises(PackagingError, match="sha256"):
        read_lock(target)


def test_unknown_target_names_the_known(target):
    with pytest.raises(PackagingError, match=target.name):
        load_target(target.folder.parent, "cp399")
    assert target_names(target.folder.parent) == [target.name]


def test_incompatibilities_name_what_differs_here(target):
    reasons = incompatibilities(dataclasses.replace(target, python="2.7"))

    assert "made for python 2.7" in reasons[0]


@pytest.mark.parametrize(
    "tag, compiled, fits",
    [
        ("py3-none-any", False, True),
        ("cp312-cp312-linux_x86_64", True, True),
        ("cp311-cp311-linux_x86_64", True, False),
        ("py2-none-any", False, False),
        ("py3-none-linux_x86_64", True, False),
    ],
)
def test_tag_fits_target(tmp_path, target, tag, compiled, fits):
    path = write_wheel(tmp_path, "tagged", "1.0", tag, pure=str(not compiled).lower())
    if fits:
        check_fit(path, read_wheel(path), target)
    else:
        with pytest.raises(PackagingError, match="cp312"):
            check_fit(path, read_wheel(path), target)


@pytest.mark.parametrize("name", ["numpy", "Unheard.Of_Package"])
def test_what_the_image_has_is_never_bundled_however_it_is_spelt(tmp_path, target, name):
    path = write_wheel(tmp_path, name, "2.4")
    with pytest.raises(PackagingError, match=name):
        check_fit(path, read_wheel(path), target)


def _must_not_run(*arguments):
    raise AssertionError(f"pip was run: {arguments}")


def test_wheel_of_this_repository_carries_its_configuration(tmp_path, target, monkeypatch):
    pytest.importorskip("setuptools", minversion="70")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads it as "no isolation": setuptools is already here
    project_recipe(Path(__file__).parents[3], target).make(tmp_path / "out")
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {"spectramind_kit/conf/config.yaml", "spectramind_kit/conf/kaggle/nominal.yaml"} <= set(names)
    assert "spectramind_kit/kaggle/wheels/install.py" in names
    assert not [name for name in names if name.startswith(("tests", "kernels", "build"))]
    contents = read_wheel(wheel)
    assert (contents.name, contents.imports, contents.compiled) == ("spectramind-kit", ("spectramind_kit",), False)
