"""Where we run: what is told of the machine, and nothing that is not so."""

import os
import subprocess

import pytest

from spectramind_kit import environment


def test_versions_of_what_is_there_and_of_what_is_not():
    versions = environment.package_versions(("numpy", "no-such-distribution"))
    assert versions["numpy"][0].isdigit() and versions["no-such-distribution"] == "missing"


def test_the_commit_is_the_checkouts_or_unknown(tmp_path):
    assert environment.git_commit(tmp_path) == "unknown"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    commit = environment.git_commit(tmp_path)
    assert len(commit) == 40 and set(commit) <= set("0123456789abcdef")


def test_cores_are_those_this_process_may_use():
    assert 1 <= environment.available_cores() <= os.cpu_count()


def test_a_device_whose_operations_fail_is_not_usable(monkeypatch):
    import torch

    def no_kernel(*_, **__):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", no_kernel)
    assert environment.usable_cuda() is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert environment.usable_cuda() is None


@pytest.mark.parametrize("key", ["python", "platform", "cores", "packages", "git_commit"])
def test_a_manifest_gets_all_of_it(key):
    assert environment.describe()[key]
