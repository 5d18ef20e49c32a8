"""The dataset's folder: what Kaggle would refuse is refused first, and the client's own checks pass."""

import dataclasses
import json

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.files import sha256_of
from spectramind_kit.kaggle.wheels.dataset import dataset_metadata, write_dataset
from spectramind_kit.kaggle.wheels.wheelhouse import read_built


@pytest.fixture
def dataset(tmp_path, target, config):
    """A built dataset and its manifest."""
    out = tmp_path / "dist" / "anything"
    return out, write_dataset({target.name: read_built(target)}, [target], out, config)


def test_manifest_describes_every_wheel(dataset, target):
    out, manifest = dataset

    assert json.loads((out / "manifest.json").read_text()) == manifest
    assert manifest["targets"][target.name] == target.facts()
    assert {wheel["path"] for wheel in manifest["wheels"]} == {
        str(path.relative_to(out)) for path in out.rglob("*.whl")
    }
    for wheel in manifest["wheels"]:
        assert sha256_of(out / wheel["path"]) == wheel["sha256"]
        assert (out / wheel["path"]).stat().st_size == wheel["size"]
        assert wheel["target"] == target.name and not wheel["compiled"] and wheel["original_name"].endswith(".whl")
    spectra = next(wheel for wheel in manifest["wheels"] if wheel["name"] == "tiny-spectra")
    assert (spectra["version"], spectra["licence"], spectra["imports"]) == ("1.2", "MIT", ["tiny_spectra"])
    assert "tiny_spectra-1.2" in spectra["source"] and "sha256:" in spectra["source"]


def test_files_a_user_needs_are_there(dataset):
    out, _ = dataset

    assert sorted(path.name for path in out.iterdir()) == [
        "LICENSES",
        "README.md",
        "dataset-metadata.json",
        "install.py",
        "manifest.json",
        "wheels",
    ]
    assert "You may." in (out / "LICENSES").read_text()
    assert (out / "README.md").read_text().count("```python") == 2


def test_kaggle_client_accepts_the_metadata(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("KAGGLE_USERNAME", "somebody")
    monkeypatch.setenv("KAGGLE_KEY", "0" * 32)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    extended = pytest.importorskip("kaggle.api.kaggle_api_extended")
    api = extended.KaggleApi()
    out, _ = dataset
    metadata = json.loads((out / "dataset-metadata.json").read_text())

    assert str(api.get_dataset_metadata_file(str(out))).endswith("dataset-metadata.json")
    assert api.validate_dataset_string(metadata["id"]) in (None, True)
    assert [licence["name"] for licence in metadata["licenses"]] == ["other"]
    assert 6 <= len(metadata["title"]) <= 50 and 20 <= len(metadata["subtitle"]) <= 80


def test_second_write_gives_the_same_bytes(dataset, target, config):
    out, _ = dataset
    before = {path: sha256_of(path) for path in out.rglob("*") if path.is_file()}
    write_dataset({target.name: read_built(target)}, [target], out, config)

    assert {path: sha256_of(path) for path in out.rglob("*") if path.is_file()} == before


def test_folder_of_something_else_is_not_overwritten(tmp_path, target, config):
    (tmp_path / "precious.txt").write_text("x")

    with pytest.raises(PackagingError, match="precious.txt"):
        write_dataset({target.name: []}, [target], tmp_path, config)
    assert (tmp_path / "precious.txt").is_file()


@pytest.mark.parametrize("slug", ["short", "x" * 51, "Capital-letters", "under_score", "double--dash", "-dash-first"])
def test_slugs_outside_the_rules_are_refused(slug):
    with pytest.raises(PackagingError, match="kaggle.dataset"):
        dataset_metadata(slug, "somebody")


def test_slug_and_owner_come_from_the_configuration(config):
    other = dataclasses.replace(config, owner="me", dataset="my-ariel-wheels")

    assert dataset_metadata(other.dataset, other.owner)["id"] == "me/my-ariel-wheels"
