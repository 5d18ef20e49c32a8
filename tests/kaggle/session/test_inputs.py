"""Finding what is attached by its content, wherever it is mounted."""

import logging

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.session.inputs import (
    find_competition,
    find_model,
    find_runs,
    find_source,
    input_root,
    working_root,
)
from spectramind_kit.work_folder.run_record import recorded


@pytest.fixture
def root(tmp_path, monkeypatch):
    """An input root with a dataset that is neither competition nor model."""
    monkeypatch.setenv("KAGGLE_INPUT_ROOT", str(tmp_path))
    monkeypatch.setenv("KAGGLE_WORKING_ROOT", str(tmp_path / "working"))
    (tmp_path / "datasets" / "somebody" / "wheels-of-mine").mkdir(parents=True)
    (tmp_path / "datasets" / "somebody" / "wheels-of-mine" / "sample_submission.csv").write_text("")
    return tmp_path


def make(folder, *files):
    """Make a folder with empty files."""
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).write_text("")
    return folder


@pytest.mark.parametrize("place", ["ariel", "competitions/ariel-data-challenge-2025"])
@pytest.mark.parametrize("table", ["axis_info.parquet", "train_adc_info.csv"])
def test_competition_is_found_by_content(root, place, table):
    folder = make(root / place, "sample_submission.csv", table)
    for planet in range(200):
        make(folder / "test" / str(planet))

    assert find_competition() == folder


def test_competition_is_found_without_its_sample_submission(root):
    folder = make(root / "competitions" / "ariel", "axis_info.parquet", "adc_info.csv")
    make(folder / "test" / "34983")
    assert find_competition() == folder


def test_missing_competition_lists_what_is_attached(root):
    with pytest.raises(PackagingError, match="wheels-of-mine"):
        find_competition()


def test_two_competitions_are_ambiguous_until_one_is_named(root):
    first = make(root / "competitions" / "a", "sample_submission.csv", "adc_info.csv")
    make(root / "competitions" / "b", "sample_submission.csv", "adc_info.csv")

    with pytest.raises(PackagingError, match="exactly one"):
        find_competition()
    assert find_competition(first) == first


@pytest.mark.parametrize("place", ["model", "datasets/me/model", "models/me/ariel/pytorch/default/3"])
def test_model_is_found_by_content(root, place):
    make(root / "datasets" / "me" / "boosted" / place, "model.json")
    (root / "datasets" / "me" / "boosted" / place / "model.json").write_text('{"learner": {}}')
    assert find_model() is None, "another tool's file of the same name"
    make(root / place, "model.json")
    (root / place / "model.json").write_text('{"kit_version": "1", "n_planets": 3}')
    assert find_model() == root / place


def test_named_model_that_is_none_is_refused(root):
    with pytest.raises(PackagingError, match="trained model"):
        find_model(root / "datasets")


def test_roots_can_be_moved(root, monkeypatch):
    assert (input_root(), working_root()) == (root, root / "working")
    monkeypatch.delenv("KAGGLE_INPUT_ROOT")
    monkeypatch.delenv("KAGGLE_WORKING_ROOT")
    assert (str(input_root()), str(working_root())) == ("/kaggle/input", "/kaggle/working")


def test_source_and_runs_are_found_by_content(root):
    with pytest.raises(PackagingError, match="source of the kit"):
        find_source()
    source = make(root / "datasets" / "me" / "wheels" / "source", "build_dataset.py", "setup.cfg")
    first = make(root / "notebooks" / "me" / "preprocess", "events.jsonl")
    second = make(root / "train-flat", "events.jsonl")

    assert find_source() == find_source(source) == source
    assert find_runs() == [first, second]


def test_the_record_of_a_run_is_no_work_folder(root, config):
    work = root / "notebooks" / "me" / "train"
    for command in ("train", "submit"):
        with recorded(work, command, config) as run:
            logging.getLogger("spectramind_kit").warning("a line of the log")
            run.publish(work / "manifest.json")

    assert find_runs() == [work]
