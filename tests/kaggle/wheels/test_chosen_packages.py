"""Datasets of packages that a user names: locked, built and laid out like the kit's, without the kit."""

import dataclasses

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import chosen_packages
from spectramind_kit.kaggle.wheels.chosen_packages import dataset_slug, parse_packages, target_of
from spectramind_kit.kaggle.wheels.dataset import dataset_metadata, write_dataset
from spectramind_kit.kaggle.wheels.targets import Pin, read_lock
from spectramind_kit.kaggle.wheels.wheelhouse import build_wheels

pytestmark = pytest.mark.usefixtures("offline_pip")
PACKAGES = {"tiny-spectra": "1.2", "tiny-grammar": "4.9"}


def test_names_and_versions_are_read():
    assert parse_packages(["Tiny_Spectra==1.2", "scan==2.3.2.post1+cu12"]) == {
        "tiny-spectra": "1.2",
        "scan": "2.3.2.post1+cu12",
    }


@pytest.mark.parametrize("text", ["tiny-spectra", "tiny-spectra>=1.2", "tiny==", "==1", "tiny==1.*", "a==1 b==2"])
def test_other_requirements_are_refused(text):
    with pytest.raises(PackagingError, match="wanted NAME==VERSION"):
        parse_packages([text])


def test_two_versions_of_one_package_are_refused():
    assert parse_packages(["tiny-spectra==1.2", "Tiny.Spectra==1.2"]) == {"tiny-spectra": "1.2"}
    with pytest.raises(PackagingError, match="--package Tiny_Spectra==1.3: wanted one version.*tiny-spectra==1.2"):
        parse_packages(["tiny-spectra==1.2", "Tiny_Spectra==1.3"])


def test_dataset_holds_the_packages_and_no_kit(target, tmp_path, config):
    chosen = target_of(PACKAGES, target, tmp_path / "cache", compiled=False)
    wheels = build_wheels(chosen, None)
    manifest = write_dataset({chosen.name: wheels}, [chosen], tmp_path / "out", config)
    readme = (tmp_path / "out" / "README.md").read_text()

    assert sorted(wheel["name"] for wheel in manifest["wheels"]) == sorted(PACKAGES)
    assert "tiny-grammar, tiny-spectra" in readme and "spectramind_kit.kaggle" not in readme
    assert not (tmp_path / "out" / "source").exists() and chosen.name == target.name


@pytest.fixture
def pins(monkeypatch):
    """A package index with one wheel, and one source whose set-up wants the torch that is here."""

    def find(name, version, target, *, compiled=False):
        if name == "tiny-grammar" and not compiled:
            raise PackagingError("pip download", got="No module named 'torch'")
        if name not in PACKAGES:
            raise PackagingError("pip download", got="no such distribution")
        suffix = ".tar.gz" if compiled else "-py3-none-any.whl"
        return Pin(name, version, "0" * 64, f"{name}-{version}{suffix}")

    monkeypatch.setattr(chosen_packages, "find_pin", find)


@pytest.mark.usefixtures("pins")
def test_source_is_compiled_where_a_compiler_was_chosen(target, tmp_path):
    chosen = target_of(PACKAGES, target, tmp_path, compiled=True)

    assert (dict(chosen.lacks), dict(chosen.compiled)) == ({"tiny-spectra": "1.2"}, {"tiny-grammar": "4.9"})
    assert {pin.name for pin in read_lock(chosen)} == set(PACKAGES)
    assert not target_of(PACKAGES, target, tmp_path, compiled=False).compiled


def test_source_that_builds_with_torch_is_refused_without_a_compiler(target, tmp_path, monkeypatch):
    def find(name, version, target, **_):
        return Pin(name, version, "0" * 64, f"{name}-{version}.tar.gz", builds_with_torch=True)

    monkeypatch.setattr(chosen_packages, "find_pin", find)
    with pytest.raises(PackagingError, match="got scan 1.0, which .* builds with torch; name a compiler: --toolchain"):
        target_of({"scan": "1.0"}, target, tmp_path, compiled=False)
    assert target_of({"scan": "1.0"}, target, tmp_path, compiled=True).compiled == {"scan": "1.0"}


def test_what_the_image_has_is_refused(target, tmp_path):
    target = dataclasses.replace(target, image={"NumPy": "2.0.2"})

    with pytest.raises(PackagingError, match="nothing that the image has, got numpy 2.0.2"):
        target_of({"numpy": "2.1"}, target, tmp_path, compiled=False)


@pytest.mark.usefixtures("pins")
def test_package_that_the_index_has_not_is_a_sentence(target, tmp_path):
    with pytest.raises(PackagingError, match="no such distribution"):
        target_of({"tiny-nothing": "1.0"}, target, tmp_path, compiled=False)


@pytest.mark.parametrize("names", [["mamba-ssm", "causal-conv1d"], ["a"], ["x" * 80], ["a.b_c"]])
def test_slug_is_one_of_kaggles(names):
    assert dataset_metadata(dataset_slug(names), "me")["id"].startswith("me/")
