"""A lock on a part of a work folder, held by processes."""

import subprocess
import sys

import pytest

from spectramind_kit.errors import SpectraMindError
from spectramind_kit.work_folder.lock import only_one

OTHER = "import sys; from pathlib import Path; from spectramind_kit.work_folder.lock import only_one\n"
OTHER += "with only_one(Path(sys.argv[1]), 'training'):\n    print('held', flush=True); sys.stdin.read()"


def test_two_processes_do_not_hold_it_at_once_and_a_killed_one_lets_go(tmp_path):
    path = tmp_path / "training" / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(SpectraMindError, match=f"training in .*process {other.pid} at it"),
            only_one(path, "training"),
        ):
            pass
        other.kill()
        other.wait()
        with only_one(path, "training"):
            pass
    with only_one(path, "training"):
        pass
