"""A hub's kernel in the dataset: which builds go along, and what the installer makes of them."""

import json
import os

import pytest

from spectramind_kit import hub_kernel
from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.wheels import install
from spectramind_kit.kaggle.wheels.dataset import write_dataset
from spectramind_kit.kaggle.wheels.wheelhouse import read_built

FITTING = "torch210-cxx11-cu128-x86_64-linux"
OTHERS = ("torch210-cxx11-cu130-x86_64-linux", "torch211-cxx11-cu128-x86_64-linux", "torch210-cxx98-cu128-x86_64-linux")
STATED = {
    "id": "_mamba_ssm_abc",
    "name": "mamba-ssm",
    "license": "Apache-2.0",
    "backend": {"archs": ["7.5", "8.0+PTX"]},
}


@pytest.fixture
def kernel(tmp_path):
    """A downloaded kernel with builds for several torches."""
    for name in (FITTING, *OTHERS):
        folder = tmp_path / "downloaded" / "build" / name
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "x.pyc").write_text("")
        (folder / "__init__.py").write_text(f"build = {name!r}\n")
        (folder / "metadata.json").write_text(json.dumps(STATED))
    return tmp_path / "downloaded"


@pytest.fixture
def dataset(tmp_path, target, config, kernel):
    """A dataset with that kernel."""
    out = tmp_path / "dataset"
    return out, write_dataset({target.name: read_built(target)}, [target], out, config, hub_kernel=kernel)


@pytest.fixture(autouse=True)
def no_kernel_named(monkeypatch, tmp_path):
    """Name no kernel beforehand, and forget afterwards what an installer names."""
    monkeypatch.setenv(hub_kernel.VARIABLE, "")
    monkeypatch.setenv(install.INPUT_ROOT_VARIABLE, str(tmp_path / "input"))


def test_only_builds_for_the_targets_go_along_with_their_hashes_and_licence(dataset):
    out, manifest = dataset
    assert [path.name for path in (out / "hub" / "mamba-ssm" / "build").iterdir()] == [FITTING]
    assert set(manifest["hub_kernel"]["files"]) == {f"build/{FITTING}/__init__.py", f"build/{FITTING}/metadata.json"}
    assert "kernels-community/mamba-ssm of Hugging Face's hub: Apache-2.0" in (out / "LICENSES").read_text()


def test_the_installer_names_it_to_the_kit(dataset, capsys):
    out, manifest = dataset
    install.attach_kernel(out, manifest)

    assert hub_kernel.attached_kernel() == out / "hub" / "mamba-ssm"
    assert hub_kernel.fitting_build(hub_kernel.attached_kernel(), "2.10.0", "12.8").folder.name == FITTING
    assert "kernel of Hugging Face's hub" in capsys.readouterr().out


def test_the_users_own_choice_stays(dataset, monkeypatch):
    monkeypatch.setenv(hub_kernel.VARIABLE, "kernels-community/mamba-ssm=/mine")
    install.attach_kernel(*dataset)
    assert os.environ[hub_kernel.VARIABLE] == "kernels-community/mamba-ssm=/mine"


def test_the_users_other_kernels_stay(dataset, monkeypatch):
    monkeypatch.setenv(hub_kernel.VARIABLE, "kernels-community/activation=/mine")
    install.attach_kernel(*dataset)
    assert os.environ[hub_kernel.VARIABLE].startswith("kernels-community/activation=/mine:kernels-community/mamba-ssm=")


@pytest.mark.parametrize("damage", [lambda path: path.write_text("build = 1\n"), lambda path: path.unlink()])
def test_an_altered_one_is_refused(dataset, damage):
    out, manifest = dataset
    damage(out / "hub" / "mamba-ssm" / "build" / FITTING / "__init__.py")
    with pytest.raises(install.InstallError, match="__init__.py was altered or is missing"):
        install.attach_kernel(out, manifest)
    assert hub_kernel.attached_kernel() is None


@pytest.mark.parametrize("place", ["mamba-ssm", "datasets/me/mamba", "models/hf/mamba-ssm/other/default/1"])
def test_one_attached_beside_the_dataset_is_found(tmp_path, kernel, place):
    folder = tmp_path / "input" / place
    folder.parent.mkdir(parents=True)
    kernel.rename(folder)
    install.attach_kernel(tmp_path, {})
    assert hub_kernel.attached_kernel() == folder


def test_planets_are_not_searched(tmp_path, kernel):
    """A competition has thousands of folders, on a slow disk."""
    planets = tmp_path / "input" / "competitions" / "ariel"
    (planets / "test" / "1").mkdir(parents=True)
    (planets / "sample_submission.csv").write_text("")
    many = tmp_path / "input" / "datasets" / "me" / "curves"
    for number in range(install.MANY_FOLDERS + 1):
        (many / str(number) / "deep").mkdir(parents=True)
    kernel.rename(tmp_path / "input" / "datasets" / "me" / "mamba-ssm")
    searched = {str(path.relative_to(tmp_path / "input")) for path in install.attached_folders(tmp_path / "input")}

    assert "competitions/ariel" in searched and "datasets/me/curves" in searched and "datasets/me/mamba-ssm" in searched
    assert not [path for path in searched if path.startswith(("competitions/ariel/", "datasets/me/curves/"))]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"name": 5}', '{"name": null}'])
def test_metadata_of_others_costs_no_session(tmp_path, text):
    build = tmp_path / "input" / "theirs" / "build" / "torch210-cxx11-cu128-x86_64-linux"
    build.mkdir(parents=True)
    (build / "metadata.json").write_text(text)

    assert install.find_kernel() is None


def test_one_of_another_kind_is_not_taken(tmp_path):
    folder = tmp_path / "input" / "activation" / "build" / FITTING
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text('{"name": "activation"}')
    install.attach_kernel(tmp_path, {})
    assert hub_kernel.attached_kernel() is None


@pytest.mark.parametrize(
    "change, said",
    [
        ({"name": "activation"}, "wanted mamba-ssm, got activation"),
        ({"backend": {"archs": ["8.0", "9.0"]}}, "wanted ['7.5']"),
    ],
)
def test_a_kernel_that_is_no_use_is_refused_before_it_is_packed(tmp_path, target, config, kernel, change, said):
    (kernel / "build" / FITTING / "metadata.json").write_text(json.dumps({**STATED, **change}))
    with pytest.raises(PackagingError) as caught:
        write_dataset({target.name: read_built(target)}, [target], tmp_path / "out", config, hub_kernel=kernel)
    assert said in str(caught.value)


def test_a_folder_without_a_build_that_fits_is_refused(tmp_path, target, config):
    with pytest.raises(PackagingError, match="--hub-kernel.*torch 2.10, CUDA 12.8"):
        write_dataset({target.name: read_built(target)}, [target], tmp_path / "out", config, hub_kernel=tmp_path)


def test_the_installer_and_the_kit_mean_the_same(tmp_path):
    assert (install.KERNEL_VARIABLE, install.KERNEL) == (hub_kernel.VARIABLE, hub_kernel.KERNEL)
