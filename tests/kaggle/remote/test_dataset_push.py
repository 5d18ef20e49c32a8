"""Datasets through the real client: what arrives, what a session will see, and every way in which it may fail."""

import json
import os

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.remote.dataset_push import create_or_version, dataset_status, open_dataset, wait_for_dataset
from spectramind_kit.kaggle.remote.polling import PollingPolicy

REF = "somebody/tiny-wheels"
WHEEL = "wheels/cp312/tiny-1.0-py3-none-any.whl"


def push(api, folder, polling, notes="first"):
    return create_or_version(api, open_dataset(folder), notes, polling)


def test_dataset_is_created_with_its_folders_and_waited_for(kaggle, api, wheel_folder, polling):
    state = push(api, wheel_folder, polling)

    assert (state.status, state.version) == ("ready", 1)
    assert kaggle.datasets[REF].files == {"manifest.json": b"{}", WHEEL: b"wheel" * 1000}
    (sent,) = kaggle.called("CreateDataset")
    assert (sent["title"], sent["licenseName"], sent["isPrivate"]) == ("Tiny wheels", "other", True)
    assert sent["subtitle"] == "Wheels for tests, all tiny"


def test_dataset_that_exists_gets_a_version_that_is_waited_for(kaggle, api, wheel_folder, polling):
    push(api, wheel_folder, polling)
    (wheel_folder / WHEEL).write_bytes(b"another")
    state = push(api, wheel_folder, polling, notes="second")

    assert (state.status, state.version) == ("ready", 2)
    assert kaggle.datasets[REF].files[WHEEL] == b"another"
    (sent,) = kaggle.called("CreateDatasetVersion")
    assert sent["body"]["versionNotes"] == "second" and len(sent["body"]["files"]) == 2
    assert len(kaggle.called("CreateDataset")) == 1


def test_server_that_tells_no_version_is_believed_its_status(kaggle, api, wheel_folder, polling):
    kaggle.fail("no version number")
    push(api, wheel_folder, polling)

    assert str(push(api, wheel_folder, polling)) == "ready"


def test_interrupted_upload_is_resumed_and_arrives_whole(kaggle, api, wheel_folder, polling):
    kaggle.fail("upload interrupted")
    push(api, wheel_folder, polling)

    assert kaggle.datasets[REF].files[WHEEL] == b"wheel" * 1000


def test_forbidden_upload_makes_no_dataset_and_can_be_pushed_again(kaggle, api, wheel_folder, polling):
    kaggle.fail("upload forbidden")
    with pytest.raises(PackagingError, match="every file, got 0 of .*wheels.*nothing was made of it.*push again"):
        push(api, wheel_folder, polling)
    assert not kaggle.called("CreateDataset") and not kaggle.datasets

    kaggle.failing.clear()
    assert push(api, wheel_folder, polling).status == "ready"


@pytest.mark.parametrize(
    "failure, words",
    [
        ("dataset refused", "error: The requested title is already in use.*correct"),
        ("dataset never ready", "ready within 0.3 s, got blobs_received.*--timeout"),
        ("dataset failed", "wanted ready, got failed.*push it again"),
        ("service down", "HTTP 500: Internal error; the trouble is Kaggle's"),
        ("not signed in", "HTTP 401.*KAGGLE_USERNAME"),
    ],
)
def test_failure_is_a_sentence(kaggle, api, wheel_folder, short_polling, failure, words):
    kaggle.fail(failure)

    with pytest.raises(PackagingError, match=words):
        push(api, wheel_folder, short_polling)


def test_trouble_with_the_status_is_not_taken_for_absence(kaggle, api, wheel_folder, polling):
    kaggle.fail("status down")

    with pytest.raises(PackagingError, match="HTTP 503.*try again"):
        push(api, wheel_folder, polling)
    assert not kaggle.called("StartBlobUpload")


