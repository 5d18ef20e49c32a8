"""The commands, each a process of its own as a user starts it: the way of a submission, and the ways it may fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spectramind_kit.cli import app
from spectramind_kit.kaggle.rehearsal import socket_refusal
from tests.kaggle.loopback import client_variables, serving
from tests.kaggle.tiny_packages import table

PROJECT = Path(__file__).parents[3]
REF = "somebody/tiny-kernel"
WAITING = ("--poll", "0.02", "--timeout", "60")


@pytest.fixture
def spectramind(tmp_path):
    """Run a command in a process that reaches nothing but the loopback; return status, output, error output."""
    home = tmp_path / "home"
    (home / "offline").mkdir(parents=True)
    refusal = f"from {socket_refusal.__name__} import refuse_network\nrefuse_network()\n"
    (home / "offline" / "sitecustomize.py").write_text(refusal)
    path = os.pathsep.join([str(home / "offline"), str(PROJECT)])

    with serving() as server:
        server.competitions.add("tiny-competition")
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **client_variables(server.port, home)}

        def run(*arguments):
            command = [sys.executable, "-m", "spectramind_kit", *map(str, arguments)]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, cwd=tmp_path)
            return done.returncode, done.stdout, done.stderr

        yield run, server
    assert not server.foreign


def test_from_a_folder_to_a_recorded_submission(spectramind, wheel_folder, kernel, tmp_path):
    run, server = spectramind
    server.outputs[REF] = {"submission.csv": table(1, 2), "report.html": b"<html></html>"}

    assert run("dataset", "push", wheel_folder, *WAITING)[1] == "dataset somebody/tiny-wheels: ready, version 1\n"
    assert run("dataset", "version", wheel_folder, "-m", "more", *WAITING)[1].endswith("ready, version 2\n")
    assert "wheels/cp312/tiny-1.0-py3-none-any.whl" in server.datasets["somebody/tiny-wheels"].files
    status, out, error = run("kernel", "push", kernel, "-p", "value=0.25", *WAITING)
    assert (status, out) == (0, f"kernel {REF}: version 1, https://www.kaggle.com/code/{REF}\n"), error
    assert "kernel somebody/tiny-kernel: COMPLETE" in run("kernel", "status", kernel, "--wait", *WAITING)[1]
    status, out, error = run("kernel", "output", kernel, "--out", tmp_path / "out", *WAITING)
    assert status == 0 and "submission.csv: valid, 2 planets" in out, error
    assert (tmp_path / "out" / "report.html").is_file()
    status, out, error = run("kernel", "submit", kernel, *WAITING)
    assert (status, out.split()[-1]) == (0, "4201"), error
    assert server.submissions[0]["kernelVersion"] == 1


def test_failure_exits_1_with_one_sentence(spectramind, wheel_folder):
    run, server = spectramind
    server.fail("upload forbidden")
    status, out, error = run("dataset", "push", wheel_folder)

    assert (status, out) == (1, "") and "every file, got 0 of" in error.splitlines()[-1]
    assert "Traceback" not in error


def invoke(*arguments):
    """Run a command in this process; return it with its exception, which ``main`` would print."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_failed_session_still_hands_out_its_log(kaggle, kernel, tmp_path):
    from tests.kaggle.loopback import Kernel

    kaggle.kernels[REF] = Kernel([{}])
    kaggle.fail("session error")
    result = invoke("kernel", "output", kernel, "--out", tmp_path / "out", *WAITING)

    assert result.exit_code == 1 and "too much memory" in str(result.exception)
    assert (tmp_path / "out" / "tiny-kernel.log").is_file()
    assert "ERROR" in str(invoke("kernel", "status", kernel).exception)


def test_dry_runs_ask_nobody(kaggle, wheel_folder, kernel):
    shown = json.loads(invoke("dataset", "push", wheel_folder, "--dry-run").stdout)
    assert shown["dataset"] == "somebody/tiny-wheels" and "wheels.zip" in shown["bytes before packing"]
    shown = json.loads(invoke("kernel", "push", kernel, "--dry-run", "-p", "value=2", "kaggle.hours=2").stdout)
    assert shown["metadata"]["enable_internet"] is False and shown["parameters"] == {"value": 2}
    assert shown["session seconds at most"] == 7200 and shown["waits for datasets"] == ["somebody/tiny-wheels"]
    assert not kaggle.calls


def test_submitting_what_was_never_pushed_says_how_to_push(kaggle, kernel):
    assert "spectramind kernel push" in str(invoke("kernel", "submit", kernel).exception)


def test_version_of_no_dataset_says_how_to_make_one(kaggle, wheel_folder):
    assert "dataset push creates it" in str(invoke("dataset", "version", wheel_folder).exception)


def test_impatience_below_zero_is_refused(kernel):
    assert "--poll above 0" in str(invoke("kernel", "push", kernel, "--poll", "0").exception)


def test_missing_credentials_say_how_to_sign_in(kaggle, monkeypatch, wheel_folder):
    pytest.importorskip("kaggle")
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name)
    result = invoke("dataset", "status", wheel_folder)

    assert "KAGGLE_USERNAME" in str(result.exception) and not kaggle.calls
