"""What the command line makes of what people type, and what it tells them: options anywhere, errors, Ctrl-C."""

import errno
import logging
import re
import signal
import subprocess
import sys
import time

import pytest

from spectramind_kit.commands.shell import INTERRUPTED, ends_with_a_word, gathered, message_of, seconds_logged
from spectramind_kit.errors import ConfigurationError

SLEEPING = """
import sys, time
sys.argv = ["spectramind", "score", "--truth", "t", "--submission", "s"]
from spectramind_kit import cli, runs

def score_files(*_):
    print("begun", flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        {answer}

runs.score_files = score_files
cli.main()
"""


@pytest.mark.parametrize(
    "typed, wanted",
    [
        (["train", "-q", "a=1"], ["-q", "train", "a=1"]),
        (["train", "--config", "mine.yaml", "a=1", "--debug"], ["--debug", "train", "a=1", "config=mine.yaml"]),
        (["train", "--config=mine.yaml"], ["train", "config=mine.yaml"]),
        (["train", "--config"], ["train", "--config"]),
        (["train", "--", "-q"], ["train", "--", "-q"]),
        ([], []),
    ],
)
def test_options_may_stand_anywhere(typed, wanted):
    assert gathered(typed) == wanted


@pytest.mark.parametrize(
    "error, message",
    [
        (ConfigurationError("fit", wanted="1", got="2"), "fit: wanted 1, got 2"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.csv"), "x.csv: No such file or directory"),
        (PermissionError(errno.EACCES, "Permission denied", "/etc/x"), "/etc/x: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (
            ModuleNotFoundError("No module named 'kaggle.api'", name="kaggle.api"),
            r"pip install 'spectramind-kit\[kaggle\]'",
        ),
        (MemoryError(), "workers=1"),
        (ZeroDivisionError("by zero"), "unexpected ZeroDivisionError: by zero; --debug shows where"),
    ],
)
def test_only_what_nobody_foresaw_is_unexpected(error, message):

    found = message_of(error)
    assert re.search(message, found) and found.startswith("unexpected") == isinstance(error, ZeroDivisionError)


@pytest.mark.parametrize("answer", ["raise", "sys.exit(1)"])  # as Lightning ends a process that is interrupted
def test_an_interrupt_is_answered_with_a_word(answer):
    command = [sys.executable, "-c", SLEEPING.format(answer=answer)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert err.strip().splitlines()[-1] == "spectramind: interrupted; the same command goes on where it stopped"
    assert "Traceback" not in err


def test_an_exit_without_an_interrupt_stays_what_it_is():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as end, ends_with_a_word():
        sys.exit(2)
    assert end.value.code == 2 and signal.getsignal(signal.SIGINT) is before


def test_quiet_shows_warnings_alone():
    code = "import sys; sys.argv[1:] = {}; from spectramind_kit import cli; cli.main()"
    lines = {}
    for options in (["-q"], [], ["-v"]):
        script = code.format(["config", *options]).replace(
            "cli.main()",
            "import logging; from spectramind_kit.commands import configuration as c; old = c.composed\n"
            "c.composed = lambda o: [getattr(logging.getLogger('x'), k)(k) for k in ('debug', 'info', 'warning')]"
            " and old(o)\ncli.main()",
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        lines[tuple(options)] = [line.split(":")[0].split()[0] for line in done.stderr.splitlines() if " x: " in line]
    assert lines == {("-q",): ["WARNING"], (): ["INFO", "WARNING"], ("-v",): ["DEBUG", "INFO", "WARNING"]}


def test_work_that_cannot_count_says_how_long_it_has_taken(caplog):
    with caplog.at_level(logging.INFO), seconds_logged("drawing", every=0.05):
        time.sleep(0.3)
    assert caplog.messages[0] == "drawing" and caplog.messages[1].startswith("drawing: 0 s so far")
