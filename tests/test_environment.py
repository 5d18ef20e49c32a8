"""Where we run: what is told of the machine, and nothing that is not so."""

import getpass
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spectramind_kit import environment
from spectramind_kit.kaggle.session.sharing import private_names
from spectramind_kit.kaggle.wheels.build_environment import find_python
from spectramind_kit.kaggle.wheels.cuda_build import default_cache


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
    below = tmp_path / "venv" / "site-packages"
    below.mkdir(parents=True)
    assert environment.git_commit(below) == "unknown", "the checkout is another's"


def test_cores_are_those_this_process_may_use():
    assert 1 <= environment.available_cores() <= os.cpu_count()


@pytest.mark.parametrize(
    "files, cores, memory",
    [
        ({"cpu.max": "100000 100000", "memory.max": "1500000000", "memory.current": "300000000"}, 1, 1.2e9),
        ({"cpu.max": "max 100000", "memory.max": "max"}, None, None),
        ({"cpu.max": "50000 100000"}, 1, None),
        (
            {"memory.max": "2000000000", "memory.current": "1900000000", "memory.stat": "anon 1\ninactive_file 5"},
            None,
            1e8,
        ),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1, None),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None, None),
        ({"memory/memory.limit_in_bytes": "1000000000", "memory/memory.usage_in_bytes": "100000000"}, None, 9e8),
        ({"cpu.max": "no number", "memory.max": ""}, None, None),
    ],
)
def test_the_smallest_limit_of_a_container_counts(tmp_path, monkeypatch, files, cores, memory):
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda pid: set(range(16)))
    monkeypatch.setattr(environment, "_free_memory", lambda: 64e9)
    monkeypatch.setattr(environment, "_CONTROL_GROUPS", tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert environment.available_cores() == (cores or 16)
    assert environment.available_memory() == pytest.approx(memory or 64e9, rel=1e-6)


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


def test_a_user_whom_the_machine_does_not_know_has_no_home_and_no_name(monkeypatch):
    """As in a container that is run with a number for a user, and without HOME."""

    def unknown(*_):
        raise KeyError("getpwuid(): uid not found: 23456")

    def homeless(*_):
        raise RuntimeError("Could not determine home directory.")

    for variable in ("XDG_CACHE_HOME", "PYENV_ROOT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(Path, "home", homeless)
    assert environment.home_folder() is None and environment.login_name() == ""
    assert default_cache().is_absolute()
    assert "" not in private_names()
    assert find_python("{}.{}".format(*sys.version_info)) == Path(sys.executable)


def test_commands_give_a_home_to_who_has_none(tmp_path):
    """Without HOME, and with a number that no user has: in a process of its own, where libraries look for one."""
    code = (
        "import os, pathlib, pwd, sys\n"
        "from spectramind_kit import environment\n"
        "environment.tempfile.tempdir = sys.argv[1]\n"
        "del os.environ['HOME']\n"
        "pwd.getpwuid = lambda uid: (_ for _ in ()).throw(KeyError(uid))\n"
        "assert environment.home_folder() is None and environment.login_name() == ''\n"
        "environment.provide_home()\n"
        "print(pathlib.Path('~').expanduser())\n"
    )
    here = {"PATH": "/usr/bin:/bin", "HOME": "/", "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=here, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / f"home-{os.getuid()}"), done.stderr
    assert (tmp_path / f"home-{os.getuid()}").stat().st_mode & 0o077 == 0


def test_a_home_that_is_there_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    environment.provide_home()
    assert os.environ["HOME"] == str(tmp_path)


def test_nobody_else_asks_for_home_or_name():
    asked = re.compile(r"Path\.home\(|expanduser\(|getuser\(|getlogin\(")
    package = Path(environment.__file__).parent
    assert [path.name for path in package.rglob("*.py") if asked.search(path.read_text())] == ["environment.py"]