def test_what_must_stay_is_never_sent(kaggle, api, wheel_folder, polling):
    stays = ("kaggle.json", ".env", "wheels/kaggle.json", "wheels/cp312/.env", ".git/config", "dataset-cover-image.png")
    for name in (*stays, "model-instance-metadata.json"):
        (wheel_folder / name).parent.mkdir(exist_ok=True)
        (wheel_folder / name).write_text("mine")
    plan = open_dataset(wheel_folder).plan()
    push(api, wheel_folder, polling)

    assert set(kaggle.datasets[REF].files) == {"manifest.json", WHEEL}
    assert sorted(plan["bytes before packing"]) == ["manifest.json", "wheels.zip"]
    assert {"kaggle.json", "wheels/cp312/.env", ".git"} <= set(plan["left behind"].split(", "))


@pytest.mark.parametrize("seconds", [0, 315_532_800 - 86_400, 5_000_000_000])
@pytest.mark.parametrize("name", [WHEEL, "manifest.json"])
def test_file_with_a_date_that_no_archive_holds_arrives(kaggle, api, wheel_folder, polling, name, seconds):
    os.utime(wheel_folder / name, (seconds, seconds))
    push(api, wheel_folder, polling)

    assert kaggle.datasets[REF].files == {"manifest.json": b"{}", WHEEL: b"wheel" * 1000}
    assert (wheel_folder / name).stat().st_mtime == seconds


def test_dataset_that_the_server_does_not_show_at_once_is_waited_for(kaggle, api, wheel_folder, polling):
    kaggle.fail("dataset not shown")

    assert str(push(api, wheel_folder, polling)) == "ready, version 1"
    assert len(kaggle.called("CreateDataset")) == 1


def test_dataset_that_is_never_shown_is_given_up(kaggle, api, wheel_folder, short_polling):
    kaggle.fail("dataset never shown")

    with pytest.raises(PackagingError, match="ready within 0.3 s, got not shown yet"):
        push(api, wheel_folder, short_polling)


def test_refused_version_is_a_sentence(kaggle, api, wheel_folder, polling):
    push(api, wheel_folder, polling)
    kaggle.fail("dataset refused")

    with pytest.raises(PackagingError, match="The dataset is locked"):
        push(api, wheel_folder, polling)


def test_status_of_what_is_not_there(kaggle, api, polling):
    for asked in (lambda: dataset_status(api, REF), lambda: wait_for_dataset(api, REF, polling)):
        with pytest.raises(PackagingError, match="dataset push creates it"):
            asked()


def test_status_without_patience_does_not_wait(kaggle, api, wheel_folder):
    with pytest.raises(PackagingError, match="blobs_received"):
        push(api, wheel_folder, PollingPolicy(0.01, 0.0))

    assert dataset_status(api, REF).status == "blobs_received"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"id": "somebody/tiny"}, "6 to 50 small letters"),
        ({"id": "tiny-wheels"}, "owner/slug"),
        ({"title": "Tiny"}, "6 to 50 characters"),
        ({"subtitle": "too short"}, "20 to 80 characters"),
        ({"licenses": [{"name": "MIT"}]}, "for MIT or BSD say other"),
        ({"licenses": []}, "licenses"),
    ],
)
def test_metadata_outside_the_rules_never_leaves(kaggle, wheel_folder, change, words):
    path = wheel_folder / "dataset-metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(PackagingError, match=words):
        open_dataset(wheel_folder)
    assert not kaggle.calls


def test_name_that_kaggle_would_change_never_leaves(kaggle, wheel_folder):
    (wheel_folder / "wheels" / "mamba-2.3+cu12.whl").write_text("")

    with pytest.raises(PackagingError, match=r"mamba-2.3\+cu12.whl"):
        open_dataset(wheel_folder)
    assert not kaggle.calls


def test_folder_without_metadata_says_what_to_write(tmp_path):
    with pytest.raises(PackagingError, match="write id, title and licenses"):
        open_dataset(tmp_path)


def test_plan_tells_what_would_be_sent(kaggle, wheel_folder):
    plan = open_dataset(wheel_folder).plan()

    assert plan["dataset"] == REF and plan["bytes before packing"] == {"manifest.json": 2, "wheels.zip": 5000}
    assert not kaggle.calls
