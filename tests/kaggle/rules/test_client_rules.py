"""The client's own rules are asked of the client: what it uploads, what stays, and that asking signs nobody in."""

import importlib.metadata
import os
import subprocess
import sys
import zipfile

import pytest

from spectramind_kit.errors import PackagingError
from spectramind_kit.kaggle.rules import client_rules
from spectramind_kit.kaggle.rules.client_rules import (
    OLDEST_CLIENT,
    boolean,
    check_push,
    left_behind,
    upload_entries,
    uploaded_files,
)

LEFT = (
    *("dataset-metadata.json", "datapackage.json", "kernel-metadata.json", "model-metadata.json"),
    *("model-instance-metadata.json", "dataset-cover-image.png", "dataset-cover-image.webp"),
    *(".git/config", ".cache/x", ".huggingface/y", "wheels/.git/config"),
)
SECRET = ("kaggle.json", ".env", "wheels/kaggle.json", "wheels/deep/.env", ".kaggle/access_token")
SECRET += (".env.local", "wheels/.env.production", "access_token", "wheels/access_token.txt", "credentials.json")
SECRET += ("wheels/.kaggle/kaggle.json", "wheels/.netrc")
SENT = ("a.txt", "wheels/b.whl", "wheels/deep/c.whl", "wheels/dataset-metadata.json")


@pytest.fixture
def folder(tmp_path):
    """A dataset with all that stays and all that goes."""
    for name in (*LEFT, *SECRET, *SENT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_what_the_client_uploads_is_known_beforehand(folder):
    assert [path.name for path in upload_entries(folder)] == ["a.txt", "wheels"]
    assert sorted(str(path.relative_to(folder)) for path in uploaded_files(folder)) == sorted(SENT)


def test_the_clients_own_archive_holds_the_same_files(folder):
    module = client_rules.client_module()
    patterns = [*module.DEFAULT_IGNORE_PATTERNS, *client_rules.SECRETS]
    with (
        module.DirectoryArchive(str(folder / "wheels"), "zip", patterns) as made,
        zipfile.ZipFile(made.path) as archive,
    ):
        packed = {f"wheels/{name}" for name in archive.namelist()}

    assert packed == {name for name in SENT if name.startswith("wheels/")}


def test_what_stays_is_named_once(folder):
    stays = left_behind(folder)

    assert {"kaggle.json", ".env", "wheels/deep/.env", ".git", ".cache", "model-instance-metadata.json"} <= set(stays)
    assert not set(stays) & set(SENT) and ".git/config" not in stays


@pytest.mark.parametrize("written, meant", [(True, True), ("true", True), ("False", False), ("FALSE", False)])
def test_switches_are_read_as_the_client_reads_them(written, meant):
    assert boolean({"enable_gpu": written}, "enable_gpu", not meant) is meant


@pytest.mark.parametrize("written", ["no", "", 1, [], {}])
def test_other_switches_are_refused(written):
    with pytest.raises(ValueError, match="Invalid boolean"):
        boolean({"enable_gpu": written}, "enable_gpu", False)


def test_asking_signs_nobody_in_and_leaves_the_client_as_it_is():
    """A token would be shown to Kaggle when the package starts; here every socket is refused."""
    code = """
import socket, sys
def refuse(*_): raise SystemExit("a socket was opened")
socket.socket.connect = refuse
from spectramind_kit.kaggle.rules import client_rules
client_rules.client_module().KaggleApi().get_bool({}, "x", True)
assert not [name for name in sys.modules if name.partition(".")[0] == "kaggle"]
"""
    variables = {"KAGGLE_API_TOKEN": "KGAT_0", "KAGGLE_CONFIG_DIR": "/", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)

    assert done.returncode == 0, done.stderr


def test_missing_client_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "kaggle", None)
    monkeypatch.delitem(sys.modules, client_rules.CLIENT_MODULE, raising=False)
    client_rules.client_module.cache_clear()

    with pytest.raises(PackagingError, match="spectramind-kit.kaggle.*six"):
        client_rules.client_module()


@pytest.mark.parametrize("version", ["1.5.16", "1.7.4.5", "2.2.4rc1"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda folder: upload_entries(folder),
        lambda folder: boolean({"enable_gpu": True}, "enable_gpu", False),
        lambda folder: client_rules.check_source("dataset_sources", "me/wheels"),
        lambda folder: client_rules.pinning_types(),
    ],
)
def test_whatever_is_asked_of_an_old_client_names_the_version_that_is_needed(monkeypatch, tmp_path, version, ask):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    client_rules.client_module.cache_clear()

    with pytest.raises(PackagingError, match=f"wanted {OLDEST_CLIENT} or newer, got {version}; pip install"):
        ask(tmp_path)


PUSH = {"id": "me/a-notebook", "title": "A notebook", "code_file": "deep/a.ipynb", "language": "python"}
PUSH |= {"kernel_type": "notebook"}


def test_push_that_the_client_takes_is_taken_and_leaves_no_word(capsys):
    check_push({**PUSH, "title": "Another title", "dataset_sources": ["me/wheels/3"]}, '{"cells": []}')

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "change, words",
    [
        ({"id": "me/a-notebook/3"}, "cannot contain a version"),
        ({"id": None}, "ID or slug"),
        ({"id_no": "many"}, "type int"),
        ({"docker_image": 5}, "type str"),
        ({"keywords": [5]}, "type str"),
        ({"machine_shape": ["NvidiaL4"]}, "type str"),
        ({"dataset_sources": ["me"]}, "username"),
    ],
)
def test_push_that_the_client_does_not_take_is_refused_in_its_words(change, words):
    with pytest.raises(ValueError, match=words):
        check_push({**PUSH, **change}, '{"cells": []}')
