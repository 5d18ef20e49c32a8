"""A command once for every combination of values, each in a work folder of its own, through Hydra's launcher."""

import json
import subprocess
import sys

import pytest

from spectramind_kit.commands import sweep as sweeps
from spectramind_kit.commands.sweep import sweep
from spectramind_kit.errors import ConfigurationError
from tests.ledger.recorded import record


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The commands that a sweep runs, none of which does more than to record a score; one value fails."""
    ran = []

    def execute(words):
        ran.append(list(words))
        if "fit.drift_order=3" in words:
            return 1
        record(tmp_path / words[words.index("--work") + 1], scores={1: 0.1 * len(ran)})
        return 0

    monkeypatch.setattr(sweeps, "execute", execute)
    return ran


def test_every_combination_is_run_in_a_folder_of_its_own(commands, tmp_path, spectramind):
    work = tmp_path / "work"
    (work / "fits" / "train").mkdir(parents=True)
    (work / "fits" / "train" / "7_0.npz").write_bytes(b"stored")
    words = ["train", "--data", "d", "--work", work, "--multirun", "fit.drift_order=2,3", "fit.supersample=1,2"]
    status, out, _ = spectramind(*words, "fit.max_iterations=9")
    assert status == 1, "one of them failed"
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["0", "done", "0.1000"],
        ["1", "done", "0.2000"],
        ["2", "1", "-"],
        ["3", "1", "-"],
    ]
    (folder,) = (work / "sweeps").iterdir()
    own = [str(folder / str(number)) for number in range(4)]
    assert [command[:5] for command in commands] == [["train", "--data", "d", "--work", place] for place in own]
    assert commands[1][5:] == ["fit.drift_order=2", "fit.supersample=2", "fit.max_iterations=9"]
    assert (folder / "1" / "fits" / "train" / "7_0.npz").is_symlink()
    facts = json.loads((folder / "1" / "swept.json").read_text())
    assert facts["overrides"] == commands[1][5:] and facts["score"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--work", "w", "fit.drift_order=3,99"], "'fit.drift_order': wanted less than"),
        (["train", "--work", "w", "model=none,v51"], "did you mean 'v50'"),
        (["train", "--work", "w", "fit.drift_ordr=3,4"], "did you mean 'fit.drift_order'"),
        (["train", "--work", "w", "fit.drift_order=[3,"], "KEY=VALUE,VALUE"),
        (["score", "fit.drift_order=3,4"], "a command with --work"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_the_first_run(commands, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=words):
        sweep(arguments)
    assert not commands and not list(tmp_path.iterdir())


def test_a_real_command_runs_in_a_process_of_its_own(tmp_path):
    """A folder that is none is all that it takes to see that both commands were begun."""
    words = ["train", "--multirun", "--data", "nowhere", "--work", str(tmp_path), "training.folds=2,3"]
    done = subprocess.run([sys.executable, "-m", "spectramind_kit", *words], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("competition folder nowhere") == 2
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "0", "1"]
