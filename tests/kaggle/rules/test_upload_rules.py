"""Kaggle's limits: what it would refuse, drop or garble is refused here first, and what it takes is not."""

import os

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules.upload_rules import check_dataset_metadata, check_pushable, check_uploadable

DATASET = {"id": "me/ariel-wheels", "title": "Ariel wheels", "licenses": [{"name": "apache-2.0"}]}
KERNEL = {
    "id": "me/ariel-submit",
    "title": "Ariel submit",
    "language": "python",
    "kernel_type": "notebook",
    "enable_internet": False,
}


@pytest.mark.parametrize("name", ["mamba-2.3+cu12.whl", "größe.txt", "a b.txt", "mail@home.txt", "x~1.txt"])
def test_names_that_kaggle_changes_are_refused(tmp_path, name):
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / name).write_text("")

    with pytest.raises(PackagingError, match="names of letters"):
        check_uploadable(tmp_path)


def test_more_than_fifty_entries_at_the_top_are_refused(tmp_path):
    for number in range(50):
        (tmp_path / f"{number}.txt").write_text("")
    check_uploadable(tmp_path)
    (tmp_path / "one-more.txt").write_text("")

    with pytest.raises(PackagingError, match="50 top-level.*51"):
        check_uploadable(tmp_path)


def test_metadata_of_client_does_not_count(tmp_path):
    for number in range(50):
        (tmp_path / f"{number}.txt").write_text("")
    (tmp_path / "dataset-metadata.json").write_text("{}")

    check_uploadable(tmp_path)


def test_folder_with_nothing_to_upload_is_refused(tmp_path):
    (tmp_path / "dataset-metadata.json").write_text("{}")

    with pytest.raises(PackagingError, match="1 to 50 top-level entries, got 0"):
        check_uploadable(tmp_path)


def test_link_to_nowhere_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")

    with pytest.raises(PackagingError, match="links to nowhere.*link"):
        check_uploadable(tmp_path)


def test_more_than_200_gigabytes_are_refused(tmp_path):
    (tmp_path / "large").write_text("")
    os.truncate(tmp_path / "large", 200 * 10**9)  # sparse: takes no room
    check_uploadable(tmp_path)
    (tmp_path / "small").write_text("x")

    with pytest.raises(PackagingError, match="at most 200000000000 bytes, got 200000000001"):
        check_uploadable(tmp_path)


@pytest.mark.parametrize("slug", ["ariels", "a" * 50])
def test_shortest_and_longest_slug_are_taken(slug):
    check_dataset_metadata({**DATASET, "id": f"me/{slug}"}, "metadata")


def test_sources_may_name_a_version():
    check_pushable({**KERNEL, "dataset_sources": ["me/wheels/3"], "kernel_sources": ["me/train"]}, "metadata")


@pytest.mark.parametrize("source", ["me", "me/", "/wheels", "me/wheels/latest", "me/a b"])
def test_other_sources_are_refused(source):
    with pytest.raises(PackagingError, match="owner/slug or owner/slug/version"):
        check_pushable({**KERNEL, "kernel_sources": [source]}, "metadata")


KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "name, text",
    [
        ("kaggle-1.json", f'{{"username":"me","key":"{KEY}"}}'),
        ("wheels/settings.json", f'{{\n  "username": "me",\n  "key": "{KEY}"\n}}\n'),
        ("env.sh", f"export KAGGLE_USERNAME=me\nexport KAGGLE_KEY={KEY}\n"),
        ("wheels/notes.txt", f"my token: KGAT_{KEY}"),
    ],
)
def test_credentials_under_any_name_are_refused(tmp_path, name, text):
    (tmp_path / "wheels").mkdir()
    (tmp_path / name).write_text(text)

    with pytest.raises(PackagingError, match=f"signs you in, got credentials of Kaggle in {name}; move it away"):
        check_uploadable(tmp_path)


def test_link_to_credentials_is_refused(tmp_path):
    (tmp_path / "kaggle.json").write_text(f'{{"username":"me","key":"{KEY}"}}')
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "settings.json").symlink_to(tmp_path / "kaggle.json")

    with pytest.raises(PackagingError, match="credentials of Kaggle in settings.json"):
        check_uploadable(tmp_path / "dataset")


def test_hashes_and_words_about_keys_are_no_credentials(tmp_path):
    (tmp_path / "manifest.json").write_text(f'{{"key": "{KEY}{KEY}", "md5": "{KEY}"}}')
    (tmp_path / "README.md").write_text('Set KAGGLE_KEY, or write {"username": "ME", "key": "..."} to kaggle.json.')

    check_uploadable(tmp_path)
