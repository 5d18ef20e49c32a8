"""Taking up attached runs: products are linked, what is written into is copied, nothing old passes for new."""

from inspect import signature

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.earlier_runs import EVERYTHING, LINKED, reuse_earlier_runs
from spectramind_kit.products import Estimate
from spectramind_kit.work_folder.layout import WorkFolder
from spectramind_kit.work_folder.store import load_or_make, save_product


def make_run(folder, *files):
    """Write the output of a session, read-only as it is attached."""
    for name in ("events.jsonl", *files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{folder.name}: {name}")
        path.chmod(0o444)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An input root with the output of a preprocessing and of a training session."""
    root = tmp_path / "input"
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(root))
    make_run(root / "notebooks" / "me" / "preprocess", "light_curves/train/1_0.npz", "light_curves/test/9_0.npz")
    files = ("light_curves/train/1_0.npz", "fits/train/1_0.npz", "features/train/1_0.npz")
    make_run(root / "train-flat", *files, "model/model.json", "submission.csv")
    return root


def test_products_are_linked_and_nothing_else_comes_along(root, tmp_path):
    assert reuse_earlier_runs(tmp_path / "work") == {"light_curves": 2, "fits": 1, "features": 1, "baseline_input": 0}

    links = sorted(path for path in (tmp_path / "work").rglob("*") if not path.is_dir())
    names = ["features/train/1_0.npz", "fits/train/1_0.npz", "light_curves/test/9_0.npz", "light_curves/train/1_0.npz"]
    assert [str(path.relative_to(tmp_path / "work")) for path in links] == names
    assert all(path.is_symlink() for path in links)


def test_every_product_of_a_visit_is_found_again(tmp_path):
    of_a_visit = [
        getattr(WorkFolder(tmp_path), name)("train", 1, 0).relative_to(tmp_path).parts[0]
        for name, method in vars(WorkFolder).items()
        if callable(method) and list(signature(method).parameters)[1:] == ["split", "planet_id", "visit"]
    ]
    assert sorted(of_a_visit) == sorted(LINKED)


def test_model_is_copied_and_can_be_written_into(root, tmp_path):
    assert reuse_earlier_runs(tmp_path / "work", ["model"]) == {"model": 1}
    copy = tmp_path / "work" / "model" / "model.json"
    copy.write_text("trained on")

    assert (root / "train-flat" / "model" / "model.json").read_text() == "train-flat: model/model.json"


def test_what_lies_there_stays(root, tmp_path):
    own = tmp_path / "work" / "light_curves" / "train" / "1_0.npz"
    own.parent.mkdir(parents=True)
    own.write_text("own")

    assert reuse_earlier_runs(tmp_path / "work")["light_curves"] == 1 and own.read_text() == "own"
    assert reuse_earlier_runs(tmp_path / "work") == dict.fromkeys(LINKED, 0)


def test_two_models_are_ambiguous(root, tmp_path):
    make_run(root / "notebooks" / "me" / "train", "model/model.json")

    with pytest.raises(PackagingError, match="model of attached runs: wanted one.*notebooks/me/train/model.*detach"):
        reuse_earlier_runs(tmp_path / "work", ["model"])


def test_everything_of_a_run_can_be_had(root, tmp_path):
    (root / "notebooks" / "me" / "preprocess" / "events.jsonl").unlink()
    counts = reuse_earlier_runs(tmp_path / "work", EVERYTHING)

    assert counts["submission.csv"] == 1 and counts["events.jsonl"] == 1 and counts["manifest.json"] == 0


def test_without_runs_there_is_nothing_to_take_up(tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))

    assert reuse_earlier_runs(tmp_path / "work") == dict.fromkeys(LINKED, 0)


def test_a_product_with_another_key_is_made_anew_beside_the_attached_one(root, tmp_path):
    attached = root / "train-flat" / "fits" / "train" / "2_0.npz"
    save_product(attached, Estimate(1.0, 0.1), "key of the attached")
    reuse_earlier_runs(tmp_path / "work")
    path = tmp_path / "work" / "fits" / "train" / "2_0.npz"

    assert load_or_make(path, "key of the attached", Estimate, lambda: Estimate(2.0, 0.2)).value == 1.0
    assert load_or_make(path, "another key", Estimate, lambda: Estimate(2.0, 0.2)).value == 2.0
    assert load_or_make(attached, "key of the attached", Estimate, lambda: Estimate(3.0, 0.3)).value == 1.0
