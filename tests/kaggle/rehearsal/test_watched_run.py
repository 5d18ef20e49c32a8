"""A watched run: what it uses is measured over all its processes, and it stops, whole, when it overdraws."""

import logging
import os
import sys
import time

import psutil
import pytest

from spectramind_kit.kaggle.rehearsal import watched_run
from spectramind_kit.kaggle.rehearsal.watched_run import Budget, last_line, run_watched, size_of_folder

PLENTY = Budget(seconds=60, memory=30e9, disk=1e9)
# The memory is a grandchild's, in a session of its own, as a notebook's kernel is.
GRANDCHILD = """
import subprocess, sys
code = "import time; block = bytes(range(256)) * 400_000; print(len(block), flush=True); time.sleep({sleep})"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
print(child.pid, flush=True)
sys.exit(child.wait())
"""


def run(tmp_path, code, budget=PLENTY):
    folder = tmp_path / "working"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", code, str(folder)]
    return run_watched(command, dict(os.environ), tmp_path / "run.log", folder, budget)


def test_memory_of_a_grandchild_counts(tmp_path):
    usage = run(tmp_path, GRANDCHILD.format(sleep=1.5))

    assert (usage.returncode, usage.breach) == (0, "")
    assert 0.1e9 < usage.memory < 0.4e9 and usage.seconds > 1.5


@pytest.mark.parametrize("budget", [Budget(60, 0.08e9, 1e9), Budget(3, 30e9, 1e9)], ids=["memory", "time"])
def test_grandchild_does_not_outlive_the_budget(tmp_path, budget):
    start = time.monotonic()
    usage = run(tmp_path, GRANDCHILD.format(sleep=50), budget)
    grandchild = int((tmp_path / "run.log").read_text().split()[0])

    assert usage.returncode is None and usage.breach.startswith("stopped")
    assert time.monotonic() - start < 40
    psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=5)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE


def test_disk_is_looked_at_after_the_end_as_well(tmp_path):
    code = "import sys, pathlib; pathlib.Path(sys.argv[1], 'file').write_bytes(bytes(2000))"
    usage = run(tmp_path, code, Budget(60, 30e9, 1000))

    assert usage.disk == 2000 and "in the working folder" in usage.breach


def test_links_take_no_room(tmp_path):
    (tmp_path / "there").write_bytes(bytes(1000))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "there")
    (tmp_path / "folder" / "file").write_bytes(bytes(10))

    assert size_of_folder(tmp_path / "folder") == 10


def test_exit_status_and_words_come_through(tmp_path):
    usage = run(tmp_path, "print('last words'); raise SystemExit(3)")

    assert usage.returncode == 3 and (tmp_path / "run.log").read_text() == "last words\n"


def test_how_far_a_run_is_is_logged_while_it_runs(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(watched_run, "SECONDS_BETWEEN_LINES", 0.2)
    with caplog.at_level(logging.INFO):
        run(tmp_path, "import time; print('fit test: 3 of 16 planets', flush=True); time.sleep(2)")

    assert any(message.endswith("GB: fit test: 3 of 16 planets") for message in caplog.messages)


def test_last_line_is_the_last_that_says_something(tmp_path):
    record = tmp_path / "run.log"
    record.write_text("")
    assert last_line(record) == "nothing printed yet"
    record.write_text("first\n" * 5_000 + "10 %\r20 %\r\n\n")
    assert last_line(record) == "20 %"
