"""A kernel of one's own: works as it is written, under its own name, and follows its source."""

import json

import nbformat
import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.kernel_push import prepare_push
from spectramind_kit.kaggle.rules.kernel import check_kernel, read_metadata
from spectramind_kit.kaggle.rules.new_kernel import kernel_names, write_kernel


@pytest.mark.parametrize("example", ["submit", "train", "diagnose", "preprocess", "build-wheels"])
def test_each_kernel_of_the_kit_is_one_to_start_from(tmp_path, example):
    assert example in kernel_names()
    folder = write_kernel("my-own-kernel", example, tmp_path, "ada")
    metadata = read_metadata(folder)
    assert metadata["id"] == "ada/my-own-kernel" and metadata["title"] == "My own kernel"
    assert metadata["dataset_sources"] == ["ada/spectramind-wheels"]
    assert (folder / "my-own-kernel.ipynb").is_file() and check_kernel(folder).cells
    push = prepare_push(folder, 3600)
    assert push.metadata["id"] == "ada/my-own-kernel"


def test_the_command_names_it_and_notebooks_follow_their_source(spectramind, tmp_path):
    status, out, _ = spectramind("new", "kernel", "mine-too", "--out", tmp_path, "kaggle.owner=ada")
    assert status == 0 and "spectramind dry-run" in out
    folder = tmp_path / "mine-too"
    source = folder / "mine-too.py"
    source.write_text(source.read_text() + "\n# %%\nprint('more')\n")
    with pytest.raises(PackagingError, match="notebooks"):
        check_kernel(folder)
    status, out, err = spectramind("wheels", "notebooks", "--folder", folder)
    assert status == 0, err
    assert "print('more')" in nbformat.read(folder / "mine-too.ipynb", as_version=4).cells[-1].source
    assert json.loads((folder / "kernel-metadata.json").read_text())["id"] == "ada/mine-too"


@pytest.mark.parametrize(
    "name, example, said",
    [
        ("My_Kernel", "submit", "small letters"),
        ("../up", "submit", "small letters"),
        ("mine", "sbumit", "build-wheels or diagnose or"),
    ],
)
def test_what_cannot_be_a_kernel_is_refused(tmp_path, name, example, said):
    with pytest.raises(PackagingError, match=said):
        write_kernel(name, example, tmp_path, "ada")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(PackagingError, match="stays as it is"):
        write_kernel("mine", "submit", tmp_path, "ada")
    assert not list((tmp_path / "mine").iterdir())


def test_a_model_is_meant_where_neither_is_named(spectramind, tmp_path):
    for words in (("short_ridge",), ("model", "long_ridge"), ("--sort", "regressor", "last_ridge")):
        status, out, err = spectramind("new", *words, "--out", tmp_path)
        assert status == 0 and "try: spectramind selftest" in out, err
    assert {path.stem for path in tmp_path.glob("*_ridge.py")} >= {"short_ridge", "long_ridge", "last_ridge"}
